/** What time is it, and who wakes us later? */
import { afterDelay } from './long-timer.ts';
import type { Clock } from './world.ts';

/** A wall clock this far ahead has been set, or the host was asleep: it is followed. Milliseconds. */
const LEAP = 2000;

/** By this part of its pace ours goes slower while the wall clock, which was set back, is that far behind it. */
const SLOWER = 0.25;

/**
 * The wall clock as it was when this was called, plus the monotonic time that has passed since: small corrections by
 * NTP move no deadline, and no reading is smaller than the one before. A leap ahead is followed, because monotonic time
 * stands still while a host sleeps (CLOCK_MONOTONIC in clock_gettime(2)). A clock that is set back (as at boot, when the
 * time of the network comes in) is waited for: ours goes slower until then, so that what is told has the right time
 * again some day.
 */
export function systemClock(): Clock {
  let read = performance.now();
  let anchor = Date.now() - read;
  return {
    now: () => {
      const before = read;
      read = performance.now();
      const ahead = Date.now() - (anchor + read);
      if (ahead > LEAP) anchor += ahead;
      if (ahead < -LEAP) anchor -= Math.min(-ahead, (read - before) * SLOWER);
      return Math.floor(anchor + read);
    },
    wall: () => Date.now(),
    after: (delay, wake) => {
      const timer = afterDelay(delay, wake);
      return () => timer.cancel();
    },
  };
}
