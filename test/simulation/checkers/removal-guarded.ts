/** Is anything forgotten of a service whose removal nobody has approved? */
import { Broken, type Checker } from '../checker.ts';

const PROMISE = 'a removal that looks like a mistake stops nothing and forgets nothing';

export const removalGuarded: Checker = {
  promise: PROMISE,
  see(entry, { truth }) {
    if (entry.what !== 'forget') return;
    if (truth.inForce.has(entry.service)) throw new Broken(PROMISE, `${entry.service} has a file`);
    if (!truth.mayGo.has(entry.service))
      throw new Broken(PROMISE, `nobody approved that ${entry.service} goes`);
  },
};
