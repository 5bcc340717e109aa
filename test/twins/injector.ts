/** When does the daemon die in the middle of what it does? */

/** The daemon is gone as if by SIGKILL: nothing after the call that threw this is done. */
export class Crash extends Error {
  constructor(what: string) {
    super(`the daemon died at ${what}`);
  }
}

export type CrashMoment = 'before' | 'after' | 'within';

/** Every call that changes the world goes through here. */
export class Injector {
  /** Calls that changed the world, or tried to. */
  calls = 0;
  #left = 0;
  #moment: CrashMoment = 'before';

  /** The daemon dies at the `count`-th call from now on; 0 takes it back. */
  arm(count: number, moment: CrashMoment): void {
    this.#left = count;
    this.#moment = moment;
  }

  /** @param half what a crash within leaves behind; without it the call is atomic */
  perform<T>(what: string, act: () => T, half?: () => void): T {
    this.calls += 1;
    const dies = this.#left > 0 && --this.#left === 0;
    if (!dies) return act();
    if (this.#moment === 'before') throw new Crash(`${what}, before it`);
    if (this.#moment === 'within' && half !== undefined) {
      half();
      throw new Crash(`${what}, within it`);
    }
    act();
    throw new Crash(`${what}, after it`);
  }
}
