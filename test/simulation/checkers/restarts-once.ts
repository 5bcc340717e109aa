/** Is each instance restarted at most once by one update or restart? */
import type { ServiceName } from '../../../src/model/names.ts';
import { Broken } from '../checker.ts';
import type { Simulation } from '../simulation.ts';
import { doneTo, type Since } from './round.ts';

const PROMISE = 'one update or restart starts each instance at most once';

export function restartsOnce(simulation: Simulation, service: ServiceName, since: Since): void {
  const { started, stopped } = doneTo(simulation, service, since);
  for (const [what, slots] of [
    ['started', started],
    ['stopped', stopped],
  ] as const) {
    const twice = slots.find((slot, index) => slots.indexOf(slot) !== index);
    if (twice !== undefined) throw new Broken(PROMISE, `${service}/${twice} was ${what} more than once`);
  }
}
