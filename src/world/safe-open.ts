/** How is a file opened on a path through which the user of a service may have planted a link? */
import fs from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { codeOf, inWords, passing } from './errno.ts';
import { makeDirectories } from './make-directories.ts';
import { hasCode, Refused, walkTo } from './safe-walk.ts';
import { foreignSecondName, isSelf } from './second-name.ts';
import { statusOrClose } from './status-or-close.ts';

const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants;

/** Neither a fifo nor a terminal can hold the daemon up or become its own. */
const GUARDED = O_NONBLOCK | O_NOCTTY;
const NEW_FILE = 0o640;
/** open(2), ENXIO: in the words of strerror(3) nobody would look for a fifo. */
const NOBODY_THERE = 'it is a fifo that nobody reads, a socket, or a device that is not there (ENXIO)';

/** Linux: the character device 1:3 (null(4)). */
const NULL_DEVICE = 0x103;

/**
 * Opens a log for appending and makes it (0640) and missing directories (0750) for the user of the service.
 *
 * Where that user is not the one of the daemon, no symbolic link is followed out of a directory that somebody else
 * than root or the daemon's user may write, at any place of the path; nothing but a regular file (or /dev/null) is
 * opened, and no file with a second name unless it belongs to that user.
 * @param path absolute
 * @param credentials the user of the service; null: the daemon's own
 * @param expected a directory that has to be there, and is not to be made on the way to the log
 * @returns the descriptor, which the caller closes; `working-directory-missing`, `log-unsafe` or `log-unwritable`
 */
export function openLog(
  path: string,
  credentials: Credentials | null,
  expected?: string,
): { readonly fd: number } | Problem {
  return guarded(path, 'log-unwritable', () => {
    const flags = O_WRONLY | O_APPEND | GUARDED;
    if (isSelf(credentials)) return openOwn(path, flags | O_CREAT, expected);
    if (expected !== undefined) mustBeThere(expected);
    const fd = walkTo(path, credentials, (place) => openOrCreate(place, flags, credentials));
    return checked(fd, credentials);
  });
}

/**
 * Opens a file that is shown to people, by the same rules as {@link openLog}.
 * @returns the descriptor, which the caller closes; `log-unsafe` or `log-unreadable`
 */
export function openLogForReading(
  path: string,
  credentials: Credentials | null,
): { readonly fd: number } | Problem {
  return guarded(path, 'log-unreadable', () => {
    const flags = O_RDONLY | GUARDED;
    if (isSelf(credentials)) return checked(fs.openSync(path, flags), null);
    const fd = walkTo(path, null, (place) => fs.openSync(place, flags | O_NOFOLLOW));
    return checked(fd, credentials);
  });
}

/** Closes what {@link openLog} opened. */
export function closeLog(fd: number): void {
  fs.closeSync(fd);
}

/** The one step that nearly every start takes: directories are made only when they turn out to be missing. */
function openOwn(path: string, flags: number, expected: string | undefined): number {
  try {
    return checked(fs.openSync(path, flags, NEW_FILE), null);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    if (expected !== undefined) mustBeThere(expected);
    makeDirectories(normalize(`${path}/..`), 0o750);
    return checked(fs.openSync(path, flags, NEW_FILE), null);
  }
}

class NotThere extends Error {}

/** What else may be wrong with it is told by whoever uses it. */
function mustBeThere(directory: string): void {
  if (fs.statSync(directory, { throwIfNoEntry: false }) === undefined) {
    throw new NotThere(`the working directory ${directory} does not exist`);
  }
}

/**
 * First without O_CREAT: with it, the kernel refuses an existing file of another user in a sticky directory
 * (fs.protected_regular), and only O_EXCL tells for sure that the file is new and may be given away.
 */
function openOrCreate(place: string, flags: number, owner: Credentials): number {
  for (let attempt = 0; ; attempt++) {
    try {
      return fs.openSync(place, flags | O_NOFOLLOW);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || attempt === 3) throw error;
    }
    try {
      return given(fs.openSync(place, flags | O_NOFOLLOW | O_CREAT | O_EXCL, NEW_FILE), owner);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
  }
}

function given(fd: number, owner: Credentials): number {
  try {
    fs.fchownSync(fd, owner.uid, owner.gid);
    // The umask of the daemon is not that of the log.
    fs.fchmodSync(fd, NEW_FILE);
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** What was opened counts, not what stood there before: so it is judged by its descriptor. */
function checked(fd: number, owner: Credentials | null): number {
  const found = statusOrClose(fd);
  const isNull = found.isCharacterDevice() && found.rdev === NULL_DEVICE;
  const foreign = foreignSecondName(found, owner);
  if (foreign === undefined && (found.isFile() || isNull)) return fd;
  fs.closeSync(fd);
  throw new Refused(foreign === undefined ? 'it is no regular file' : `the file ${foreign}`);
}

function guarded(
  path: string,
  code: 'log-unwritable' | 'log-unreadable',
  open: () => number,
): { readonly fd: number } | Problem {
  if (!isAbsolute(path) || path.includes('\0')) {
    return { code, severity: 'error', message: `${JSON.stringify(path)} is no absolute path` };
  }
  try {
    return { fd: open() };
  } catch (error) {
    if (error instanceof NotThere) {
      return { code: 'working-directory-missing', severity: 'error', message: error.message };
    }
    const refused = error instanceof Refused;
    // A link that was put there between looking and opening.
    const unsafe = refused || hasCode(error, 'ELOOP');
    const doing = code === 'log-unreadable' ? 'read' : 'appended to';
    const why = refused ? error.message : hasCode(error, 'ENXIO') ? NOBODY_THERE : inWords(error);
    return {
      code: unsafe ? 'log-unsafe' : code,
      severity: 'error',
      message: `${path} cannot be ${doing}: ${why}`,
      ...(unsafe ? {} : passing(error)),
    };
  }
}
