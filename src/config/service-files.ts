/** Which files of the directory are service files, and what is in them at one moment? */
import { basename, dirname, join } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { type Failure, type Files, isFailure } from '../world/world.ts';
import { failureText } from './failure-text.ts';

/** One file of the directory. */
export interface ServiceFile {
  /** Absolute, as configured. */
  readonly path: string;
  /** As shown to people. */
  readonly shown: string;
  readonly content: FileContent;
}

export type FileContent =
  | {
      readonly is: 'text';
      readonly text: string;
      readonly version: string;
      /** Every user of the host may write the file. */
      readonly isOpenToAll?: true;
    }
  | { readonly is: 'unreadable'; readonly problem: Problem };

/** A service file that a person wrote fits many times. */
const MOST_BYTES = 1_048_576;

/** S_IWOTH, inode(7). */
const OTHERS_WRITE = 0o002;

/** A directory that is being written is read again this often at most. */
const MOST_LOOKS = 3;

/**
 * The service files of a directory, sorted by name, as one snapshot: when names or the directory itself have changed
 * while reading, all is read again, three times at most.
 * @param known what was read before: a file whose version is the same is not read again
 */
export function readServiceFiles(
  directory: string,
  files: Files,
  options: {
    readonly cwd: string;
    readonly known: ReadonlyMap<string, FileContent>;
    /** The master file may stand in the same directory. */
    readonly except: string | null;
  },
): readonly ServiceFile[] | Failure {
  const listed = { ...options, isListed: true } as const;
  let before = look(directory, files);
  for (let count = 1; ; count++) {
    if (isFailure(before)) return before;
    const found = before.names
      .filter(isServiceFile)
      .map((name) => join(directory, name))
      .filter((path) => path !== options.except)
      .map((path) => readServiceFile(path, files, listed));
    const after = look(directory, files);
    if (isFailure(after)) return after;
    if (after.seen === before.seen || count === MOST_LOOKS) return found;
    before = after;
  }
}

/** Texts that are not in the directory now, as if they were; their version is none that a file has. */
export function textsAsFiles(
  texts: readonly { readonly file: string; readonly text: string }[],
  cwd: string,
): readonly ServiceFile[] {
  return texts.map(({ file, text }) => ({
    path: file,
    shown: shownPath(file, cwd),
    content: { is: 'text', text, version: 'kept' },
  }));
}

/** One file, whether or not its name says that it is a service file. */
export function readServiceFile(
  path: string,
  files: Files,
  options: {
    readonly cwd: string;
    readonly known: ReadonlyMap<string, FileContent>;
    /** Its directory was listed a moment ago, and it was there; absent: that is looked up if need be. */
    readonly isListed?: true;
  },
): ServiceFile {
  const shown = shownPath(path, options.cwd);
  const known = options.known.get(path);
  const isListed = () => options.isListed ?? names(files, dirname(path)).includes(basename(path));
  return { path, shown, content: contentOf(path, shown, files, known, isListed) };
}

/**
 * Names that end in .yaml or .yml. Dotfiles, and the backups and temporary files of editors, are none; most of those
 * (`web.yaml~`, `web.yaml.swp`, `4913`) have another ending anyway.
 */
export function isServiceFile(name: string): boolean {
  return /\.ya?ml$/i.test(name) && !/^[.#~]/.test(name);
}

/** A warning for each directory in the configuration directory whose service files nobody reads; deeper ones are not looked for. */
export function unreadDirectories(directory: string, files: Files, cwd: string): readonly Problem[] {
  const names = files.list(directory);
  if (isFailure(names)) return [];
  return names
    .filter((name) => !/^[.#~]/.test(name) && !isServiceFile(name))
    .flatMap((name) => {
      const path = join(directory, name);
      // What is no directory cannot be listed.
      const inside = files.list(path);
      if (isFailure(inside) || !inside.some(isServiceFile)) return [];
      const message = `the YAML files in this directory are not read: only those of ${shownPath(directory, cwd)} itself are`;
      return [{ code: 'file-odd', severity: 'warning', message, file: shownPath(path, cwd) } as const];
    });
}

/** Relative to the working directory when it is below it. Both are absolute. */
export function shownPath(path: string, cwd: string): string {
  const inside = cwd.endsWith('/') ? cwd : `${cwd}/`;
  return path.startsWith(inside) && path.length > inside.length ? path.slice(inside.length) : path;
}

function look(directory: string, files: Files): { names: readonly string[]; seen: string } | Failure {
  const names = files.list(directory);
  if (isFailure(names)) return names;
  const status = files.status(directory);
  if (isFailure(status)) return status;
  return { names, seen: `${status.version} ${names.join('/')}` };
}

function contentOf(
  path: string,
  shown: string,
  files: Files,
  known: FileContent | undefined,
  isListed: () => boolean,
): FileContent {
  const status = files.status(path);
  if (isFailure(status)) {
    const says =
      status.failed === 'ENOENT' && isListed()
        ? 'is a symbolic link that leads nowhere (ENOENT)'
        : failureText(status);
    return unreadable('file-unreadable', shown, says);
  }
  if (status.kind !== 'file') {
    const what = status.kind === 'directory' ? 'is a directory' : 'is no regular file';
    return unreadable('file-odd', shown, `${what}; a service file is a regular file`);
  }
  if (known?.is === 'text' && known.version === status.version) return known;
  const text = files.read(path, MOST_BYTES);
  if (typeof text === 'string') {
    const open = (status.mode & OTHERS_WRITE) !== 0 ? ({ isOpenToAll: true } as const) : {};
    return { is: 'text', text, version: status.version, ...open };
  }
  if (text.failed === 'EFBIG') return unreadable('file-odd', shown, 'is larger than 1 MiB');
  return unreadable(text.failed === 'ENOTREG' ? 'file-odd' : 'file-unreadable', shown, failureText(text));
}

function names(files: Files, directory: string): readonly string[] {
  const listed = files.list(directory);
  return isFailure(listed) ? [] : listed;
}

function unreadable(code: 'file-odd' | 'file-unreadable', file: string, says: string): FileContent {
  return { is: 'unreadable', problem: { code, severity: 'error', message: `this file ${says}`, file } };
}
