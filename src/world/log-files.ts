/** How are log files read, byte by byte, by those who show them? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { codeOf } from './errno.ts';
import { openLogForReading } from './safe-open.ts';
import type { Failure } from './world.ts';

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
  return 'code' in opened ? opened : logFile(opened.fd);
};

function logFile(fd: number): LogFile {
  const { dev, ino } = fs.fstatSync(fd, { bigint: true });
  return {
    identity: `${dev}.${ino}`,
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
