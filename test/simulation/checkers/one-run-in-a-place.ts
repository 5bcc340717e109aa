/** Do more runs ever live in one place than may? */
import type { Place } from '../../twins/machine.ts';
import { Broken, type Checker } from '../checker.ts';
import type { Simulation } from '../simulation.ts';

const PROMISE =
  'a place is filled when nothing of its last run is left, or for a new run beside one older run';

export const oneRunInAPlace: Checker = {
  promise: PROMISE,
  see(entry, simulation) {
    if (entry.what !== 'start') return;
    const { service, slot, id } = entry.run;
    const { machine, truth } = simulation;
    const others = machine
      .placesOf(service)
      .filter((place) => place.key.slot === slot && place.key.id !== id && lives(place));
    const bad = (how: string): Broken => new Broken(PROMISE, `${service}/${slot} was started ${how}`);
    if (others.length === 0) return;
    const [other] = others;
    if (!truth.rolls(service)) throw bad(`while run ${other?.key.id} lives`);
    const staying = others.filter(({ key }) => truth.runs.get(key.id)?.stopAt === undefined);
    if (staying.length > 1) throw bad(`beside ${staying.length} runs`);
    // One that is told to go may be of the same definition, where that was in force before.
    const current = (staying.length === 0 ? others : staying).find(({ key }) => truth.isCurrent(key));
    if (current !== undefined) throw bad(`beside run ${current.key.id}, as old as it`);
    // A second run of the same place that appeared just now has not been seen.
    if ([...truth.runs.values()].some(({ key, daemon }) => key.service === service && daemon === 0)) return;
    const serving = servingOf(simulation, service, id);
    const desired = truth.inForce.get(service);
    const most = truth.count(service) + (desired?.kind === 'defined' ? desired.spec.rollout.surge : 0);
    if (serving + 1 > most) throw bad(`as run ${serving + 1} of the service, ${most} are allowed`);
  },
};

function lives({ processes }: Place): boolean {
  return [...processes].some((process) => process.alive);
}

/** How many runs live and were not asked to end, but for the one that is just being started. */
function servingOf({ machine, truth }: Simulation, service: Place['key']['service'], but: string): number {
  return machine
    .placesOf(service)
    .filter(
      (place) => place.key.id !== but && lives(place) && truth.runs.get(place.key.id)?.stopAt === undefined,
    ).length;
}
