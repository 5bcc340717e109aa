/** Does a daemon that is killed and started again touch anything that runs? */
import { Broken } from '../checker.ts';
import type { Simulation } from '../simulation.ts';

const PROMISE = 'services keep running while daemons come and go';

/**
 * To be asked at rest.
 * @param since index of the first entry after the daemon was killed
 */
export function leavesRunning({ entries }: Simulation, since: number): void {
  for (const entry of entries.slice(since)) {
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
