/** When was a service started, and since when does nothing of it run? */
import { besides, type Situation } from './situation.ts';
import { type Wish, wantedOf } from './wanted.ts';

/** Milliseconds since 1970. */
export interface RunTimes {
  /** The newest start of what runs; 0 where nothing does. */
  readonly startedAt: number;
  /** Since when nothing of it runs, 0: longer than anybody knows; undefined: something does, or may. */
  readonly goneAt: number | undefined;
  /** Every place that is wanted was started then or later, whatever became of it; 0: not every one, or nobody can tell. */
  readonly renewedAt: number;
}

export type Past = Wish & Pick<Situation, 'observed' | 'memory' | 'inFlight'>;

export function runTimesOf(past: Past): RunTimes {
  const runs = past.observed.kind === 'seen' ? past.observed.runs : [];
  const startedAt = Math.max(0, ...runs.map((run) => run.startedAt));
  return { startedAt, goneAt: goneAtOf(past), renewedAt: renewedAtOf(past) };
}

function renewedAtOf(past: Past): number {
  const { observed, memory, now } = past;
  const wanted = wantedOf(past);
  if (wanted.kind !== 'run' || observed.kind === 'unseen') return 0;
  // What the run uses may have been made by the hook, long before.
  if (wanted.desired.spec.hooks.pre_start !== null) return 0;
  const newest = Array.from({ length: wanted.count }, (_, slot) => {
    const runs = observed.runs.flatMap((run) => (run.key.slot === slot ? [run.startedAt] : []));
    const ended = memory.slots[slot]?.exits.map(({ at, uptime }) => at - uptime) ?? [];
    // What was noted before the clock was set back says nothing.
    return Math.max(0, ...[...runs, ...ended].filter((at) => at <= now));
  });
  return Math.min(...newest);
}

function goneAtOf({ desired, observed, memory, inFlight }: Past): number | undefined {
  if (observed.kind === 'unseen' || observed.runs.length > 0) return undefined;
  // It goes on after the run, and nobody remembers when it ended.
  if (desired?.kind === 'defined' && desired.spec.hooks.post_stop !== null) return undefined;
  const slots = Object.values(memory.slots);
  const isPrepared = slots.some(
    ({ preStart }) => preStart !== null && inFlight.has(besides(preStart.run, 'pre_start')),
  );
  return isPrepared ? undefined : Math.max(0, ...slots.flatMap(({ exits }) => exits.map(({ at }) => at)));
}
