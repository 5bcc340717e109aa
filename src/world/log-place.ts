/** Where do a log and its rotated files lie, without a link that the user of the service may have planted? */
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { inWords } from './errno.ts';
import { pathBehind } from './path-behind.ts';
import { hasCode, Refused, walkTo } from './safe-walk.ts';
import { foreignSecondName, isSelf } from './second-name.ts';
import { statusOrClose } from './status-or-close.ts';

const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_DIRECTORY } =
  fs.constants;

/** A directory that stays the same one, whatever is renamed around it, and the name of the log in it. */
export interface LogPlace {
  /** The real name: of the file itself, if the path is a link that may be followed. */
  readonly base: string;
  /** A path to what has this name in the directory. */
  at(name: string): string;
  names(): readonly string[];
  close(): void;
}

/**
 * By the rules of openLog in safe-open.ts: where the user of the service is not the one of the daemon, no link is
 * followed out of a directory that somebody else may write.
 * @param path of the log, absolute; it need not exist, its directory must
 * @throws the error of the system call, or Refused
 */
export function openPlace(path: string, credentials: Credentials | null): LogPlace {
  if (isSelf(credentials)) {
    const real = pathBehind(path);
    // A way there is also behind a path whose directory is gone.
    fs.accessSync(dirname(real));
    return placeIn(dirname(real), basename(real), () => undefined);
  }
  let base = '';
  const fd = walkTo(path, null, (place) => {
    base = basename(place);
    // The link of the kernel to the directory that the walk holds open.
    return fs.openSync(dirname(place), O_RDONLY | O_DIRECTORY);
  });
  return placeIn(`/proc/self/fd/${fd}`, base, () => fs.closeSync(fd));
}

/**
 * Opens the active log for reading, truncating and appending.
 * @returns undefined when it is not there or is no regular file (/dev/null): nothing to rotate
 * @throws the error of the system call, or Refused
 */
export function openActive(place: LogPlace, credentials: Credentials | null): number | undefined {
  const path = place.at(place.base);
  const before = fs.lstatSync(path, { throwIfNoEntry: false });
  if (before === undefined || before.isCharacterDevice()) return undefined;
  const fd = fs.openSync(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  const found = statusOrClose(fd);
  const foreign = foreignSecondName(found, credentials);
  if (found.isFile() && foreign === undefined) return fd;
  fs.closeSync(fd);
  if (foreign === undefined) return undefined;
  throw new Refused(`the file ${foreign}`);
}

/** A new file with the owner and the permissions of the log; nobody's place is taken (EEXIST). */
export function createBeside(place: LogPlace, name: string, like: fs.Stats): number {
  const fd = fs.openSync(place.at(name), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    const made = fs.fstatSync(fd);
    if (made.uid !== like.uid || made.gid !== like.gid) fs.fchownSync(fd, like.uid, like.gid);
    fs.fchmodSync(fd, like.mode & 0o777);
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    fs.rmSync(place.at(name), { force: true });
    throw error;
  }
}

/** Without it a new name may be lost at a power cut although the content is on disk (fsync(2), NOTES). */
export function syncNames(place: LogPlace): void {
  const fd = fs.openSync(place.at('.'), O_RDONLY | O_DIRECTORY);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** The same without holding up this process: a busy disk takes its time. */
export async function syncNamesSoon(place: LogPlace): Promise<void> {
  const fd = fs.openSync(place.at('.'), O_RDONLY | O_DIRECTORY);
  try {
    await promisify(fs.fsync)(fd);
  } finally {
    fs.closeSync(fd);
  }
}

const NO_ROOM =
  'rotation makes a copy, which needs as much room as the log has: make room, and it goes on by itself';

/** What a failed rotation is to a person; throws on what is no failure of the system. */
export function rotationTrouble(path: string, error: unknown): Problem {
  const refused = error instanceof Refused;
  if (!refused && !isSystemError(error)) throw error;
  return {
    code: refused || hasCode(error, 'ELOOP') ? 'log-unsafe' : 'log-not-rotated',
    severity: 'error',
    message: `${path} cannot be rotated: ${refused ? error.message : inWords(error)}`,
    ...(hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT') ? { hint: NO_ROOM } : {}),
  };
}

export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

function placeIn(directory: string, base: string, close: () => void): LogPlace {
  return {
    base,
    at: (name) => join(directory, name),
    names: () => fs.readdirSync(directory),
    close,
  };
}
