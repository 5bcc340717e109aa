/** Which slots of a job have been decided already? Asked only after the clock was set back, when they come again. */
import type { SlotRange } from '../model/job.ts';
import type { Cron } from './cron.ts';
import { nextSlot } from './slots.ts';

/** Ranges that are kept; more come only from as many downtimes or clock changes. */
export const RANGES_KEPT = 8;

/** The first slot strictly after `after` that was not decided. */
export function nextUndecided(cron: Cron, decided: readonly SlotRange[], after: number): number | undefined {
  let slot = nextSlot(cron, after);
  for (let range = rangeOf(decided, slot); range !== undefined; range = rangeOf(decided, slot)) {
    slot = nextSlot(cron, range.last);
  }
  return slot;
}

export function isDecided(decided: readonly SlotRange[], slot: number): boolean {
  return rangeOf(decided, slot) !== undefined;
}

/**
 * The ranges with `slot` in them, ascending. Where there would be too many, the two oldest become one: that slots
 * between them are then held to be decided can only keep a slot from firing, never fire it twice.
 */
export function withDecided(cron: Cron, decided: readonly SlotRange[], slot: number): readonly SlotRange[] {
  if (isDecided(decided, slot)) return decided;
  const before = decided.filter((range) => range.last < slot);
  const after = decided.filter((range) => range.first > slot);
  const previous = before.at(-1);
  const follows = previous !== undefined && nextSlot(cron, previous.last) === slot;
  const ranges = follows
    ? [...before.slice(0, -1), { first: previous.first, last: slot }, ...after]
    : [...before, { first: slot, last: slot }, ...after];
  const [oldest, second, ...rest] = ranges;
  if (ranges.length <= RANGES_KEPT || oldest === undefined || second === undefined) return ranges;
  return [{ first: oldest.first, last: second.last }, ...rest];
}

function rangeOf(decided: readonly SlotRange[], slot: number | undefined): SlotRange | undefined {
  if (slot === undefined) return undefined;
  return decided.find(({ first, last }) => first <= slot && slot <= last);
}
