/** One update, restart or bad release in calm times: does it do what it says, and no more? */
import type { ServiceName } from '../../src/model/names.ts';
import { GOOD } from '../twins/program.ts';
import type { Chance } from '../twins/random.ts';
import { Broken } from './checker.ts';
import { converges } from './checkers/converges.ts';
import { oneAtATime } from './checkers/one-at-a-time.ts';
import { planIsKept } from './checkers/plan-is-kept.ts';
import { restartsOnce } from './checkers/restarts-once.ts';
import { doneTo, since } from './checkers/round.ts';
import { heldBack } from './checkers/waits-for.ts';
import { drawEdit } from './draw.ts';
import { healPrograms, LONG } from './finale.ts';
import { consistent, programOf } from './service-file.ts';
import type { Simulation } from './simulation.ts';

export function calmRound(simulation: Simulation, chance: Chance): void {
  const names = [...simulation.directory.files.keys()];
  const [first, ...others] = names;
  if (first === undefined) return;
  const service = chance.pick([first, ...others]);
  const kind = chance.weighed({ update: 5, restart: 2, bad: 2 });
  if (kind === 'update') update(simulation, chance, names);
  else if (kind === 'restart') restart(simulation, service);
  else badVersion(simulation, service, chance.pick([0, 0, 1, 2]));
}

function update(simulation: Simulation, chance: Chance, names: readonly ServiceName[]): void {
  const { directory, daemon, truth } = simulation;
  if (daemon === undefined) return;
  simulation.note('— an update in calm times');
  const [first] = names;
  if (first !== undefined && chance.happens(0.2)) simulation.command({ verb: 'hold' }, first);
  const before = new Map(names.map((name) => [name, truth.count(name)]));
  for (const name of names) {
    const file = directory.files.get(name);
    if (file === undefined || chance.happens(0.4)) continue;
    const kind = chance.weighed({ remove: 1, break: 1, edit: 8 });
    if (kind === 'remove') directory.files.delete(name);
    else if (kind === 'break') directory.files.set(name, { ...file, broken: true });
    else
      directory.files.set(name, { text: consistent({ ...file.text, ...drawEdit(chance) }), broken: false });
  }
  healPrograms(simulation);
  const plan = daemon.loop.plan(daemon.loop.peek());
  const from = since(simulation);
  simulation.reload();
  converges(simulation, LONG, true);
  planIsKept(simulation, plan, from);
  for (const name of names) {
    restartsOnce(simulation, name, from);
    const wanted = truth.count(name);
    const steady =
      wanted === before.get(name) &&
      wanted === doneTo(simulation, name, from).before &&
      truth.inForce.get(name)?.kind === 'defined';
    if (steady && isService(simulation, name)) oneAtATime(simulation, name, from, wanted);
  }
  if (first !== undefined && truth.intent(first).held !== undefined)
    simulation.command({ verb: 'release' }, first);
  converges(simulation, LONG, true);
}

function restart(simulation: Simulation, service: ServiceName): void {
  if (!isService(simulation, service) || simulation.truth.count(service) === 0) return;
  if (heldBack(simulation, service) !== undefined) return;
  const from = since(simulation);
  simulation.command({ verb: 'restart' }, service);
  converges(simulation, LONG, true);
  restartsOnce(simulation, service, from);
  const wanted = simulation.truth.count(service);
  oneAtATime(simulation, service, from, wanted);
  const { started } = doneTo(simulation, service, from);
  if (started.length !== wanted) {
    throw new Broken('a restart restarts every instance', `${started.length} of ${wanted} were started`);
  }
}

/**
 * A version that dies at once: the instances of the good one serve on, and the next good version mends it.
 * @param more places that it adds: they stay empty
 */
function badVersion(simulation: Simulation, service: ServiceName, more: number): void {
  const { directory, machine, truth } = simulation;
  const file = directory.files.get(service);
  const wanted = truth.count(service);
  if (file === undefined || wanted === 0 || !isService(simulation, service)) return;
  if (heldBack(simulation, service) !== undefined) return;
  simulation.note('— a version that dies at once');
  const bad = { ...file.text, version: 90, instances: more === 0 ? file.text.instances : wanted + more };
  machine.programs.set(programOf(bad), { ...GOOD, ends: { how: 'exit', code: 1, after: 50 } });
  directory.files.set(service, { ...file, text: bad });
  const from = since(simulation);
  simulation.reload();
  simulation.run(LONG);
  oneAtATime(simulation, service, from, wanted);
  nothingAdded(simulation, service, wanted);
  directory.files.set(service, { ...file, text: { ...bad, version: 5 } });
  simulation.reload();
  converges(simulation, LONG, true);
  oneAtATime(simulation, service, from, wanted);
}

function nothingAdded(simulation: Simulation, service: ServiceName, wanted: number): void {
  const { truth, machine } = simulation;
  const desired = truth.inForce.get(service);
  if (desired?.kind !== 'defined' || desired.spec.rollout.on_failure === 'replace') return;
  const added = machine.placesOf(service).find(({ key }) => key.slot >= wanted);
  if (added === undefined) return;
  throw new Broken('a rejected version leaves nothing', `it goes on in ${service}/${added.key.slot}`);
}

function isService({ truth, directory }: Simulation, name: ServiceName): boolean {
  const desired = truth.inForce.get(name);
  const text = directory.files.get(name)?.text;
  if (desired?.kind !== 'defined' || desired.spec.process.schedule !== null) return false;
  return desired.spec.process.type === 'service' && text?.type === 'service';
}
