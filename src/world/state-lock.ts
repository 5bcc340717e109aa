/** Is this the only daemon of its state directory? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import { describeProcess } from './describe-process.ts';
import { inWords } from './errno.ts';
import { toolPath } from './tools.ts';

/**
 * Takes the lock of flock(2) on a file and keeps it as long as this process lives. flock(1) takes it on our open file,
 * which outlives that program: the kernel gives the lock back at the latest when we end, so none can be stale.
 * @returns how to give it back
 */
export function lockFile(path: string): { readonly unlock: () => void } | Problem {
  const flock = toolPath('flock');
  if (flock === undefined) {
    return {
      code: 'state-unwritable',
      severity: 'error',
      message: 'flock (util-linux) is needed and not installed',
    };
  }
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    return {
      code: 'state-unwritable',
      severity: 'error',
      message: `${path} cannot be opened: ${inWords(error)}`,
    };
  }
  const { status, error } = spawnSync(flock, ['-n', '-x', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
  });
  if (status === 0) {
    tellWho(fd);
    return { unlock: () => fs.closeSync(fd) };
  }
  const holder = Number(fs.readFileSync(path, 'utf8'));
  fs.closeSync(fd);
  // flock(1) answers 1 when somebody else has the lock.
  if (status === 1) return taken(path, holder);
  const why = error === undefined ? `flock answered ${status}` : inWords(error);
  return { code: 'state-unwritable', severity: 'error', message: `${path} cannot be locked: ${why}` };
}

/** Only for people: on a disk that is full, the lock holds without it. */
function tellWho(fd: number): void {
  try {
    fs.ftruncateSync(fd);
    fs.writeSync(fd, `${process.pid}\n`, 0);
  } catch {
    // Whoever finds the file empty is told that nobody wrote his id there.
  }
}

function taken(path: string, holder: number): Problem {
  const known = Number.isInteger(holder) && holder > 0;
  const who = known ? describeProcess(holder) : 'a process that did not write its id there';
  return {
    code: 'daemon-running',
    severity: 'error',
    message: `a daemon already holds ${path}: ${who}`,
    hint: 'stop it first, or give this one a state_directory of its own',
  };
}
