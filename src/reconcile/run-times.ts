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
  /** A hook comes before each start, and may have used files as they were long before. */
  readonly isPrepared: boolean;
}

export type Past = Wish & Pick<Situation, 'observed' | 'memory' | 'inFlight'>;

export function runTimesOf(past: Past): RunTimes {
  const { observed, desired } = past;
  const runs = observed.kind === 'seen' ? observed.runs : [];
  const hooks = desired?.kind === 'defined' ? desired.spec.hooks : undefined;
  return {
    startedAt: Math.max(0, ...runs.map((run) => run.startedAt)),
    goneAt: goneAtOf(past, hooks?.post_stop?.timeout ?? 0),
    renewedAt: renewedAtOf(past),
    isPrepared: (hooks?.pre_start ?? null) !== null,
  };
}

/** @param after milliseconds that a hook may take after each run; nobody remembers how long it took */
function goneAtOf({ observed, memory, inFlight }: Past, after: number): number | undefined {
  if (observed.kind === 'unseen' || observed.runs.length > 0) return undefined;
  const slots = Object.values(memory.slots);
  const exits = slots.flatMap((slot) => slot.exits);
  const hooks = [
    ...slots.flatMap(({ preStart }) => (preStart === null ? [] : [besides(preStart.run, 'pre_start')])),
    ...exits.flatMap(({ run }) => (run === null ? [] : [besides(run, 'post_stop')])),
  ];
  if (hooks.some((hook) => inFlight.has(hook))) return undefined;
  return Math.max(0, ...exits.map(({ at }) => at + after));
}

function renewedAtOf(past: Past): number {
  const { observed, memory, now } = past;
  const wanted = wantedOf(past);
  const count = wanted.kind === 'run' ? wanted.count : 0;
  if (observed.kind === 'unseen') return 0;
  const newest = Array.from({ length: count }, (_, slot) => {
    const runs = observed.runs.flatMap((run) => (run.key.slot === slot ? [run.startedAt] : []));
    const ended = memory.slots[slot]?.exits.map(({ at, uptime }) => at - uptime) ?? [];
    // What was noted before the clock was set back says nothing.
    return Math.max(0, ...[...runs, ...ended].filter((at) => at <= now));
  });
  return Math.min(now, ...newest);
}
