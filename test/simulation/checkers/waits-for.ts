/** Does what others rely on come first, and go last? */
import type { ServiceName } from '../../../src/model/names.ts';
import type { Dependency } from '../../../src/model/spec.ts';
import { BLOCKED_AFTER } from '../../../src/policy/stop.ts';
import { Broken, type Checker } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import { endsWithMain, type RunTruth, runsOnce } from '../truth.ts';

const PROMISE = 'what a service depends on comes before it, and goes after it';

/** Between something that happens and the daemon's hearing of it. Milliseconds. */
const HEARSAY = 1000;

/** The same where wake-ups get lost. Milliseconds. */
const SLOW_LOOK = 60_000;

/** System calls take time: a signal is decided this much before it is seen. Milliseconds. */
const SLACK = 60;

export const waitsFor: Checker = {
  promise: PROMISE,
  see(entry, simulation) {
    const { truth } = simulation;
    if (entry.what === 'told' && entry.event === 'worker_started') {
      const { reason } = entry.fields;
      if (reason === 'respawn_after_exit' || reason === 'adopted') return;
      const missing = unmetOf(
        simulation,
        entry.service as ServiceName,
        simulation.wakes === 'prompt' ? HEARSAY : SLOW_LOOK,
      );
      if (missing !== undefined) throw new Broken(PROMISE, `${entry.service} was started before ${missing}`);
    }
    const isHook = entry.what === 'beside' && entry.word === 'pre_stop';
    if (entry.what !== 'signal' && entry.what !== 'stop_command' && !isHook) return;
    const run = truth.runs.get(entry.run.id);
    if (run === undefined || run.stopAt !== undefined || truth.ending?.hurry === true) return;
    // It is over by itself: what is left of it is cleared away at once, for it serves nobody any more.
    if (run.end !== undefined && endsWithMain(run.spec, run.end.outcome)) return;
    checkStop(entry.run.service, simulation);
  },
};

/** The first thing that is not as the service needs it; undefined: everything is. @param ago it is so for that long */
export function unmetOf(simulation: Simulation, service: ServiceName, ago = 0): string | undefined {
  const { truth, now } = simulation;
  const desired = truth.inForce.get(service);
  if (desired?.kind !== 'defined' || truth.hinderedAt >= now - ago) return undefined;
  const isAlive = ({ end, everRan }: RunTruth): boolean =>
    end === undefined || (everRan && now - end.at < ago);
  for (const [other, condition] of dependenciesOf(simulation, service)) {
    // Whether what is held counts as complete depends on when it was held.
    const isUnclear =
      truth.isHeld(other, simulation.clockNow) || truth.inForce.get(other)?.kind !== 'defined';
    if (isUnclear && ago === 0) return `${other} is clear`;
    if (ago === 0 && isInDoubt(simulation, other)) return `${other} is known to have ended well`;
    // One that ran to its end may be remembered by its daemon, and may not.
    const hasEnded = [...truth.runs.values()].some(
      ({ key, end }) => key.service === other && end !== undefined,
    );
    if (ago > 0 && (isUnclear || (hasEnded && condition !== 'ready'))) continue;
    if (truth.unmet(other, condition, (run) => isAlive(run) || lives(simulation, run)))
      return `${other} is ${condition}`;
  }
  return undefined;
}

/**
 * Why the runs of a service are not replaced at rest; undefined: they are. What it depends on takes its own new
 * definition first, but nobody waits for one that cannot come.
 */
export function heldBack(simulation: Simulation, service: ServiceName): string | undefined {
  return unmetOf(simulation, service) ?? replacedFirst(simulation, service);
}

/** A service that it depends on has not taken its own new definition yet, and still may. */
function replacedFirst(simulation: Simulation, service: ServiceName): string | undefined {
  const { truth } = simulation;
  const other = dependenciesOf(simulation, service).find(
    ([name]) =>
      [...truth.runs.values()].some(
        (run) => run.key.service === name && !truth.isCurrent(run.key) && lives(simulation, run),
      ) && mayCome(simulation, name),
  );
  return other && `${other[0]} is replaced`;
}

/** Everything that it waits for may be there at any time: what runs may complete. */
function mayCome(simulation: Simulation, service: ServiceName): boolean {
  const { truth } = simulation;
  const living = (run: RunTruth): boolean => lives(simulation, run);
  const missing = dependenciesOf(simulation, service).filter(
    ([other, condition]) => truth.isHeld(other, simulation.clockNow) || truth.unmet(other, condition, living),
  );
  if (missing.length === 0) return replacedFirst(simulation, service) !== undefined;
  return missing.every(([other, condition]) =>
    [...truth.runs.values()].some((run) => run.key.service === other && living(run))
      ? condition === 'completed'
      : mayCome(simulation, other),
  );
}

function dependenciesOf({ truth }: Simulation, service: ServiceName): [ServiceName, Dependency][] {
  const desired = truth.inForce.get(service);
  return desired?.kind === 'defined'
    ? (Object.entries(desired.spec.depends_on) as [ServiceName, Dependency][])
    : [];
}

/** It was to run once, and how it ended was lost with the daemon that saw it, or nobody saw it. */
function isInDoubt({ truth, daemon }: Simulation, name: ServiceName): boolean {
  const desired = truth.inForce.get(name);
  if (desired?.kind !== 'defined' || !runsOnce(desired.spec)) return false;
  return daemon?.loop.decision(name)?.slots.some(({ phase }) => phase === 'failed') ?? false;
}

function lives({ machine }: Simulation, { key }: RunTruth): boolean {
  return (machine.place(key)?.processes.size ?? 0) > 0;
}

/** Nobody waits for what survives SIGKILL. How long it does is told by the clock, which may be set forward meanwhile. */
function survives({ now, truth }: Simulation, { stopAt, killedFrom }: RunTruth): boolean {
  if (stopAt === undefined || killedFrom === undefined) return false;
  return truth.clockForwardAt >= stopAt || now - killedFrom + SLACK >= BLOCKED_AFTER;
}

function checkStop(service: ServiceName, simulation: Simulation): void {
  const { truth, clockNow } = simulation;
  for (const [other, desired] of truth.inForce) {
    if (desired.kind !== 'defined' || desired.spec.depends_on[service] === undefined) continue;
    const isUnwanted = truth.ending !== undefined || (truth.count(other) === 0 && isDown(truth, other));
    if (!isUnwanted || (truth.ending === undefined && truth.isHeld(other, clockNow))) continue;
    const left = [...truth.runs.values()].find(
      (run) =>
        run.key.service === other &&
        run.end === undefined &&
        lives(simulation, run) &&
        !survives(simulation, run),
    );
    if (left !== undefined)
      throw new Broken(PROMISE, `${service} is stopped before ${other}, which needs it`);
  }
}

function isDown(truth: Simulation['truth'], name: ServiceName): boolean {
  const desired = truth.inForce.get(name);
  return desired?.kind === 'defined' && !desired.spec.enabled && truth.intent(name).held === undefined;
}
