/** Has the world become what is wanted? */
import type { ServiceName } from '../../../src/model/names.ts';
import type { Defined } from '../../../src/model/spec.ts';
import type { Place } from '../../twins/machine.ts';
import { Broken } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import { isFailure, NOBODY, type RunTruth, runsOnce } from '../truth.ts';
import { placesOfOlder } from './rolls-over.ts';
import { heldBack, unmetOf } from './waits-for.ts';

const PROMISE = 'what runs becomes what is wanted, and stays so';

/**
 * @param duration how long it may take; milliseconds
 * @param strictly nothing has a right to be failed or to wait for another instance
 */
export function converges(simulation: Simulation, duration: number, strictly: boolean): void {
  const until = simulation.now + duration;
  for (;;) {
    simulation.run(Math.min(SLICE, Math.max(0, until - simulation.now)));
    const late = simulation.now >= until;
    const missing = unmet(simulation, strictly);
    if (missing !== undefined && late) throw new Broken(PROMISE, `after ${duration / 1000} s ${missing}`);
    if (missing !== undefined) continue;
    const calls = simulation.injector.calls;
    simulation.run(90_000);
    const restless = simulation.injector.calls - calls;
    if (restless === 0 && unmet(simulation, strictly) === undefined) return;
    if (late) throw new Broken(PROMISE, `${restless} things are still done although nothing is to be done`);
  }
}

/** Who is at rest sooner need not be watched for as long as it may take. Milliseconds. */
const SLICE = 30_000;

/** The first thing that is not as it should be, in words. */
export function unmet(simulation: Simulation, strictly: boolean): string | undefined {
  const { truth, machine } = simulation;
  const names = new Set([...truth.inForce.keys(), ...machine.services]);
  for (const name of names) {
    if (truth.isHeld(name, simulation.clockNow) || truth.isGuarded(name)) continue;
    const desired = truth.inForce.get(name);
    if (desired?.kind === 'broken' && truth.intent(name).stopped === undefined) continue;
    if (desired === undefined && !strictly && isUnapproved(simulation, name)) {
      if (simulation.daemon?.loop.removals.held.includes(name)) continue;
      return `${name} has no file, and is neither removed nor held back`;
    }
    const missing =
      desired?.kind === 'defined' && truth.count(name) > 0
        ? unmetRunning(simulation, desired, strictly)
        : unmetGone(simulation, name, desired === undefined && truth.mayGo.has(name));
    if (missing !== undefined) return missing;
  }
  return undefined;
}

/** A removal that could not be judged or written down when it was read is judged again with the next reading. */
function isUnapproved({ daemon }: Simulation, name: ServiceName): boolean {
  return daemon?.store.intent(name).removalApproved !== true;
}

function unmetGone(
  { machine, daemon }: Simulation,
  name: ServiceName,
  forgotten: boolean,
): string | undefined {
  const [place] = machine.placesOf(name);
  if (place !== undefined) return `run ${place.key.id} of ${name} is still there`;
  if (!forgotten) return undefined;
  if (machine.services.has(name)) return `the place of ${name} is still there`;
  return daemon?.store.names().includes(name) ? `${name} is still remembered` : undefined;
}

function unmetRunning(simulation: Simulation, desired: Defined, strictly: boolean): string | undefined {
  const { truth, machine } = simulation;
  const { name } = desired;
  const count = truth.count(name);
  const bySlot = new Map<number, Place>();
  for (const place of machine.placesOf(name)) {
    const { slot } = place.key;
    if (slot >= count) return `${name}/${slot} is there, ${count} are wanted`;
    if (bySlot.has(slot)) return `two runs are in ${name}/${slot}`;
    bySlot.set(slot, place);
  }
  let stalled = false;
  for (let slot = 0; slot < count; slot++) {
    const place = bySlot.get(slot);
    if (place !== undefined) continue;
    const over = rightlyOver(simulation, desired, slot, strictly);
    if (over === 'no') return `${name}/${slot} does not run${phaseText(simulation, name, slot)}`;
    if (over === 'failed') stalled = true;
  }
  for (const [slot, place] of bySlot) {
    const why = wrongRun(simulation, desired, place);
    if (why === 'outdated' && desired.spec.process.schedule !== null) continue;
    if (why === 'outdated' && heldBack(simulation, name) !== undefined) continue;
    if (why === 'outdated' && (stalled || (!strictly && isRejected(simulation, name, slot)))) continue;
    if (why !== undefined) return `${name}/${slot}: run ${place.key.id} is ${why}`;
  }
  return undefined;
}

/** The newer generation has really failed, and the daemon says so. */
function isRejected({ daemon, truth, now }: Simulation, name: ServiceName, slot: number): boolean {
  const phase = daemon?.loop.decision(name)?.slots.find((each) => each.slot === slot);
  return phase?.phase === 'running' && phase.rejected !== null && truth.hasFailedToComeUp(name, now);
}

function isWithheld(simulation: Simulation, { name }: Defined, slot: number): boolean {
  const { truth, now } = simulation;
  const places = placesOfOlder(name, simulation, 'least');
  return places !== undefined && slot >= places && truth.hasFailedToComeUp(name, now);
}

function wrongRun(
  { truth, daemon }: Simulation,
  desired: Defined,
  { key, processes }: Place,
): string | undefined {
  if (![...processes].some((process) => process.alive)) return 'dead and not cleaned up';
  const run = truth.runs.get(key.id);
  const { exit_on } = desired.spec.process;
  if (run?.end !== undefined && key.hash === desired.hash) {
    const own = run.daemon === daemon?.number;
    const known = own || daemon?.store.memory(key.service).runs[key.id]?.main != null;
    if (exit_on === 'main' && known) return 'over, but processes of it are left';
    // Any other daemon than its own cannot know that it failed.
    if (exit_on === 'auto' && own && isFailure(run.end.outcome))
      return 'over by a failure, but not cleared away';
  }
  const current =
    key.hash === desired.hash && key.generation >= (truth.intent(key.service).minGeneration ?? 0);
  return current ? undefined : 'outdated';
}

/** Does the daemon say that the instance is over, and does what really happened bear it out? */
function rightlyOver(
  simulation: Simulation,
  desired: Defined,
  slot: number,
  strictly: boolean,
): 'completed' | 'failed' | 'no' {
  const { type } = desired.spec.process;
  const { policy } = desired.spec.restart_policy;
  const phase = simulation.daemon?.loop
    .decision(desired.name)
    ?.slots.find((each) => each.slot === slot)?.phase;
  if (phase === 'completed') {
    const toldToStart = strictly && !simulation.truth.unstarted.has(desired.name);
    const mayEnd = type === 'oneshot' || (!toldToStart && policy !== 'always');
    return mayEnd && mayHaveEndedWell(simulation, desired, slot) ? 'completed' : 'no';
  }
  // Nobody knows how it ended: then it is not complete, and not run again.
  const isInDoubt = phase === 'failed' && runsOnce(desired.spec);
  if (isInDoubt && mayHaveEndedWell(simulation, desired, slot)) return 'failed';
  // It came with a definition that was rejected.
  if (phase === 'stopped') return !strictly && isWithheld(simulation, desired, slot) ? 'failed' : 'no';
  if (phase === 'waiting') return unmetOf(simulation, desired.name) === undefined ? 'no' : 'failed';
  if (desired.spec.process.schedule !== null) return phase === 'scheduled' ? 'completed' : 'no';
  return phase === 'failed' && !strictly && hasFailed(simulation, desired, slot) ? 'failed' : 'no';
}

/** Or nobody can know. */
function mayHaveEndedWell(simulation: Simulation, desired: Defined, slot: number): boolean {
  // Of two runs in one place the older one may have gone on for longer.
  const runs = simulation.truth.runsOf(desired.name, slot);
  // Where a service was forgotten, generations count from 1 again.
  const newest = runs.findLast(({ daemon }) => daemon !== NOBODY)?.key.generation;
  const byEnd = runs.filter(({ key }) => key.generation === newest).sort((a, b) => endTime(a) - endTime(b));
  const isWay = (run: RunTruth): boolean => runs.some((other) => gaveWay(run, other));
  const standing = byEnd.filter((run) => !isWay(run));
  // Whether it gave way is lost with what was noted of its stop.
  const unsure = byEnd.filter((run) => !isWay(run) || stopMayBeForgotten(simulation, run));
  return mayHaveEndedWellIn(standing, simulation) || mayHaveEndedWellIn(unsure, simulation);
}

/** @param byEnd runs of one place that may have told how it ended */
function mayHaveEndedWellIn(byEnd: readonly RunTruth[], simulation: Simulation): boolean {
  const { truth, entries } = simulation;
  // What came by a mishap, and was stopped, takes nothing back: a place that had completed before remains so.
  const wasStopped = (run: RunTruth): boolean =>
    truth.endedBy(run) === 'stop' && !stopMayBeForgotten(simulation, run);
  const last = byEnd.findLast((run) => run.daemon !== NOBODY || !wasStopped(run));
  // Who died on the way into its place has done nothing.
  if (last?.end === undefined || !last.everRan || wasStopped(last)) return false;
  const { outcome, seen } = last.end;
  if (!isFailure(outcome) || !seen) return true;
  // The daemon that knew how it ended was gone before it could write that down.
  const over = overAt(last, simulation);
  return entries.some(
    (entry) => entry.what === 'note' && entry.daemon > last.daemon && entry.at - over < 120_000,
  );
}

/** When its end could be written down first: with `exit_on: empty` that is when nothing of it lives any more. */
function overAt(run: RunTruth, { truth, entries }: Simulation): number {
  const specs = [run.spec, ...truth.settingsOf(run).specs];
  const lasts = specs.some(({ process }) => process.exit_on === 'empty');
  const exits = entries.filter((entry) => entry.what === 'exit' && entry.run.id === run.key.id);
  return (lasts ? exits.at(-1)?.at : undefined) ?? endTime(run);
}

/** Of two runs in one place the newer one goes on, and says how the place ended; the other one was stopped for it. */
function gaveWay({ key, startedAt, stopAt }: RunTruth, other: RunTruth): boolean {
  if (stopAt === undefined || other.key.id <= key.id || other.key.generation !== key.generation) return false;
  // For who died on the way into the place nobody made room.
  if (!other.everRan) return false;
  // Where the clock was set back, one that was over before has the later id.
  if (endTime(other) <= startedAt) return false;
  return other.startedAt <= stopAt && stopAt <= (other.end?.at ?? stopAt) + HEARSAY;
}

/** Between an end and the daemon's hearing of it. Milliseconds. */
const HEARSAY = 500;

function endTime({ end }: RunTruth): number {
  return end?.at ?? Number.MAX_VALUE;
}

/** That a one-shot is being stopped is written down before; of other services a daemon may die before it is. */
function stopMayBeForgotten(
  { truth, daemon }: Simulation,
  { stopAt, spec, startedAt, end, unsure, daemon: by }: RunTruth,
): boolean {
  // A stop that another daemon began counts for as long as its grace lasts.
  const late = (end?.at ?? 0) - (stopAt ?? 0) > spec.process.stop_grace;
  if (truth.memoryLostAt >= (stopAt ?? 0) || truth.writeFailedAt >= startedAt) return true;
  if (late || unsure) return true;
  const oneShot = spec.process.type === 'oneshot' || spec.restart_policy.policy === 'never';
  return !oneShot && by !== daemon?.number;
}

function hasFailed({ truth }: Simulation, desired: Defined, slot: number): boolean {
  const { policy, tolerance } = desired.spec.restart_policy;
  const runs = truth.runsOf(desired.name, slot);
  if (truth.unprepared.has(desired.name)) return true;
  const crashes = [
    ...runs.flatMap(({ end, unfit }) =>
      end !== undefined && (unfit || isFailure(end.outcome)) ? [end.at] : [],
    ),
    ...truth.refusals.flatMap(({ key, at }) =>
      key.service === desired.name && key.slot === slot ? [at] : [],
    ),
  ].sort((a, b) => a - b);
  if (policy === 'never') return crashes.length > 0;
  const decisive = crashes.slice(-tolerance.max_restarts - 1);
  const span = (decisive.at(-1) ?? 0) - (decisive[0] ?? 0);
  return decisive.length > tolerance.max_restarts && span < tolerance.duration + 30_000;
}

function phaseText({ daemon }: Simulation, name: ServiceName, slot: number): string {
  const phase = daemon?.loop.decision(name)?.slots.find((each) => each.slot === slot);
  return phase === undefined ? '' : ` (${phase.phase})`;
}
