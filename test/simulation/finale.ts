/** What must be the case when the world has calmed down, whatever happened before? */
import type { ServiceName } from '../../src/model/names.ts';
import { Chance } from '../twins/random.ts';
import { calmRound } from './calm-round.ts';
import { appliesOnce } from './checkers/applies-once.ts';
import { converges } from './checkers/converges.ts';
import { leavesRunning } from './checkers/leaves-running.ts';
import { nothingLeft } from './checkers/nothing-left.ts';
import type { Simulation } from './simulation.ts';

/** Long enough for every grace, wait and replacement that a drawn file can ask for. Milliseconds. */
export const LONG = 300_000;

/** More than it takes to look at everything once. Milliseconds. */
const MOMENT = 1000;

export function finale(simulation: Simulation, seed: number): void {
  const chance = new Chance(seed, 'finale');
  heal(simulation, chance);
  outlastHolds(simulation);
  converges(simulation, LONG, false);
  appliesOnce(simulation);
  mend(simulation);
  converges(simulation, LONG, true);
  appliesOnce(simulation);
  for (let rounds = chance.between(0, 2); rounds > 0; rounds--) calmRound(simulation, chance);
  if (chance.happens(0.5)) restartDaemon(simulation);
  if (chance.happens(0.5)) removeEverything(simulation);
}

/** No faults any more; nobody edits or commands anything. There is no slow look either: a lost wake-up shows. */
function heal(simulation: Simulation, chance: Chance): void {
  simulation.note('— from here on nothing goes wrong');
  simulation.injector.arm(0, 'before');
  simulation.wakes = 'prompt';
  simulation.nextFate = { away: 1000, loses: 'nothing', clock: 0 };
  simulation.resync = null;
  healPrograms(simulation);
  restSchedules(simulation);
  simulation.blind.tree = false;
  if (chance.happens(0.3)) refuseAtFirst(simulation, chance);
  // What cannot be seen at first is to be looked at again without being told.
  simulation.machine.agenda.add(simulation.now + chance.between(0, 5000), () => simulation.seeAgain());
  if (simulation.daemon === undefined) {
    simulation.run(20_000);
    // Whoever cannot read the directory follows what an earlier daemon read, also of a file that is gone.
    restSchedules(simulation);
  }
  if (simulation.unread) simulation.reload();
  simulation.lookAtEverything();
}

/** What runs by the clock never rests: from here on it runs once a year. */
function restSchedules(simulation: Simulation): void {
  const { files } = simulation.directory;
  for (const desired of simulation.truth.inForce.values()) {
    if (desired.kind !== 'defined' || desired.spec.process.schedule === null) continue;
    simulation.directory.condition = 'there';
    simulation.unread = true;
  }
  for (const [name, file] of files) {
    const { schedule } = file.text;
    if (schedule === null && !followsSchedule(simulation, name)) continue;
    const rests = schedule === null ? null : { ...schedule, cron: '0 0 1 1 *' };
    // A service that is not there is an error of the file as well, and would leave the schedule in force.
    files.set(name, { broken: false, text: { ...file.text, dependsOn: {}, schedule: rests } });
    simulation.unread = true;
    simulation.directory.condition = 'there';
  }
}

/** A broken file leaves the schedule in force that it had before, whatever it says now. */
function followsSchedule({ truth }: Simulation, name: ServiceName): boolean {
  const desired = truth.inForce.get(name);
  if (desired !== undefined) return desired.kind === 'defined' && desired.spec.process.schedule !== null;
  // Its file cannot be seen at present: should it have an error when it can, the last good definition comes back.
  return [...truth.definitions].some(
    ([key, known]) => key.startsWith(`${name} `) && known.some(({ spec }) => spec.process.schedule !== null),
  );
}

/** The last faults: a kernel that refuses, or a full disk while a file is removed. What fails is to be tried again. */
function refuseAtFirst(simulation: Simulation, chance: Chance): void {
  if (chance.happens(0.5)) {
    simulation.stubborn = true;
    return;
  }
  simulation.files.failing = 'ENOSPC';
  const [first] = simulation.directory.files.keys();
  if (first === undefined || simulation.directory.files.size < 2) return;
  simulation.directory.files.delete(first);
  simulation.unread = true;
}

/** A hold that ends by itself sets its service free at some time, and that is no rest. */
function outlastHolds(simulation: Simulation): void {
  const ends = [...simulation.truth.intents.values()].flatMap(({ held }) => held?.until ?? []);
  simulation.run(Math.max(0, ...ends.map((until) => until - simulation.clockNow)) + 1);
}

export function healPrograms({ machine }: Simulation): void {
  machine.programs.clear();
}

/** Every file is right, every removal confirmed, nothing is held, and everything is told to start. */
function mend(simulation: Simulation): void {
  const { directory, truth } = simulation;
  directory.condition = 'there';
  for (const [name, file] of directory.files) directory.files.set(name, { ...file, broken: false });
  simulation.reload();
  simulation.prune();
  const names = new Set<ServiceName>([...truth.inForce.keys(), ...truth.intents.keys()]);
  for (const name of names) {
    if (truth.intent(name).held !== undefined) simulation.command({ verb: 'release' }, name);
  }
  // What has failed while it was left alone is judged now: only what is known to have failed is forgiven.
  simulation.run(MOMENT);
  for (const name of names) {
    const desired = truth.inForce.get(name);
    if (desired?.kind === 'defined' && !desired.spec.enabled) truth.unstarted.add(name);
    if (desired !== undefined) simulation.command({ verb: 'start' }, name);
  }
}

function restartDaemon(simulation: Simulation): void {
  const since = simulation.entries.length;
  simulation.die({ away: 700, loses: 'nothing', clock: 0 }, false);
  simulation.run(20_000);
  leavesRunning(simulation, since);
}

function removeEverything(simulation: Simulation): void {
  const { directory, truth } = simulation;
  for (const [name, intent] of truth.intents) {
    if (intent.held !== undefined) simulation.command({ verb: 'release' }, name);
  }
  directory.condition = 'there';
  directory.files.clear();
  simulation.reload();
  simulation.run(LONG);
  simulation.prune();
  simulation.run(LONG);
  nothingLeft(simulation);
}
