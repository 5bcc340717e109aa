/** Is this the only daemon of its state directory? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { describeProcess } from './describe-process.ts';
import { codeOf, inWords } from './errno.ts';
import { libc } from './libc.ts';
import { makeDirectories } from './make-directories.ts';
import { blockFor } from './pause.ts';
import { toolPath } from './tools.ts';

/** A launch that a killed daemon had under way holds its lock until it executes: a moment. */
const TRIES = 6;
const PAUSE = 50;

const { O_RDONLY, O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/** <sys/file.h> */
const LOCK_EX = 2;
const LOCK_NB = 4;

/** The same file in either containment: a daemon that changes from one to the other meets those that have not. */
const PLACE = 'runs';

/** Where runs that are sessions are recorded. */
export function runsDirectory(stateDirectory: string): string {
  return join(stateDirectory, PLACE);
}

/** What no two daemons of one state directory have. */
export interface StateLock {
  readonly unlock: () => void;
  /** False: its file is gone, or another one stands in its place. */
  readonly isThere: () => boolean;
  /** Takes it again if its file is not there any more, for the next daemon would lock another one. */
  readonly renew: () => Problem | undefined;
}

/** Others may use the same directory. Only for tests. */
export const NO_LOCK: StateLock = { unlock: () => undefined, isThere: () => true, renew: () => undefined };

export function lockState(stateDirectory: string): StateLock | Problem {
  const path = join(runsDirectory(stateDirectory), 'lock');
  let lock = lockMade(path, TRIES);
  if ('code' in lock) return lock;
  let { fd } = lock;
  return {
    unlock: () => fs.closeSync(fd),
    isThere: () => isAt(path, fd),
    renew: () => {
      if (isAt(path, fd)) return undefined;
      // Nobody waits here: the loop stands still meanwhile.
      lock = lockMade(path, 1);
      if ('code' in lock) return lock;
      fs.closeSync(fd);
      fd = lock.fd;
      return undefined;
    },
  };
}

interface Locked {
  readonly fd: number;
}

function lockMade(path: string, tries: number): Locked | Problem {
  const directory = dirname(path);
  try {
    makeDirectories(directory, 0o700);
  } catch (error) {
    return unwritable(`${directory} cannot be made: ${inWords(error)}`);
  }
  return lockFile(path, tries);
}

function isAt(path: string, fd: number): boolean {
  try {
    const [there, own] = [fs.statSync(path), fs.fstatSync(fd)];
    return there.ino === own.ino && there.dev === own.dev;
  } catch (error) {
    // Nothing follows from a path that cannot be looked at now: our own lock would be taken for that of another one.
    return !['ENOENT', 'ENOTDIR'].includes(codeOf(error));
  }
}

/**
 * Takes the lock of flock(2) on a file and keeps it as long as this process lives, or until it is given back: the kernel
 * does that at the latest when we end, and what we start does not inherit the open file, so none can be stale.
 */
function lockFile(path: string, tries: number): Locked | Problem {
  // A file system with a file that is open for writing cannot be remounted read-only; over NFS none else can be locked.
  const lock = lockOpened(path, O_RDONLY, tries);
  return 'code' in lock && lock.code !== 'daemon-running' ? lockOpened(path, O_RDWR, tries) : lock;
}

function lockOpened(path: string, access: number, tries: number): Locked | Problem {
  let fd: number;
  try {
    fd = fs.openSync(path, access | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (error) {
    return unwritable(`${path} cannot be opened: ${inWords(error)}`);
  }
  // What is written into a fifo waits for somebody who reads it.
  if (!fs.fstatSync(fd).isFile()) {
    fs.closeSync(fd);
    return unwritable(`${path} cannot be locked: ${inWords('ENOTREG')}`);
  }
  let answer = tryToLock(fd);
  for (let attempt = 1; answer === 'taken' && attempt < tries; attempt++) {
    // At start nothing else is to be done meanwhile.
    blockFor(PAUSE);
    answer = tryToLock(fd);
  }
  if (answer === 'locked') {
    tellWho(path);
    return { fd };
  }
  const holder = Number(fs.readFileSync(path, 'utf8'));
  fs.closeSync(fd);
  return answer === 'taken' ? taken(path, holder) : unwritable(`${path} cannot be locked: ${answer.why}`);
}

type Answer = 'locked' | 'taken' | { readonly why: string };

/** flock(1) takes it on our open file, which outlives that program. */
function tryToLock(fd: number): Answer {
  const found = libc();
  if ('functions' in found) {
    const { flock, errno } = found.functions;
    if (flock(fd, LOCK_EX | LOCK_NB) === 0) return 'locked';
    const code = errno();
    return code === os.constants.errno.EWOULDBLOCK ? 'taken' : { why: `flock(2) answered ${code}` };
  }
  const tool = toolPath('flock');
  if (tool === undefined) return { why: 'flock (util-linux) is needed and not installed' };
  const { status, error } = spawnSync(tool, ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  if (status === 0) return 'locked';
  // flock(1) answers 1 when somebody else has the lock.
  if (status === 1) return 'taken';
  return { why: error === undefined ? `flock answered ${status}` : inWords(error) };
}

/** Only for people: on a disk that is full, the lock holds without it. */
function tellWho(path: string): void {
  try {
    fs.writeFileSync(path, `${process.pid}\n`);
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

function unwritable(message: string): Problem {
  return { code: 'state-unwritable', severity: 'error', message };
}
