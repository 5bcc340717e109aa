/** When was a service started, and since when does nothing of it run? */
import { besides, type Situation } from './situation.ts';

/** Milliseconds since 1970. */
export interface RunTimes {
  /** The newest start of what runs; 0 where nothing does. */
  readonly startedAt: number;
  /** Since when nothing of it runs, 0: longer than anybody knows; undefined: something does, or may. */
  readonly goneAt: number | undefined;
}

export type Past = Pick<Situation, 'desired' | 'observed' | 'memory' | 'inFlight'>;

export function runTimesOf(past: Past): RunTimes {
  const runs = past.observed.kind === 'seen' ? past.observed.runs : [];
  const startedAt = Math.max(0, ...runs.map((run) => run.startedAt));
  return { startedAt, goneAt: goneAtOf(past) };
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
