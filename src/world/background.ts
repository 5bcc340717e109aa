/** How does a program go on when the one that started it has ended? */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './errno.ts';
import { makeDirectories } from './make-directories.ts';
import { type Failure, isFailure } from './world.ts';

export interface BackgroundProgram {
  /** Absolute: the log that takes what it says; made with its directory when missing. */
  readonly log: string;
  readonly argv: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Background {
  readonly pid: number;
  /** How it has ended: an exit code or the name of a signal; undefined while it runs. */
  ended(): number | string | undefined;
  /** What was appended to the log since it was started, at most its last 64 KiB. */
  said(): string;
}

const FAR_BACK = 65_536;

/** In a session of its own (setsid(2)), without a terminal: no signal of the shell reaches it. */
export async function startInBackground(program: BackgroundProgram): Promise<Background | Failure> {
  const { log, argv, directory, environment } = program;
  const fd = openLog(log);
  if (isFailure(fd)) return fd;
  const start = fs.fstatSync(fd).size;
  const [file = '', ...args] = argv;
  const child = spawn(file, args, {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: ['ignore', fd, fd],
  });
  fs.closeSync(fd);
  const failed = await new Promise<Failure | undefined>((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', (error) => resolve({ failed: codeOf(error) }));
  });
  if (failed !== undefined) return failed;
  child.unref();
  return {
    pid: child.pid ?? 0,
    ended: () => child.exitCode ?? child.signalCode ?? undefined,
    said: () => readFrom(log, start),
  };
}

function openLog(path: string): number | Failure {
  try {
    // 0700, as the daemon makes its state directory.
    makeDirectories(dirname(path), 0o700);
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    return fs.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o640);
  } catch (error) {
    return { failed: codeOf(error) };
  }
}

function readFrom(path: string, start: number): string {
  try {
    const text = fs.readFileSync(path).subarray(start);
    return text.subarray(Math.max(0, text.length - FAR_BACK)).toString('utf8');
  } catch {
    return '';
  }
}
