/** Does a daemon that is killed and started again touch anything that runs? */
import type { ServiceName } from '../../../src/model/names.ts';
import { Broken } from '../checker.ts';
import type { Simulation } from '../simulation.ts';

const PROMISE = 'services keep running while daemons come and go';

/**
 * To be asked at rest.
 * @param since index of the first entry after the daemon was killed
 */
export function leavesRunning(simulation: Simulation, since: number): void {
  for (const entry of simulation.entries.slice(since)) {
    if (entry.what === 'start' && reliesOnUnknown(simulation, entry.run.service)) continue;
    if (
      entry.what === 'start' ||
      entry.what === 'signal' ||
      entry.what === 'kill' ||
      entry.what === 'stop_command'
    ) {
      throw new Broken(
        PROMISE,
        `${entry.what} to ${entry.run.service}/${entry.run.slot} by a new daemon at rest`,
      );
    }
  }
}

/**
 * What it depends on has a broken file, of which this daemon knows no good version: that it was disabled there, or asked
 * for in another number, is forgotten, and what it had done before is enough again.
 */
function reliesOnUnknown(
  simulation: Simulation,
  name: ServiceName,
  seen: ReadonlySet<ServiceName> = new Set([name]),
): boolean {
  const desired = simulation.truth.inForce.get(name);
  if (desired?.kind !== 'defined') return false;
  return (Object.keys(desired.spec.depends_on) as ServiceName[])
    .filter((other) => !seen.has(other))
    .some((other) => {
      const isUnknown = simulation.truth.inForce.get(other)?.kind === 'broken';
      return isUnknown || reliesOnUnknown(simulation, other, new Set([...seen, other]));
    });
}
