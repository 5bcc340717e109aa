/** Who is told when something about a run may have changed? */
import fs from 'node:fs';
import type { RunId, RunKey, ServiceName } from '../model/names.ts';
import type { Clock } from './world.ts';

/** How often those are asked of whom the kernel sends no event; milliseconds. */
const POLL = 1000;

interface Entry {
  readonly service: ServiceName;
  watcher: fs.FSWatcher | undefined;
  /** Answers a text that differs whenever something changed. */
  probe: (() => string) | undefined;
  last: string;
}

/**
 * Wakes by event where the kernel has one (a file that it reports on by inotify), by polling where it has none. The
 * timer runs only while there is something to poll.
 */
export class Watchlist {
  readonly #clock: Clock;
  readonly #wake: (service: ServiceName) => void;
  readonly #entries = new Map<RunId, Entry>();
  #stopTimer: (() => void) | undefined;

  constructor(clock: Clock, wake: (service: ServiceName) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /**
   * Wakes when the kernel reports a change of the file, until {@link forget}. Where no more watches can be had
   * (`fs.inotify.max_user_watches`), the file is read once a second instead. What changed before this call is not
   * told: look again after it. True when a new watch was set.
   */
  watchFile(key: RunKey, file: string): boolean {
    const entry = this.#entry(key);
    if (entry.watcher !== undefined) return false;
    const wake = () => this.#wake(key.service);
    try {
      const watcher = fs.watch(file, { persistent: true }, wake);
      watcher.on('error', () => {
        watcher.close();
        wake();
      });
      entry.watcher = watcher;
      return true;
    } catch {
      this.poll(key, '', () => readOr(file, 'gone'));
      return false;
    }
  }

  /**
   * Wakes when `probe` answers another text than before. Only the first probe of a run counts.
   * @param seen what it would have answered at the look that led to this call, so that no change falls in between
   */
  poll(key: RunKey, seen: string, probe: () => string): void {
    const entry = this.#entry(key);
    if (entry.probe !== undefined) return;
    entry.probe = probe;
    entry.last = seen;
    this.#stopTimer ??= this.#clock.after(POLL, () => this.#tick());
  }

  forget(run: RunId): void {
    this.#entries.get(run)?.watcher?.close();
    this.#entries.delete(run);
  }

  /** The runs that are watched, of one service. */
  watched(service: ServiceName): readonly RunId[] {
    return [...this.#entries].filter(([, entry]) => entry.service === service).map(([run]) => run);
  }

  close(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    for (const run of [...this.#entries.keys()]) this.forget(run);
  }

  #entry(key: RunKey): Entry {
    const known = this.#entries.get(key.id);
    if (known !== undefined) return known;
    const entry: Entry = { service: key.service, watcher: undefined, probe: undefined, last: '' };
    this.#entries.set(key.id, entry);
    return entry;
  }

  #tick(): void {
    this.#stopTimer = undefined;
    const polled = [...this.#entries.values()].filter((entry) => entry.probe !== undefined);
    if (polled.length === 0) return;
    this.#stopTimer = this.#clock.after(POLL, () => this.#tick());
    for (const entry of polled) {
      const now = answerOf(entry.probe);
      if (now === entry.last) continue;
      entry.last = now;
      this.#wake(entry.service);
    }
  }
}

/** Whoever cannot be asked now may have something to tell. */
function answerOf(probe: (() => string) | undefined): string {
  try {
    return probe?.() ?? '';
  } catch {
    return 'unseen';
  }
}

function readOr(file: string, otherwise: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
