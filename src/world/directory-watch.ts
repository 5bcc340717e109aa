/** When may the configuration have changed? Tells that something happened, never what. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { inWords } from './errno.ts';
import { FollowedFiles } from './followed-files.ts';
import { afterDelay, type LongTimer } from './long-timer.ts';

export interface DirectoryWatchOptions {
  /** Absolute. It may be missing, a symbolic link, or be replaced as a whole. */
  readonly directory: string;
  /** Milliseconds without another event after which `changed` is called. */
  readonly settle: number;
  readonly changed: () => void;
  /** Watching failed; until it is mended, changes are found by the slow resync only. Told once. */
  readonly failed: (reason: string) => void;
  /** Everything is watched again. */
  readonly mended: () => void;
}

/** However long events keep coming, a change is not held back longer than this many settle times. */
const PATIENCE = 25;

/** How often it is looked whether a path leads to another directory or file; milliseconds. */
const LOOK_EVERY = 1000;

/** What could not be watched is tried again after 1, 2, 4, … of these looks, at last after so many. */
const MOST_LOOKS = 64;

/** Instead of an identity: whatever the path leads to now, it is not what is watched. */
const GONE = 'gone';

export class DirectoryWatch {
  readonly #options: DirectoryWatchOptions;
  readonly #files = new FollowedFiles(() => this.#settle());
  #elsewhere: ReadonlySet<string> = new Set();
  #watcher: FSWatcher | undefined;
  readonly #ticker: NodeJS.Timeout;
  #identity: string | undefined;
  /** Set while something cannot be watched: when that is tried again, in looks. */
  #blind: { left: number; next: number; isTrying: boolean } | undefined;
  #timer: LongTimer | undefined;
  #since: number | undefined;

  constructor(options: DirectoryWatchOptions) {
    this.#options = options;
    this.#open();
    this.#ticker = setInterval(() => this.#look(), LOOK_EVERY);
  }

  /** Files elsewhere whose content counts: dotenv files, secrets. Absolute paths; replaces the list. */
  follow(paths: ReadonlySet<string>): void {
    this.#elsewhere = paths;
    this.#followAll();
    this.#reopenIfMoved();
  }

  async close(): Promise<void> {
    clearInterval(this.#ticker);
    this.#files.close();
    this.#timer?.cancel();
    await this.#watcher?.close();
  }

  #open(): void {
    const { failed, mended } = this.#options;
    const directory = resolve(this.#options.directory);
    this.#identity = identityOf(directory);
    const watcher = watch(directory, {
      depth: 0,
      ignoreInitial: true,
      ignorePermissionErrors: true,
      // The kernel tells of each file through its directory: a watch and a record for every file would only be weight.
      ignored: (path) => resolve(path) !== directory,
    });
    this.#watcher = watcher;
    let fails = false;
    // Permissions count too: a file that becomes readable changes what is wanted.
    watcher.on('raw', (event, path, details) => {
      // Its own removal is told by its own name (inotify(7): IN_DELETE_SELF). Not every file system has times of birth.
      if (event === 'rename' && path === basename(directory) && watchedPath(details) === directory)
        this.#identity = GONE;
      this.#noticed(path, details);
    });
    watcher.on('error', (error) => {
      fails = true;
      if (watcher !== this.#watcher) return;
      if (this.#blind === undefined) failed(inWords(error));
      this.#blind ??= { left: 1, next: 2, isTrying: false };
      this.#blind.isTrying = false;
    });
    watcher.once('ready', () => {
      if (watcher !== this.#watcher) return;
      if (!fails && this.#blind !== undefined) {
        this.#blind = undefined;
        mended();
      }
      // What was saved before the watch began was seen by nobody.
      this.#settle();
    });
  }

  /** A directory hears nothing of what happens to a file that is elsewhere, also when a link in it leads there. */
  #followAll(): void {
    this.#files.follow(new Set([...this.#elsewhere, ...linksIn(this.#options.directory)]));
  }

  #look(): void {
    this.#reopenIfMoved();
    this.#files.look();
    const blind = this.#blind;
    if (blind === undefined || blind.isTrying) return;
    blind.left -= 1;
    if (blind.left > 0) return;
    this.#blind = { left: blind.next, next: Math.min(blind.next * 2, MOST_LOOKS), isTrying: true };
    void this.#watcher?.close();
    this.#open();
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
    if (names.some((name) => isYaml(name) || name.startsWith('..'))) this.#settle();
  }

  #settle(): void {
    const { settle, changed } = this.#options;
    const now = performance.now();
    this.#since ??= now;
    this.#timer?.cancel();
    const wait = Math.max(0, Math.min(settle, this.#since + PATIENCE * settle - now));
    this.#timer = afterDelay(wait, () => {
      this.#since = undefined;
      this.#followAll();
      changed();
    });
  }
}

function watchedPath(details: unknown): string | undefined {
  if (typeof details !== 'object' || details === null || !('watchedPath' in details)) return undefined;
  return typeof details.watchedPath === 'string' ? details.watchedPath : undefined;
}

function isYaml(name: string): boolean {
  return /\.ya?ml$/i.test(name);
}

function linksIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isSymbolicLink() && isYaml(entry.name))
      .map(({ name }) => join(directory, name));
  } catch {
    // Gone, or closed to us: whoever reads the directory tells so.
    return [];
  }
}

/** Which directory the path leads to now; undefined when to none. The next one may get the same inode number. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino, birthtimeNs } = statSync(path, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    return undefined;
  }
}
