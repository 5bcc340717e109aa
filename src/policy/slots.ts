/**
 * When are the slots of a cron line? Where the clock on the wall is set, the rules of cron(8) (Vixie) hold: a time of
 * the day that is skipped comes at the end of the gap, one that is shown twice comes the first time only, and a line
 * for every hour simply follows the clock, so that it neither pauses nor runs twice at once. There a line with a `*` in
 * minute or hour counts as one for every hour; here only one that allows all 24 hours does, however it is written.
 */
import type { Cron } from './cron.ts';
import { firstInstantAt, furthestWall, pieces } from './time-zone.ts';

/** No slot is looked for outside of these; `Date` and the database of time zones are of little use there. */
const FIRST = Date.UTC(1900, 0, 1);
const LAST = Date.UTC(9999, 0, 1);

/** The slot that was last and the one that is next: nobody asks for others in the long run. */
const STRETCHES_KEPT = 2;

const SECOND = 1000;
const DAY = 86_400_000;

/** The first slot strictly after `after`, milliseconds since 1970; undefined when the calendar ends before it. */
export function nextSlot(cron: Cron, after: number): number | undefined {
  if (!(after < LAST)) return undefined;
  const from = Math.max(after, FIRST);
  return cron.pace === 'steady' ? nextSteady(cron, from) : nextOnClock(cron, from);
}

/** The slots after `after` and not after `until`, in order, at most `limit`. */
export function slotsBetween(cron: Cron, after: number, until: number, limit: number): readonly number[] {
  const slots: number[] = [];
  let slot = nextSlot(cron, after);
  while (slots.length < limit && slot !== undefined && slot <= until) {
    slots.push(slot);
    slot = nextSlot(cron, slot);
  }
  return slots;
}

/** The last slot after `after` and not after `until`; its cost does not grow with the number of slots between. */
export function lastSlot(cron: Cron, after: number, until: number): number | undefined {
  let found = nextSlot(cron, after);
  if (found === undefined || found > until) return undefined;
  let [early, late] = [found, until];
  while (early < late) {
    const middle = early + Math.floor((late - early) / 2);
    const slot = nextSlot(cron, middle);
    if (slot === undefined || slot > until) {
      late = middle;
    } else {
      found = slot;
      early = slot;
    }
  }
  return found;
}

/** Every time of the day once: the first instant at which the clock has come so far. */
function nextOnClock(cron: Cron, after: number): number | undefined {
  const wall = nextWall(cron, furthestWall(cron.zone, after));
  return wall === undefined ? undefined : firstInstantAt(cron.zone, wall);
}

/** Whenever the clock shows such a time. */
function nextSteady(cron: Cron, after: number): number | undefined {
  for (const { start, end, offset } of pieces(cron.zone, after)) {
    const wall = nextWall(cron, Math.max(after, start - 1) + offset);
    if (wall === undefined) return undefined;
    if (wall - offset < end) return wall - offset;
  }
  return undefined;
}

/** The first wall time after `wall` that the line names. */
function nextWall(cron: Cron, wall: number): number | undefined {
  const from = Math.floor(wall / SECOND) * SECOND;
  const known = cron.memo.find((stretch) => stretch.from <= from && from < stretch.next);
  if (known !== undefined) return known.next;
  const next = walked(cron, from);
  if (next !== undefined) cron.memo = [{ from, next }, ...cron.memo].slice(0, STRETCHES_KEPT);
  return next;
}

function walked({ calendar, weekdays }: Cron, from: number): number | undefined {
  for (let at = from; at < LAST; ) {
    calendar.reset(new Date(at));
    const next = calendar.next().getTime();
    if (weekdays === null || weekdays.includes(new Date(next).getUTCDay())) return next;
    at = (Math.floor(next / DAY) + 1) * DAY - SECOND;
  }
  return undefined;
}
