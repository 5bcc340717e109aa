/** Is only that started which is wanted, and never what an operator stopped? */
import { Broken, type Checker } from '../checker.ts';

const PROMISE = 'only what is wanted is started; stopped stays stopped';

export const startedAsWanted: Checker = {
  promise: PROMISE,
  see(entry, { truth }) {
    if (entry.what !== 'start' && entry.what !== 'refused') return;
    const { service, slot, hash, generation } = entry.run;
    const not = (why: string): Broken =>
      new Broken(PROMISE, `${service}/${slot} was started although ${why}`);
    const desired = truth.inForce.get(service);
    if (truth.ending !== undefined) throw not('everything is to end');
    if (desired?.kind !== 'defined') throw not('no good file defines it');
    const intent = truth.intent(service);
    if (intent.stopped !== undefined) throw not('an operator stopped it');
    if (!desired.spec.enabled) throw not('it is disabled');
    if (slot >= truth.count(service)) throw not(`only ${truth.count(service)} are wanted`);
    if (hash !== desired.hash) throw not(`its definition is ${desired.hash}, not ${hash}`);
    if (generation < (intent.minGeneration ?? 0)) throw not(`a restart asked for ${intent.minGeneration}`);
  },
};
