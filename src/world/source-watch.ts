/** Which files of a service that is being developed have changed? */
import { realpathSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { pathPattern } from '../model/path-pattern.ts';
import { Burst } from './burst.ts';
import { inWords } from './errno.ts';
import { FILE_TICK } from './file-time.ts';
import { differences, lookAtSources, type SourceTree } from './source-tree.ts';

export interface SourceWatchOptions {
  /** Files and directories, absolute. They need not exist yet, and may be replaced as a whole. */
  readonly paths: readonly string[];
  /** Patterns as {@link pathPattern} reads them, seen from each of `paths`. */
  readonly ignore: readonly string[];
  /** Milliseconds without another event after which it is looked what has changed. */
  readonly debounce: number;
  /** Files that were added, removed, or have another content than at the call before; absolute and sorted, never empty. */
  readonly changed: (files: readonly string[]) => void;
  /** Files that were changed since then are told of by the first look; milliseconds since 1970. */
  readonly since?: number;
  /** Something cannot be watched, or not be read; each reason is told once. It is looked now and then instead. */
  readonly failed: (reason: string) => void;
}

/** Full of files that nobody wrote by hand, and rewritten by tools at any time. */
const ALWAYS_IGNORED = ['node_modules', '.git'];

/** However long events keep coming, a change is not held back longer; milliseconds. */
const PATIENCE = 10_000;

/** How often it is looked whether a path leads to another file or directory; milliseconds. */
const LOOK_EVERY = 1000;

/** Where events are known to be missing, the files are looked at after so many of these looks. */
const BLIND_LOOKS = 5;

interface Root {
  readonly path: string;
  identity: string | undefined;
  watcher: FSWatcher | undefined;
}

/**
 * Events only wake: what has changed is found by comparing contents, so that a file that was merely touched, or
 * written as it was, is no news. Until {@link started} is fulfilled, a change may be taken for what was there before.
 */
export class SourceWatch {
  /** Every file has been looked at once, and is watched; also fulfilled by {@link close}. */
  readonly started: Promise<void>;
  readonly #options: SourceWatchOptions;
  readonly #ignore: readonly ReturnType<typeof pathPattern>[];
  readonly #roots: readonly Root[];
  readonly #burst: Burst;
  readonly #ticker: NodeJS.Timeout;
  readonly #told = new Set<string>();
  #tree: SourceTree | undefined;
  /** The looks, one after the other. */
  #looking: Promise<void>;
  #ticks = 0;
  #blind = false;
  #closed = false;
  #startedByClose: () => void = () => {};

  constructor(options: SourceWatchOptions) {
    this.#options = options;
    this.#ignore = [...ALWAYS_IGNORED, ...options.ignore].map(pathPattern);
    this.#burst = new Burst({ settle: options.debounce, patience: PATIENCE, over: () => this.#lookAgain() });
    this.#roots = [...new Set(options.paths)].map((path) => ({
      path,
      identity: undefined,
      watcher: undefined,
    }));
    const opened = this.#roots.map((root) => this.#open(root));
    this.#looking = this.#look();
    const closed = new Promise<void>((resolve) => {
      this.#startedByClose = resolve;
    });
    this.started = Promise.race([Promise.all([this.#looking, ...opened]).then(() => undefined), closed]);
    this.#ticker = setInterval(() => this.#tick(), LOOK_EVERY);
  }

  /** Nothing is told any more from this call on; fulfilled when nothing is open any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#burst.close();
    clearInterval(this.#ticker);
    this.#startedByClose();
    await Promise.all([this.#looking, ...this.#roots.map(({ watcher }) => watcher?.close())]);
  }

  /** Fulfilled when the root is watched, which it is not when it does not exist. */
  #open(root: Root): Promise<void> {
    void root.watcher?.close();
    root.watcher = undefined;
    root.identity = identityOf(root.path);
    const real = realPathOf(root.path);
    if (root.identity === undefined || real === undefined) return Promise.resolve();
    const isIgnored = (path: string): boolean => this.#isIgnored(root.path, relative(real, path));
    const watcher = watch(real, {
      ignoreInitial: true,
      ignorePermissionErrors: true,
      followSymlinks: false,
      atomic: false,
      ignored: isIgnored,
    });
    root.watcher = watcher;
    // Others are held back when they come in quick succession; these are not, and come for ignored names too.
    watcher.on('raw', (_event, name, details) => {
      if (!isIgnored(rawPath(name, details) ?? real)) this.#burst.noticed();
    });
    watcher.on('all', (event, path) => {
      // Another directory may take its place, and even its inode number.
      if (event === 'unlinkDir' && path === real) root.identity = undefined;
      this.#burst.noticed();
    });
    watcher.on('error', (error) => {
      this.#blind = true;
      this.#tell(`cannot watch every file below ${root.path}: ${inWords(error)}`);
    });
    return new Promise((resolve) => {
      watcher.once('ready', () => {
        // What was written before its watch was set was seen by nobody.
        this.#burst.noticed();
        resolve();
      });
    });
  }

  /** Nobody tells of a path that does not exist yet, nor of a symbolic link on the way to it. */
  #tick(): void {
    for (const root of this.#roots) {
      if (identityOf(root.path) === root.identity) continue;
      void this.#open(root);
      this.#burst.noticed();
    }
    this.#ticks++;
    if (this.#blind && this.#ticks % BLIND_LOOKS === 0) this.#burst.noticed();
  }

  #lookAgain(): void {
    this.#looking = this.#looking.then(() => this.#look());
  }

  async #look(): Promise<void> {
    const before = this.#tree;
    const roots = this.#roots.map(({ path }) => path);
    const ignored = (root: string, path: string) => this.#isIgnored(root, path);
    const { tree, unseen } = await lookAtSources(roots, ignored, before ?? new Map(), () => this.#closed);
    if (this.#closed) return;
    this.#tree = tree;
    for (const { path, reason } of unseen) {
      this.#blind = true;
      this.#tell(`cannot read ${path}: ${reason}`);
    }
    const files = before === undefined ? this.#changedSince(tree) : differences(before, tree);
    if (files.length > 0) this.#options.changed(files);
  }

  /** The first look comes after the service was started: what was saved in between, or may have been, is news. */
  #changedSince(tree: SourceTree): readonly string[] {
    const { since } = this.#options;
    if (since === undefined) return [];
    return [...tree]
      .flatMap(([path, { changed = 0 }]) => (changed >= since - FILE_TICK ? [path] : []))
      .sort();
  }

  #isIgnored(root: string, path: string): boolean {
    return this.#ignore.some((isMeant) => isMeant(join(root, path), path));
  }

  #tell(reason: string): void {
    if (this.#closed || this.#told.has(reason)) return;
    this.#told.add(reason);
    this.#options.failed(reason);
  }
}

/** The path of an event: its name is that of an entry of the watched directory, or of the watched file itself. */
function rawPath(name: unknown, details: unknown): string | undefined {
  if (typeof details !== 'object' || details === null || !('watchedPath' in details)) return undefined;
  const { watchedPath } = details;
  if (typeof watchedPath !== 'string') return undefined;
  return typeof name !== 'string' || basename(watchedPath) === name ? watchedPath : join(watchedPath, name);
}

/** What the path leads to now; undefined when to nothing. A file is another one after every change. */
function identityOf(path: string): string | undefined {
  try {
    const stats = statSync(path);
    const change = stats.isDirectory() ? '' : `:${stats.ctimeMs}`;
    return `${stats.dev}:${stats.ino}:${stats.birthtimeMs}${change}`;
  } catch {
    return undefined;
  }
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
