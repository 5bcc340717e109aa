/** How are log files read, byte by byte, by those who show them? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { codeOf, inWords, passing } from './errno.ts';
import type { LogPlace } from './log-place.ts';
import { openLogForReading } from './safe-open.ts';
import { foreignSecondName } from './second-name.ts';
import { identityOrClose, statusOrClose } from './status-or-close.ts';
import type { Failure } from './world.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants;

/** One file, opened once: renaming or removing it changes nothing for the holder. */
export interface LogFile {
  /** Two files are the same exactly if their identities are: device and inode. */
  readonly identity: string;
  /** Bytes now. */
  size(): number | Failure;
  /** At most `length` bytes from `position`; fewer at the end of the file. */
  read(position: number, length: number): Uint8Array | Failure;
  close(): void;
}

/** Opens what stands at a path now. */
export type OpenLogFile = (path: string, credentials: Credentials | null) => LogFile | Problem;

/** Safe against what the user of the service may have planted; see openLogForReading. */
export const openLogFile: OpenLogFile = (path, credentials) => {
  const opened = openLogForReading(path, credentials);
  if ('code' in opened) return opened;
  try {
    return logFile(opened.fd);
  } catch (error) {
    return unreadable(path, error);
  }
};

/** A name without a file, a link (O_NOFOLLOW), a socket: open(2). */
const NOTHING_ROTATED: ReadonlySet<string> = new Set(['ENOENT', 'ELOOP', 'ENXIO']);

/**
 * Opens a rotated file of a log; undefined when it is gone, or is nothing that rotation can have made for this user: no
 * link, no special file, no second name of what belongs to somebody else. A Problem: it cannot be opened just now.
 */
export function openRotatedFile(
  place: LogPlace,
  name: string,
  credentials: Credentials | null,
): LogFile | undefined | Problem {
  try {
    const fd = fs.openSync(place.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    const found = statusOrClose(fd);
    if (found.isFile() && foreignSecondName(found, credentials) === undefined) return logFile(fd);
    fs.closeSync(fd);
    return undefined;
  } catch (error) {
    return NOTHING_ROTATED.has(codeOf(error)) ? undefined : unreadable(name, error);
  }
}

function unreadable(what: string, error: unknown): Problem {
  const message = `${what} cannot be read: ${inWords(error)}`;
  return { code: 'log-unreadable', severity: 'error', message, ...passing(error) };
}

/** Reads by the descriptor, and closes it in the end. Throws what fstat(2) answers; then it is closed already. */
export function logFile(fd: number): LogFile {
  return {
    identity: identityOrClose(fd),
    size: () => attempt(() => fs.fstatSync(fd).size),
    read: (position, length) =>
      attempt(() => {
        const bytes = Buffer.allocUnsafe(length);
        return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, position));
      }),
    close: () => fs.closeSync(fd),
  };
}

function attempt<Answer>(action: () => Answer): Answer | Failure {
  try {
    return action();
  } catch (error) {
    return { failed: codeOf(error) };
  }
}

/** Device and inode, as in LogFile, of a path or a descriptor; undefined when it is not there. */
export function identityOf(file: string | number): string | undefined {
  try {
    const { dev, ino } =
      typeof file === 'string' ? fs.statSync(file, { bigint: true }) : fs.fstatSync(file, { bigint: true });
    return `${dev}.${ino}`;
  } catch {
    return undefined;
  }
}
