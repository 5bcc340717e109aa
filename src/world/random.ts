/** Where does chance come from? */
import type { Random } from './world.ts';

/** Good enough for jitter and the tails of run ids; nothing secret is made of it. */
export function systemRandom(): Random {
  return { next: () => Math.random() };
}
