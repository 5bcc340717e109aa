/** When has a file grown to a size? Idle files cost nothing, and busy ones a look now and then. */
import fs from 'node:fs';

export interface GrowthOptions {
  /** Absolute. It may be missing, and be replaced. */
  readonly path: string;
  /** Bytes. */
  readonly limit: number;
  /** The file has come to the limit; told again after {@link AGAIN} if nobody has rotated it. */
  readonly reached: (size: number) => void;
}

/** A writer that starts at full speed between two looks goes beyond the limit by no more than this; milliseconds. */
const LONGEST = 1000;

/** However fast it grows, this long between two looks; milliseconds. */
const SHORTEST = 20;

/** So long without growth, and an event of the kernel is waited for instead; milliseconds. */
const STILL = 4000;

/** How often it is looked for a file that is not there or cannot be watched; milliseconds. */
const MISSING = 2000;

/** A rotation that failed is tried again after this; milliseconds. */
export const AGAIN = 10_000;

/**
 * Each write is an event for a watch (inotify(7)), thousands a second: so the first one takes the watch away, and the
 * size is asked for at times that follow from its growth, until it rests again.
 */
export class GrowthWatch {
  readonly #options: GrowthOptions;
  #watcher: fs.FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last = { size: 0, at: performance.now() };
  #grownAt = performance.now();
  #pause = SHORTEST;
  #told = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: GrowthOptions) {
    this.#options = options;
    const size = this.#size();
    if (size !== undefined) this.#last = { size, at: performance.now() };
    this.#tell(this.#last.size);
    this.#arm();
  }

  /** Has been emptied: what comes now counts anew, even if it is at the limit again already. */
  rotated(): void {
    this.#told = Number.NEGATIVE_INFINITY;
    this.#disarm();
    if (!this.#isClosed) this.#begin();
  }

  /** `watching`: an event is awaited. */
  get state(): 'watching' | 'looking' {
    return this.#watcher === undefined ? 'looking' : 'watching';
  }

  close(): void {
    this.#isClosed = true;
    this.#disarm();
    clearTimeout(this.#timer);
  }

  #arm(): void {
    try {
      this.#watcher = fs.watch(this.#options.path, { persistent: false }, () => this.#woken());
      this.#watcher.on('error', () => this.#woken());
    } catch {
      // Not there, or no watch is left.
      this.#lookIn(MISSING);
      return;
    }
    // What was written before the watch was set was told by nobody.
    if (this.#size() !== this.#last.size) this.#woken();
    else if (this.#last.size >= this.#options.limit) this.#lookIn(AGAIN);
  }

  #woken(): void {
    if (this.#watcher === undefined) return;
    this.#disarm();
    this.#begin();
  }

  #disarm(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /** The growth until now tells nothing about the speed: it may have rested for days. */
  #begin(): void {
    const now = performance.now();
    this.#last = { size: this.#size() ?? 0, at: now };
    this.#grownAt = now;
    this.#pause = SHORTEST;
    this.#tell(this.#last.size);
    this.#lookIn(SHORTEST);
  }

  #look(): void {
    const size = this.#size();
    if (size === undefined) {
      this.#lookIn(MISSING);
      return;
    }
    const now = performance.now();
    const grown = size - this.#last.size;
    const speed = grown / Math.max(1, now - this.#last.at);
    this.#last = { size, at: now };
    if (grown !== 0) this.#grownAt = now;
    this.#tell(size);
    if (now - this.#grownAt >= STILL) {
      this.#arm();
      return;
    }
    this.#pause = clamped(speed > 0 ? (this.#options.limit - size) / speed : this.#pause * 2);
    this.#lookIn(size < this.#options.limit ? this.#pause : LONGEST);
  }

  #lookIn(delay: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#disarm();
      this.#look();
    }, delay);
    this.#timer.unref();
  }

  #tell(size: number): void {
    const { limit, reached } = this.#options;
    if (size < limit) {
      this.#told = Number.NEGATIVE_INFINITY;
      return;
    }
    const now = performance.now();
    if (now - this.#told < AGAIN) return;
    this.#told = now;
    reached(size);
  }

  #size(): number | undefined {
    try {
      return fs.statSync(this.#options.path).size;
    } catch {
      return undefined;
    }
  }
}

/** Until it comes to the limit if it goes on like this; a writer that falters is waited for ever longer. */
function clamped(pause: number): number {
  return Math.min(LONGEST, Math.max(SHORTEST, pause));
}
