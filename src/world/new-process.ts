/** In which of two ways is a process created, and who is told of its end? */
import { spawn } from 'node:child_process';
import os from 'node:os';
import type { Readable } from 'node:stream';
import { Children, type ProcessEnd } from './children.ts';
import { type Libc, libc } from './libc.ts';
import { openPipe } from './pipe.ts';
import { type ProcessRequest, posixSpawn } from './posix-spawn.ts';

export interface Request extends ProcessRequest {
  /** Its stderr is to be listened to, instead of what `descriptors` say of it. */
  readonly isHeard: boolean;
}

/** Called once when the process has ended, and all that it had to say has been heard. */
export type Ended = (end: ProcessEnd, said: string) => void;

export interface NewProcess {
  readonly pid: number;
  /** Nobody is told of its end any more, and this program need not wait for it. */
  readonly release: () => void;
}

/** @param failed the code of an error of the kernel; undefined where node tells none in time */
interface NotCreated {
  readonly failed: string | undefined;
}

/** More than any message of a launcher; the rest is dropped. */
const SAID_LIMIT = 4096;

let children: Children | undefined;

/** What either way answers; whether somebody still wants to hear of the end is not its matter. */
interface Created {
  readonly pid: number;
  /** This program need not wait for it any more. */
  readonly unref: () => void;
}

/** Takes from half a millisecond to two, until the program is being executed. */
export function createProcess(request: Request, ended: Ended): NewProcess | NotCreated {
  let released = false;
  const tell: Ended = (end, said) => {
    if (!released) ended(end, said);
  };
  const found = libc();
  const directly = 'functions' in found ? createDirectly(found.functions, request, tell) : undefined;
  const created = directly ?? createByNode(request, tell);
  if (!('pid' in created)) return created;
  const { pid, unref } = created;
  return {
    pid,
    release: () => {
      released = true;
      unref();
    },
  };
}

/** See `World.forking`. */
export function whyForked(): string | null {
  const found = libc();
  return 'missing' in found ? found.missing : null;
}

/** @returns undefined: that is nothing for it */
function createDirectly(functions: Libc, request: Request, ended: Ended): Created | NotCreated | undefined {
  // Before anything is created: it may end at once.
  children ??= new Children(functions);
  const pipe = request.isHeard ? openPipe(functions) : undefined;
  if (typeof pipe === 'string') return { failed: pipe };
  const descriptors =
    pipe === undefined
      ? request.descriptors
      : request.descriptors.map((each, number) => (number === 2 ? pipe.mouth : each));
  let pid: number | string | undefined;
  try {
    pid = posixSpawn(functions, { ...request, descriptors });
  } finally {
    if (typeof pid !== 'number') pipe?.close();
  }
  if (typeof pid !== 'number') return pid === undefined ? undefined : { failed: pid };
  const ear = pipe?.listen();
  const heard = ear === undefined ? undefined : hear(ear);
  children.add(pid, (end) => {
    if (heard === undefined) ended(end, '');
    else heard.whenOver(() => ended(end, heard.said()));
  });
  // Closing it could end a launcher that still has its last word to say: it only stops holding us.
  return { pid, unref: () => ear?.unref() };
}

function createByNode(request: Request, ended: Ended): Created | NotCreated {
  const [file, ...args] = request.argv;
  const child = spawn(file, args, {
    cwd: request.workingDirectory,
    env: request.environment,
    detached: true,
    stdio: stdioOf(request),
  });
  // Missing where there was no descriptor left, which the types of node do not say.
  const stderr: Readable | null | undefined = child.stderr;
  const heard = stderr == null ? undefined : hear(stderr);
  // What went wrong is told by the missing pid; without a listener node would throw.
  child.on('error', () => undefined);
  // It comes when the process has ended and all that it had to say has been read.
  child.on('close', (code, signal) => {
    const number = signal === null ? null : os.constants.signals[signal];
    if (child.pid !== undefined) ended({ code, signal: number }, heard?.said() ?? '');
  });
  if (child.pid === undefined) return { failed: undefined };
  return {
    pid: child.pid,
    unref: () => {
      child.unref();
      if (stderr != null && 'unref' in stderr && typeof stderr.unref === 'function') stderr.unref();
    },
  };
}

/** By itself: what listens for the end must not hold the request, whose environment would weigh more than all else. */
function stdioOf({ descriptors, isHeard }: Request): (number | 'ignore' | 'pipe')[] {
  return Array.from(descriptors, (each, number) => {
    if (number === 2 && isHeard) return 'pipe';
    // Numbers that nobody asked for are not open in the process: `ignore` is /dev/null for the first three only.
    return typeof each === 'number' ? each : 'ignore';
  });
}

interface Heard {
  readonly said: () => string;
  /** At once where nothing more can come. */
  readonly whenOver: (then: () => void) => void;
}

function hear(stream: Readable): Heard {
  let said = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < SAID_LIMIT) said += text;
  });
  stream.on('error', () => undefined);
  return {
    said: () => said,
    whenOver: (then) => {
      if (stream.closed) then();
      else stream.once('close', then);
    },
  };
}
