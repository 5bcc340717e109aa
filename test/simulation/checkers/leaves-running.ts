/** Does a daemon that is killed and started again touch anything that runs? */
import type { ServiceName } from '../../../src/model/names.ts';
import { Broken } from '../checker.ts';
import type { Simulation } from '../simulation.ts';

const PROMISE = 'services keep running while daemons come and go';

/**
 * To be asked at rest.
 * @param since index of the first entry after the daemon was killed
 * @param waiting services that were not at rest: they waited for others, of which a new daemon may judge otherwise
 */
export function leavesRunning(
  { entries }: Simulation,
  since: number,
  waiting: ReadonlySet<ServiceName>,
): void {
  for (const entry of entries.slice(since)) {
    if ('run' in entry && waiting.has(entry.run.service)) continue;
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
