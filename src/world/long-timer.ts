/** How is something done at a time that may be further away than a timer of node can count? */

/** The longest delay of setTimeout (32-bit signed milliseconds); longer ones would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

export interface LongTimer {
  cancel(): void;
  /** This program does not stay for it when it has nothing else to do. */
  unref(): void;
}

/**
 * Calls `wake` once after `delay` milliseconds, unless it is cancelled. Every time that somebody has written into a file or
 * a request belongs here and not into setTimeout.
 */
export function afterDelay(delay: number, wake: () => void): LongTimer {
  let timer: NodeJS.Timeout;
  let left = Math.max(0, delay);
  let isUnref = false;
  const wait = (): void => {
    const now = Math.min(left, LONGEST_TIMER);
    left -= now;
    timer = setTimeout(left > 0 ? wait : wake, now);
    if (isUnref) timer.unref();
  };
  wait();
  return {
    cancel: () => clearTimeout(timer),
    unref: () => {
      isUnref = true;
      timer.unref();
    },
  };
}
