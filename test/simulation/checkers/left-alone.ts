/** Is a service left alone that is held, whose file is broken, or whose removal nobody has approved? */
import type { ServiceName } from '../../../src/model/names.ts';
import { Broken, type Checker } from '../checker.ts';
import type { Simulation } from '../simulation.ts';

const PROMISE = 'a held, broken or guarded service is left alone';

export const leftAlone: Checker = {
  promise: PROMISE,
  see(entry, simulation) {
    switch (entry.what) {
      case 'start':
      case 'signal':
      case 'kill':
      case 'stop_command': {
        const why = whyLeave(entry.run.service, simulation);
        if (why !== undefined)
          throw new Broken(PROMISE, `${entry.what} to ${entry.run.service}, which is ${why}`);
        return;
      }
      case 'limit': {
        const why = whyLeave(entry.service, simulation);
        if (why !== undefined) throw new Broken(PROMISE, `limits of ${entry.service}, which is ${why}`);
        return;
      }
      default:
    }
  },
};

/** Why nobody may touch the service now; undefined: it is not to be left alone. */
export function whyLeave(service: ServiceName, { truth, clockNow }: Simulation): string | undefined {
  if (truth.ending !== undefined) return undefined;
  if (truth.isHeld(service, clockNow)) return 'held';
  if (truth.isGuarded(service)) return 'guarded';
  const isBroken = truth.inForce.get(service)?.kind === 'broken';
  return isBroken && truth.intent(service).stopped === undefined ? 'broken' : undefined;
}
