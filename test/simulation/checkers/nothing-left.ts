/** Is anything left of services that were removed? */
import { Store } from '../../../src/daemon/store.ts';
import { Broken } from '../checker.ts';
import { STATE_DIRECTORY } from '../daemon.ts';
import type { Simulation } from '../simulation.ts';

const PROMISE = 'nothing is left of a service that was removed';

/** To be asked when every service was removed and time has passed. */
export function nothingLeft({ machine, daemon, files }: Simulation): void {
  const [place] = machine.places.values();
  if (place !== undefined) throw new Broken(PROMISE, `run ${place.key.id} of ${place.key.service} is there`);
  const alive = [...machine.processes.values()].find((process) => process.role !== 'foreign');
  if (alive !== undefined) throw new Broken(PROMISE, `pid ${alive.pid} lives`);
  if (machine.services.size > 0)
    throw new Broken(PROMISE, `containers of ${[...machine.services].join(', ')}`);
  const names = daemon?.store.names() ?? [];
  if (names.length > 0) throw new Broken(PROMISE, `${names.join(', ')} are remembered`);
  const next = new Store(files, STATE_DIRECTORY, 'any');
  next.load();
  if (next.names().length > 0)
    throw new Broken(PROMISE, `the next daemon would know ${next.names().join(', ')}`);
}
