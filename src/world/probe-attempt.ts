/** How does one attempt with a deadline tell its result exactly once, and leave nothing open? */
import { type ProbeResult, safeDetail } from '../model/probe.ts';
import { passing } from './errno.ts';
import { afterDelay, type LongTimer } from './long-timer.ts';

/** What a host answers that is short of something for the moment (errno(3)). */
const HELD_UP = 'EAGAIN';

export class Attempt {
  /** What is missing still, as it is told when the time is up: `not connected`. */
  missing = 'no answer';
  /** This host has to do its part before anybody can be asked: to be late with that says nothing about the run. */
  isHeldUp = false;
  readonly #begun = performance.now();
  readonly #done: (result: ProbeResult) => void;
  readonly #timer: LongTimer;
  #release: () => void = () => {};
  #over = false;

  /**
   * The time begins now.
   * @param timeout milliseconds
   * @param done called once, never before the code that made the attempt has returned; not after {@link cancel}
   */
  constructor(timeout: number, done: (result: ProbeResult) => void) {
    this.#done = done;
    const late = () =>
      this.failSoon(`${this.missing} within ${timeout} ms`, this.isHeldUp ? HELD_UP : undefined);
    this.#timer = afterDelay(timeout, late);
  }

  /** What lets go of everything that was opened; called once, before the result is told. */
  holds(release: () => void): void {
    this.#release = release;
  }

  pass(words: string): void {
    const elapsed = this.#elapsed();
    this.#end({ ok: true, detail: safeDetail(`${words} in ${elapsed} ms`), elapsed });
  }

  /** @param cause what was thrown or told, where that is why */
  fail(words: string, cause?: unknown): void {
    this.#end({ ok: false, detail: safeDetail(words), elapsed: this.#elapsed(), ...passing(cause) });
  }

  /**
   * As {@link fail}, after what the kernel holds ready has been read: an answer that came in time counts, however
   * busy this process was meanwhile.
   */
  failSoon(words: string, cause?: unknown): void {
    setImmediate(() => this.fail(words, cause));
  }

  /** Whole milliseconds up to now. */
  #elapsed(): number {
    return Math.round(performance.now() - this.#begun);
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer.cancel();
    this.#release();
  }

  #end(result: ProbeResult): void {
    if (this.#over) return;
    this.cancel();
    this.#done(result);
  }
}
