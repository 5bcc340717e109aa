/** How does this program keep its own pid file, and whose is the one that it finds? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { describeProcess } from './describe-process.ts';
import { inWords } from './errno.ts';
import { makeDirectories } from './make-directories.ts';
import { type PidFileMeans, readPidFile, whatItMeans } from './pid-file.ts';
import { seenProc } from './procfs.ts';
import { openLogForReading } from './safe-open.ts';
import { toolPath } from './tools.ts';

/** Two programs that start at the same moment wait for one another, at most so many milliseconds. */
const TURN = 5000;

/**
 * Writes the id of this process to a file, atomically, and makes missing directories. A file that is left from a
 * process that is gone is replaced, also when its number belongs to somebody else by now; that of a living one is not.
 * @param path absolute
 * @returns `release` removes the file, if it is still ours
 */
export function claimPidFile(path: string): { readonly release: () => void } | Problem {
  try {
    makeDirectories(dirname(path));
    return inTurn(dirname(path), () => claim(path));
  } catch (error) {
    return refused(`the pid file ${path} cannot be written: ${inWords(error)}`);
  }
}

function claim(path: string): { readonly release: () => void } | Problem {
  const problem = holderOf(path);
  if (problem !== undefined) return problem;
  const fresh = `${path}.${process.pid}`;
  fs.rmSync(fresh, { force: true });
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
  const fd = fs.openSync(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
  try {
    fs.writeSync(fd, `${process.pid}\n`);
    fs.renameSync(fresh, path);
  } catch (error) {
    fs.rmSync(fresh, { force: true });
    throw error;
  } finally {
    fs.closeSync(fd);
  }
  const { dev, ino } = fs.lstatSync(path);
  return { release: () => release(path, dev, ino) };
}

/** undefined: nobody who lives has it. */
function holderOf(path: string): Problem | undefined {
  const opened = openLogForReading(path, null);
  if ('code' in opened) {
    // A link that leads nowhere is replaced as a file would be.
    if (!fs.existsSync(path)) return undefined;
    return refused(`${path} is no pid file: ${opened.message}`);
  }
  const found = readPidFile(opened.fd);
  const { size } = fs.fstatSync(opened.fd);
  fs.closeSync(opened.fd);
  if (found === undefined) {
    return size === 0 ? undefined : refused(`${path} is no pid file: it does not hold a process id`);
  }
  // In a container the numbers are the same at each start: a file with our own is not ours yet, so it is old.
  if (found.pid === process.pid || !isHeld(found.pid, whatItMeans(found))) return undefined;
  return {
    ...refused(`already running: process ${describeProcess(found.pid)} wrote the pid file ${path}`),
    code: 'daemon-running',
    hint: 'end it first, or give this one a pid file of its own',
  };
}

/** A process that began at about the moment when the file was written is told by its command. */
function isHeld(pid: number, means: PidFileMeans): boolean {
  if (means !== 'perhaps') return means === 'lives';
  return (seenProc(`${pid}/cmdline`) ?? '').includes('processmaster');
}

function release(path: string, dev: number, ino: number): void {
  try {
    const now = fs.lstatSync(path);
    if (now.dev === dev && now.ino === ino) fs.unlinkSync(path);
  } catch {
    // Somebody else has removed it.
  }
}

/** Looking and replacing is one step for all who do it this way. Without flock(1), it is only nearly so. */
function inTurn<Value>(directory: string, act: () => Value): Value {
  const flock = toolPath('flock');
  if (flock === undefined) return act();
  const fd = fs.openSync(directory, fs.constants.O_RDONLY);
  try {
    spawnSync(flock, ['-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd], timeout: TURN });
    return act();
  } finally {
    fs.closeSync(fd);
  }
}

function refused(message: string): Problem {
  return { code: 'state-unwritable', severity: 'error', message };
}
