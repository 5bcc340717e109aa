/** Is a pid file left over from a process that is gone, and may it be removed? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { codeOf, inWords } from './errno.ts';
import { hasEnded, seenStat, TICKS_PER_SECOND } from './procfs.ts';
import { openLogForReading } from './safe-open.ts';
import { Refused, walkTo } from './safe-walk.ts';

/** A pid and a newline, generously; bytes. */
const LONGEST = 64;

/** Clocks and file systems round: a process this much younger than the file may still have written it. Milliseconds. */
const SLACK = 2000;

/**
 * Removes the pid file of a service before it is started, if the process that it names is gone, or was started after
 * the file was written (its number was given away again). A file that names a living process is left alone; so is one
 * on a path that the user of the service could have bent.
 * @returns a warning when the file is left alone although the service is not running
 */
export function clearStalePidFile(path: string, credentials: Credentials | null): Problem | undefined {
  const opened = openLogForReading(path, credentials);
  if ('code' in opened) return fs.existsSync(path) ? kept(path, opened.message) : undefined;
  const found = readPidFile(opened.fd);
  fs.closeSync(opened.fd);
  if (found === undefined) return kept(path, 'it does not hold a process id');
  try {
    if (whatItMeans(found) !== 'gone')
      return kept(path, `process ${found.pid} lives and may have written it`);
  } catch (error) {
    return kept(path, `it cannot be seen whether process ${found.pid} lives: ${inWords(error)}`);
  }
  try {
    walkTo(path, null, (place) => {
      fs.unlinkSync(place);
      return 0;
    });
    return undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    return kept(path, error instanceof Refused ? error.message : inWords(error));
  }
}

/** What a pid file says. */
export interface WrittenPid {
  readonly pid: number;
  /** When the file was written; milliseconds since 1970. */
  readonly writtenAt: number;
}

/** undefined: there is no process id in it. */
export function readPidFile(fd: number): WrittenPid | undefined {
  const bytes = Buffer.alloc(LONGEST);
  const text = bytes
    .subarray(0, fs.readSync(fd, bytes, 0, LONGEST, 0))
    .toString('latin1')
    .trim();
  if (!/^[1-9]\d{0,9}$/.test(text)) return undefined;
  return { pid: Number(text), writtenAt: fs.fstatSync(fd).mtimeMs };
}

/** `perhaps`: a process with this number began at about the moment when the file was written. */
export type PidFileMeans = 'gone' | 'perhaps' | 'lives';

/** The number alone proves nothing: it may be somebody else's by now. Throws when it could not be looked at. */
export function whatItMeans({ pid, writtenAt }: WrittenPid): PidFileMeans {
  const stat = seenStat(pid);
  if (stat === undefined || hasEnded(stat)) return 'gone';
  const startedAt = bootedAt() + (stat.startTicks * 1000) / TICKS_PER_SECOND;
  if (startedAt > writtenAt + SLACK) return 'gone';
  return startedAt > writtenAt - SLACK ? 'perhaps' : 'lives';
}

/** `btime` of proc_stat(5): when the host booted, in milliseconds since 1970. */
function bootedAt(): number {
  const line = /^btime (\d+)$/m.exec(fs.readFileSync('/proc/stat', 'utf8'));
  return Number(line?.[1] ?? 0) * 1000;
}

function kept(path: string, why: string): Problem {
  return {
    code: 'pid-file-kept',
    severity: 'warning',
    message: `the pid file ${path} is left alone: ${why}`,
    path: 'pid_file',
  };
}
