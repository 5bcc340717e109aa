/** Does a signal ever reach what is not ours? */
import { Broken, type Checker } from '../checker.ts';

const PROMISE = 'nothing outside of the base is signalled';

export const staysInside: Checker = {
  promise: PROMISE,
  see(entry, { machine, truth }) {
    if (entry.what !== 'signal' && entry.what !== 'kill' && entry.what !== 'stop_command') return;
    if (machine.strayed.length > 0) throw new Broken(PROMISE, `pid ${machine.strayed[0]} was signalled`);
    const { id, service } = entry.run;
    if (!truth.runs.has(id) && machine.place(entry.run) === undefined) {
      throw new Broken(PROMISE, `${entry.what} to run ${id} of ${service}, which never was`);
    }
  },
};
