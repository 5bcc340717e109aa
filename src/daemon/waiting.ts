/** When has what was asked come about, and when is it no use to wait longer? */
import type { Clock } from '../world/world.ts';
import type { Loop } from './loop.ts';
import type { Outcome } from './outcome.ts';

/** Between two passes the answer can only change with time (a process proves that it lives). Milliseconds. */
const LOOK_EVERY = 50;

/**
 * Asks after the next pass of the loop and then again until the answer is not `pending` or `limit` milliseconds are
 * over; then the last answer counts.
 */
export function untilSettled(loop: Loop, clock: Clock, limit: number, ask: () => Outcome): Promise<Outcome> {
  return new Promise((resolve) => {
    const deadline = clock.now() + limit;
    let cancelTimer = () => {};
    const finish = (outcome: Outcome): void => {
      cancelTimer();
      cancelPass();
      resolve(outcome);
    };
    const check = (): void => {
      const outcome = ask();
      if (outcome.result !== 'pending' || clock.now() >= deadline) {
        finish(outcome);
        return;
      }
      cancelTimer();
      cancelTimer = clock.after(Math.min(LOOK_EVERY, Math.max(1, deadline - clock.now())), check);
    };
    const cancelPass = loop.onPass(check);
    if (limit <= 0) finish(ask());
  });
}
