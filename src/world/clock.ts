/** What time is it, and who wakes us later? */
import type { Clock } from './world.ts';

/** The longest delay that setTimeout can count (32-bit signed milliseconds); longer ones would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A wall clock this far ahead has been set, or the host was asleep: it is followed. Milliseconds. */
const LEAP = 2000;

/**
 * The wall clock as it was when this was called, plus the monotonic time that has passed since: small corrections by
 * NTP move no deadline, and no reading is smaller than the one before. A leap ahead is followed, because monotonic time
 * stands still while a host sleeps (CLOCK_MONOTONIC in clock_gettime(2)); a clock that is set back is not.
 */
export function systemClock(): Clock {
  let anchor = Date.now() - performance.now();
  return {
    now: () => {
      const ahead = Date.now() - (anchor + performance.now());
      if (ahead > LEAP) anchor += ahead;
      return Math.floor(anchor + performance.now());
    },
    wall: () => Date.now(),
    after: (delay, wake) => wakeAfter(delay, wake),
  };
}

function wakeAfter(delay: number, wake: () => void): () => void {
  let timer: NodeJS.Timeout;
  let left = Math.max(0, delay);
  const wait = () => {
    const now = Math.min(left, LONGEST_TIMER);
    left -= now;
    timer = setTimeout(left > 0 ? wait : wake, now);
  };
  wait();
  return () => clearTimeout(timer);
}
