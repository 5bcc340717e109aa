/** Is the decision a pure function of the situation? */
import { isDeepStrictEqual } from 'node:util';
import { decide } from '../../../src/reconcile/decide.ts';
import { Broken, type Checker } from '../checker.ts';

const PROMISE = 'the same situation gives the same decision and is not changed by it';

/** Every so many passes: looking at all of them is slow and shows no more. */
const EVERY = 29;

export function decidesPurely(): Checker {
  let passes = 0;
  return {
    promise: PROMISE,
    before({ daemon }) {
      passes += 1;
      if (daemon === undefined || passes % EVERY !== 0) return;
      for (const name of daemon.loop.desired.services.keys()) {
        const situation = deepFrozen({ ...daemon.loop.situation(name), chance: 0.5 });
        const first = decide(situation);
        if (!isDeepStrictEqual(first, decide(situation)))
          throw new Broken(PROMISE, `${name} is decided twice`);
      }
    },
  };
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFrozen(part);
  return value;
}
