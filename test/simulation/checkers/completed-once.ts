/** Is a one-shot that ran to its end ever run again by itself? */
import type { ServiceName, SpecHash } from '../../../src/model/names.ts';
import { Broken, type Checker } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import { NOBODY, type RunTruth, type Truth } from '../truth.ts';

const PROMISE = 'a completed one-shot is not run twice';

/** One for each history: it remembers which definitions were to run, and from when on. */
export function completedOnce(): Checker {
  const wanted = new Map<ServiceName, { readonly hash: SpecHash; readonly since: number }[]>();
  return {
    promise: PROMISE,
    before({ truth, now, clockNow }) {
      for (const [name, desired] of truth.inForce) {
        if (desired.kind !== 'defined' || truth.count(name) === 0 || truth.isHeld(name, clockNow)) continue;
        const before = wanted.get(name) ?? [];
        if (before.at(-1)?.hash !== desired.hash)
          wanted.set(name, [...before, { hash: desired.hash, since: now }]);
      }
    },
    see(entry, simulation) {
      if (entry.what !== 'start') return;
      const { truth } = simulation;
      const { service, slot, generation, hash } = entry.run;
      const desired = truth.inForce.get(service);
      if (desired?.kind !== 'defined' || desired.spec.process.type !== 'oneshot') return;
      if (desired.spec.process.schedule !== null) return;
      const pardon = truth.intent(service).pardon ?? 0;
      // One that came beside it by a mishap does not say how the place ended.
      const last = truth.runsOf(service, slot).findLast(({ daemon }) => daemon !== NOBODY);
      if (last === undefined || last.key.hash !== hash || last.key.generation !== generation) return;
      if (last.spec.process.schedule !== null) return;
      if (last.pardon !== pardon || !last.everRan || last.unsure) return;
      // Another definition was to run meanwhile. That this one comes back with a new generation is written down later.
      if (wanted.get(service)?.some((each) => each.hash !== hash && each.since > last.startedAt)) return;
      if (isCompleted(last, truth) && !mayBeForgotten(last, simulation)) {
        throw new Broken(PROMISE, `${service}/${slot}: run ${last.key.id} had completed`);
      }
    },
  };
}

/** How it ended is known to its own daemon only; to any other one it counts as completed. */
function isCompleted(run: RunTruth, truth: Truth): boolean {
  if (run.end === undefined || truth.endedBy(run) !== 'itself') return false;
  const { outcome, seen } = run.end;
  if (outcome.kind === 'signaled' && outcome.oom) return false;
  return (outcome.kind === 'exited' && outcome.code === 0) || !seen;
}

function mayBeForgotten(run: RunTruth, { truth }: Simulation): boolean {
  const forgotten = truth.forgottenAt.get(run.key.service) ?? Number.NEGATIVE_INFINITY;
  return Math.max(truth.memoryLostAt, truth.writeFailedAt, forgotten) >= run.startedAt;
}
