/** When may the content of single files have changed, also of such as come, go, or are reached by another way? */
import fs from 'node:fs';

interface Followed {
  /** Which file the path led to, and in which state, when it was last looked at; undefined: to none. */
  version: string | undefined;
  watcher: fs.FSWatcher | undefined;
}

/** Watched files that one look asks for: some thousands of them must not cost more than a few. */
const IN_TURN = 64;

/**
 * An event of the kernel tells of most changes at once. It is bound to the file and not to its path, though: nobody tells
 * of a path that leads nowhere yet, of a directory on the way that was replaced, or of a link that was pointed elsewhere.
 * So whoever follows files calls {@link look} now and then. It finds also what a watch would have told that the kernel
 * did not grant.
 */
export class FollowedFiles {
  readonly #changed: () => void;
  readonly #files = new Map<string, Followed>();
  /** Of those that are watched, whose turn it is. */
  #next = 0;

  /** @param changed some file may have changed; never says which */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Absolute paths; replaces the list. Nothing need be there. */
  follow(paths: ReadonlySet<string>): void {
    for (const [path, { watcher }] of this.#files) {
      if (paths.has(path)) continue;
      watcher?.close();
      this.#files.delete(path);
    }
    let isMore = false;
    for (const path of paths) {
      if (this.#files.has(path)) continue;
      const file: Followed = { version: undefined, watcher: undefined };
      this.#files.set(path, file);
      this.#open(path, file);
      isMore = true;
    }
    // What was written between its reading and its watch was seen by nobody.
    if (isMore) this.#changed();
    // Who calls has just read them: what he found may be gone again before the next look.
    this.#lookAt(this.#files);
  }

  /** Asks for the state of each file that nobody watches, and of some others in turn. */
  look(): void {
    const watched = [...this.#files].filter(([, { watcher }]) => watcher !== undefined);
    const from = this.#next < watched.length ? this.#next : 0;
    this.#next = from + IN_TURN;
    const unwatched = [...this.#files].filter(([, { watcher }]) => watcher === undefined);
    this.#lookAt([...unwatched, ...watched.slice(from, from + IN_TURN)]);
  }

  #lookAt(files: Iterable<[string, Followed]>): void {
    for (const [path, file] of files) {
      if (versionOf(path) === file.version) continue;
      this.#open(path, file);
      this.#changed();
    }
  }

  close(): void {
    this.follow(new Set());
  }

  /** Looked at before it is watched: what changes in between is found by the next look. */
  #open(path: string, file: Followed): void {
    file.watcher?.close();
    file.watcher = undefined;
    file.version = versionOf(path);
    if (file.version === undefined) return;
    try {
      const watcher = fs.watch(path, () => {
        if (watcher !== file.watcher) return;
        // It may be another file by now, which this watch would never tell of.
        this.#open(path, file);
        this.#changed();
      });
      watcher.on('error', () => watcher.close());
      file.watcher = watcher;
    } catch {
      // Gone again, or no watch is left: the next looks find what happens to it.
    }
  }
}

/** Changes with the file, its content and its permissions; undefined where nothing is found. */
function versionOf(path: string): string | undefined {
  try {
    const found = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
    if (found === undefined) return undefined;
    return [found.dev, found.ino, found.birthtimeNs, found.size, found.mtimeNs, found.ctimeNs].join('.');
  } catch {
    return undefined;
  }
}
