/** Is an older run told to stop only when a newer one can take over, and is a bad one tried once? */
import { PROOF_OF_LIFE } from '../../../src/policy/rollout.ts';
import { Broken, type Checker } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import type { RunTruth } from '../truth.ts';

const PROMISE = 'an older run goes when its successor is ready, and a bad generation is tried once';

/** System calls take time. Milliseconds. */
const SLACK = 60;

/** One for each history: it remembers what was tried. */
export function rollsOver(): Checker {
  const tried = new Map<string, number>();
  return {
    promise: PROMISE,
    see(entry, simulation) {
      const { truth, machine, now } = simulation;
      if (entry.what === 'start' || entry.what === 'refused') {
        const { service, slot, generation } = entry.run;
        const older = machine
          .placesOf(service)
          .some(({ key }) => key.slot === slot && key.id !== entry.run.id && !truth.isCurrent(key));
        if (!older) return;
        const desired = truth.inForce.get(service);
        const digest = desired?.kind === 'defined' ? desired.digest : '';
        const pardon = truth.intent(service).pardon ?? 0;
        const attempt = `${service}/${slot} ${generation} ${digest} ${pardon}`;
        const before = tried.get(attempt);
        const lost = Math.max(truth.memoryLostAt, truth.writeFailedAt, truth.diedAt, truth.hinderedAt);
        tried.set(attempt, now);
        const lifted = truth.liftedAt.get(service) ?? Number.NEGATIVE_INFINITY;
        if (before !== undefined && lost < before && lifted < before) {
          throw new Broken(PROMISE, `generation ${generation} of ${service}/${slot} was tried again`);
        }
        return;
      }
      const isHook = entry.what === 'beside' && entry.word === 'pre_stop';
      if (entry.what !== 'signal' && entry.what !== 'kill' && entry.what !== 'stop_command' && !isHook)
        return;
      const run = truth.runs.get(entry.run.id);
      if (run === undefined || run.stopAt !== undefined || !truth.rolls(run.key.service)) return;
      const causes = truth.causes(run, false, now);
      if (causes.some((cause) => !cause.startsWith('reload_retire'))) return;
      checkSuccessor(run, simulation);
    },
  };
}

function checkSuccessor(run: RunTruth, simulation: Simulation): void {
  const { truth, machine, daemon, now } = simulation;
  const { service, slot } = run.key;
  const desired = truth.inForce.get(service);
  if (desired?.kind !== 'defined') return;
  const { min_ready, overlap, on_failure } = desired.spec.rollout;
  if (on_failure === 'replace' && truth.hasFailedToComeUp(service, now)) return;
  if (truth.mixesTypes(service, now)) return;
  const serves = machine
    .placesOf(service)
    .flatMap(({ key }) => truth.runs.get(key.id) ?? [])
    .some(
      ({ key, stopAt, startedAt }) =>
        key.slot === slot &&
        key.id !== run.key.id &&
        !truth.isCurrent(key) &&
        stopAt === undefined &&
        startedAt <= run.startedAt,
    );
  // It was on its way to replace an older one that serves on.
  if (serves) return;
  const bad = (how: string): Broken =>
    new Broken(PROMISE, `${service}/${slot}: run ${run.key.id} was told to stop ${how}`);
  const successor = machine
    .placesOf(service)
    .flatMap(({ key, processes }) => (processes.size > 0 ? (truth.runs.get(key.id) ?? []) : []))
    .find(({ key }) => key.slot === slot && key.id !== run.key.id && truth.isCurrent(key));
  // What a new daemon does not remember, and a clock that was set, cannot be seen from here.
  const lost = Math.max(truth.memoryLostAt, truth.clockForwardAt, truth.writeFailedAt);
  if (lost >= (successor?.startedAt ?? run.startedAt)) return;
  if (successor === undefined) throw bad('without a successor');
  if (successor.daemon !== daemon?.number) return;
  const age = now - successor.startedAt + SLACK;
  if (age < PROOF_OF_LIFE) throw bad(`when its successor had lived for ${age - SLACK} ms`);
  const since = truth.readySince(successor, daemon?.number);
  if (since === undefined) throw bad('when its successor was not ready');
  if (now - since + SLACK < min_ready + overlap) throw bad(`${now - since} ms after its successor was ready`);
}
