/** Is nothing restarted faster, or more often, than its policy allows? */
import type { RunKey } from '../../../src/model/names.ts';
import type { RestartPolicy } from '../../../src/model/spec.ts';
import { Broken, type Checker } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import { isFailure, NOBODY } from '../truth.ts';

const PROMISE = 'an instance is restarted at the pace of its policy, and given up after max_restarts';

/** Between an end and the daemon's hearing of it. Milliseconds. */
const SLACK = 500;

/** One attempt at running, in the time of the machine. */
interface Attempt {
  readonly from: number;
  readonly to: number;
  readonly how: 'success' | 'crash' | 'stopped';
}

export const pace: Checker = {
  promise: PROMISE,
  see(entry, simulation) {
    if (entry.what !== 'start' && entry.what !== 'refused') return;
    const { truth, now } = simulation;
    const { service, slot } = entry.run;
    const desired = truth.inForce.get(service);
    if (desired?.kind !== 'defined' || desired.spec.process.schedule !== null) return;
    const attempts = attemptsOf(simulation, entry.run);
    const last = attempts.at(-1);
    if (last === undefined || last.how === 'stopped') return;
    // What came beside it by a mishap, and ended later, is what the place has ended with: nobody can tell how.
    if (truth.runsOf(service, slot).some((run) => run.daemon === NOBODY && (run.end?.at ?? 0) > last.to))
      return;
    const { restart_policy: policy } = desired.spec;
    const bad = (how: string): Broken => new Broken(PROMISE, `${service}/${slot} was started ${how}`);
    if (policy.policy === 'never') throw bad('again although its policy is never');
    if (
      last.how === 'success' &&
      (policy.policy === 'on_failure' || desired.spec.process.type === 'oneshot')
    ) {
      throw bad('again although it had completed');
    }
    const wait = leastWait(attempts, policy);
    if (now - last.to < wait) throw bad(`after ${now - last.to} ms, its back-off is at least ${wait} ms`);
    const why = overTolerance(attempts, policy, now);
    if (why !== undefined) throw bad(why);
  },
};

/**
 * Oldest first: those that the present daemon knows all about, since waits were last lifted. How a run of an older
 * generation ended says nothing about the new one.
 */
function attemptsOf(
  { truth, daemon }: Simulation,
  { service, slot, generation }: RunKey,
): readonly Attempt[] {
  const since = truth.liftedAt.get(service) ?? Number.NEGATIVE_INFINITY;
  const counts = (key: RunKey, by: number, at: number): boolean =>
    key.service === service &&
    key.slot === slot &&
    key.generation === generation &&
    by === daemon?.number &&
    at > since;
  const attempts: Attempt[] = [];
  for (const run of truth.runs.values()) {
    if (run.end === undefined || !counts(run.key, run.daemon, run.end.at)) continue;
    const how = run.unfit
      ? 'crash'
      : truth.endedBy(run) !== 'itself'
        ? 'stopped'
        : isFailure(run.end.outcome)
          ? 'crash'
          : 'success';
    attempts.push({ from: run.startedAt, to: run.end.at, how });
  }
  for (const { key, daemon: by, at } of truth.refusals) {
    if (counts(key, by, at)) attempts.push({ from: at, to: at, how: 'crash' });
  }
  return attempts.sort((a, b) => a.to - b.to);
}

/** The wait doubles with each attempt in a row that was not stable; one that was given up is not followed by it. */
function leastWait(attempts: readonly Attempt[], policy: RestartPolicy): number {
  let inARow = 0;
  let recent: number[] = [];
  for (const { from, to, how } of attempts) {
    recent = recent.filter((at) => to - at < policy.tolerance.duration + SLACK);
    if (how === 'crash') recent.push(to);
    const mayBeGivenUp = how === 'crash' && recent.length > policy.tolerance.max_restarts;
    if (how === 'stopped' || to - from + SLACK >= policy.stable_after) inARow = 0;
    else if (!mayBeGivenUp) inARow += 1;
  }
  const last = attempts.at(-1);
  const givenUp = last?.how === 'crash' && recent.length > policy.tolerance.max_restarts;
  if (givenUp && policy.tolerance.retry_after !== null) return 0;
  const ceiling = Math.max(policy.restart_backoff, policy.max_backoff);
  return Math.min(policy.restart_backoff * 2 ** Math.max(0, inARow - 1), ceiling);
}

function overTolerance(attempts: readonly Attempt[], policy: RestartPolicy, now: number): string | undefined {
  const crashes = attempts.filter(({ how }) => how === 'crash');
  const last = crashes.at(-1);
  if (last === undefined) return undefined;
  const { max_restarts, duration, retry_after } = policy.tolerance;
  const recent = crashes.filter(({ to }) => last.to - to < duration - SLACK).length;
  if (recent <= max_restarts) return undefined;
  if (retry_after !== null && now - last.to >= retry_after) return undefined;
  return `after ${recent} crashes within ${duration} ms, ${max_restarts} are tolerated`;
}
