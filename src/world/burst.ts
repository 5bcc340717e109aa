/** Many events in a row: when is the one moment to act on them? */

export interface BurstOptions {
  /** Milliseconds without another event after which the burst is over. */
  readonly settle: number;
  /** Milliseconds after its first event at which it is taken for over, however long events keep coming. */
  readonly patience: number;
  readonly over: () => void;
}

export class Burst {
  readonly #options: BurstOptions;
  #timer: NodeJS.Timeout | undefined;
  #since: number | undefined;

  constructor(options: BurstOptions) {
    this.#options = options;
  }

  noticed(): void {
    const { settle, patience, over } = this.#options;
    const now = performance.now();
    this.#since ??= now;
    clearTimeout(this.#timer);
    const wait = Math.max(0, Math.min(settle, this.#since + patience - now));
    this.#timer = setTimeout(() => {
      this.#since = undefined;
      over();
    }, wait);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
