/** Do two runs ever live in one place? */
import { Broken, type Checker } from '../checker.ts';

const PROMISE = 'a place is filled again only when nothing of its last run is left';

export const oneRunInAPlace: Checker = {
  promise: PROMISE,
  see(entry, { machine }) {
    if (entry.what !== 'start') return;
    const { service, slot, id } = entry.run;
    for (const { key, processes } of machine.placesOf(service)) {
      if (key.slot !== slot || key.id === id) continue;
      const alive = [...processes].find((process) => process.alive);
      if (alive !== undefined) {
        throw new Broken(
          PROMISE,
          `${service}/${slot} was started while pid ${alive.pid} of run ${key.id} lives`,
        );
      }
    }
  },
};
