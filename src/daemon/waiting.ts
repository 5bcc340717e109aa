/** When has what was asked come about, and when is it no use to wait longer? */
import type { Clock } from '../world/world.ts';
import type { Loop } from './loop.ts';
import type { Outcome } from './outcome.ts';

/**
 * Asks after the next pass of the loop and then again until the answer is not `pending` or `limit` milliseconds are
 * over; then the last answer counts. Between two passes it asks only when the answer named a time.
 * @param gone ends the wait before, as if the limit was over; absent: nobody does
 */
export function untilSettled(
  loop: Loop,
  clock: Clock,
  limit: number,
  ask: () => Outcome,
  gone?: AbortSignal,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const deadline = clock.now() + limit;
    let cancelTimer = () => {};
    let stay = () => {};
    const finish = (outcome: Outcome): void => {
      cancelTimer();
      cancelPass();
      stay();
      resolve(outcome);
    };
    const leave = (): void => finish(ask());
    const check = (): void => {
      const outcome = ask();
      const now = clock.now();
      if (outcome.result !== 'pending' || now >= deadline) {
        finish(outcome);
        return;
      }
      cancelTimer();
      const delay = Math.max(1, Math.min(outcome.again ?? deadline - now, deadline - now));
      // Where this process stood still meanwhile, the end of a run may be known to the kernel and not yet to us: what is
      // to be read is read between two timers.
      cancelTimer = clock.after(delay, () => {
        cancelTimer = clock.after(0, check);
      });
    };
    const cancelPass = loop.onPass(check);
    if (limit <= 0 || gone?.aborted === true) {
      leave();
      return;
    }
    if (gone !== undefined) stay = whenGone(gone, leave);
    // Should no pass ever come, the deadline does.
    cancelTimer = clock.after(limit, check);
  });
}

/** Who leaves when a signal is aborted. */
const leaving = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * One listener for all who wait at one signal: an update waits for hundreds of services, and of more than ten listeners
 * node warns (events.defaultMaxListeners).
 * @returns to be called by who need not leave any more
 */
function whenGone(signal: AbortSignal, leave: () => void): () => void {
  const others = leaving.get(signal);
  const all = others ?? new Set();
  if (others === undefined) {
    leaving.set(signal, all);
    signal.addEventListener('abort', () => {
      for (const each of [...all]) each();
    });
  }
  all.add(leave);
  return () => void all.delete(leave);
}

/** A pass comes as soon as something is due; this only ends the wait for one that never does. Milliseconds. */
const LATEST_PASS = 1000;

/** Waits until what has happened is decided about, for it says nothing of now before: a moment. */
export async function untilDecided(loop: Loop, clock: Clock, isDue: () => boolean): Promise<void> {
  await untilSettled(loop, clock, LATEST_PASS, () => ({ result: isDue() ? 'pending' : 'done', detail: '' }));
}
