/** When may the configuration have changed? Tells that something happened, never what. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';

export interface DirectoryWatchOptions {
  /** Absolute. It may be missing, a symbolic link, or be replaced as a whole. */
  readonly directory: string;
  /** Milliseconds without another event after which `changed` is called. */
  readonly settle: number;
  readonly changed: () => void;
  /** Watching failed; changes are found by the slow resync only. */
  readonly failed: (reason: string) => void;
}

/** However long events keep coming, a change is not held back longer than this many settle times. */
const PATIENCE = 25;

/** How often it is looked whether the path leads to another directory; milliseconds. */
const LOOK_EVERY = 1000;

export class DirectoryWatch {
  readonly #options: DirectoryWatchOptions;
  readonly #extra = new Set<string>();
  #watcher: FSWatcher | undefined;
  readonly #ticker: NodeJS.Timeout;
  #identity: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #since: number | undefined;

  constructor(options: DirectoryWatchOptions) {
    this.#options = options;
    this.#open();
    this.#ticker = setInterval(() => this.#reopenIfMoved(), LOOK_EVERY);
  }

  /** Files elsewhere whose content counts: dotenv files, secrets. Absolute paths; replaces the list. */
  follow(paths: ReadonlySet<string>): void {
    for (const path of paths) {
      if (this.#extra.has(path)) continue;
      this.#extra.add(path);
      this.#watcher?.add(path);
    }
    for (const path of this.#extra) {
      if (paths.has(path)) continue;
      this.#extra.delete(path);
      this.#watcher?.unwatch(path);
    }
    this.#reopenIfMoved();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#ticker);
    await this.#watcher?.close();
  }

  #open(): void {
    const { directory, failed } = this.#options;
    this.#identity = identityOf(directory);
    this.#watcher = watch([directory, ...this.#extra], {
      depth: 0,
      ignoreInitial: true,
      ignorePermissionErrors: true,
    });
    // Permissions count too: a file that becomes readable changes what is wanted.
    this.#watcher.on('raw', (_event, path, details) => this.#noticed(path, details));
    this.#watcher.on('all', (_event, path) => this.#noticed(path, undefined));
    this.#watcher.on('error', (error) => failed(String(error)));
    // Thousands of files take seconds to be watched: what was saved meanwhile was seen by nobody.
    this.#watcher.once('ready', () => this.#settle());
  }

  /**
   * A directory may be replaced, or a symbolic link on the way to it pointed elsewhere. Only its parent hears of that,
   * together with every line that somebody writes to a file there: asking now and then costs less.
   */
  #reopenIfMoved(): void {
    if (identityOf(this.#options.directory) === this.#identity) return;
    void this.#watcher?.close();
    this.#open();
    this.#settle();
  }

  #noticed(path: string, details: unknown): void {
    const watched = watchedPath(details);
    // Services may write their logs beside their files: those lines are no news.
    const names = [path, watched ?? ''].map((text) => basename(text));
    const told = names.some((name) => /\.ya?ml$/i.test(name) || name.startsWith('..'));
    if (told || this.#extra.has(path) || (watched !== undefined && this.#extra.has(watched))) this.#settle();
  }

  #settle(): void {
    const { settle, changed } = this.#options;
    const now = performance.now();
    this.#since ??= now;
    clearTimeout(this.#timer);
    const wait = Math.max(0, Math.min(settle, this.#since + PATIENCE * settle - now));
    this.#timer = setTimeout(() => {
      this.#since = undefined;
      changed();
    }, wait);
  }
}

function watchedPath(details: unknown): string | undefined {
  if (typeof details !== 'object' || details === null || !('watchedPath' in details)) return undefined;
  return typeof details.watchedPath === 'string' ? details.watchedPath : undefined;
}

/** Which directory the path leads to now; undefined when to none. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
