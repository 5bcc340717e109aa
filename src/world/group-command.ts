/** How is a program run whose answer is wanted, so that nothing of it outlives the time that it is given? */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { codeOf, inWords } from './errno.ts';
import { afterDelay } from './long-timer.ts';

export interface GroupCommand {
  readonly argv: readonly string[];
  /** Absent: that of this program. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Absent: that of this program. */
  readonly directory?: string;
  /** Absent: its standard input is /dev/null. */
  readonly input?: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** Its end is the end of the program as well. */
  readonly cancel?: AbortSignal | undefined;
  /** Of each of the two outputs; more is a failure. 0: both are /dev/null. Bytes. */
  readonly most: number;
  /** This program does not stay for the answer when it has nothing else to do. */
  readonly background?: boolean;
}

export interface GroupAnswer {
  /** Of the program; 1 where it has none of its own. */
  readonly code: number;
  /** What ended it; null where it ended by itself, or was not run to its end. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Why it could not be run to its end; undefined: it ended by itself. */
  readonly failed?: 'missing' | 'too_slow' | 'too_much' | 'cancelled' | (string & {});
}

/** Node makes none of them where there was no descriptor left (EMFILE), which its own types do not say. */
interface Streams {
  readonly stdin?: Writable | null;
  readonly stdout?: Readable | null;
  readonly stderr?: Readable | null;
}

/**
 * In a session of its own: at the limit it is killed with all of its process group, such as the ssh that a Git waits
 * for, and none of them can ask a terminal for a password. Never rejects.
 */
export function runInGroup(command: GroupCommand): Promise<GroupAnswer> {
  const { input, timeout, cancel, most, background = false } = command;
  return new Promise((resolve) => {
    if (cancel?.aborted === true) {
      resolve(without('cancelled'));
      return;
    }
    const child = start(command);
    if (typeof child === 'string') {
      resolve(without(child));
      return;
    }
    const { stdin, stdout, stderr }: Streams = child;
    const outputs = [stdout, stderr].map((stream) => ({ stream, chunks: [] as Buffer[], size: 0 }));
    const finish = (answer: Pick<GroupAnswer, 'code' | 'signal' | 'failed'>): void => {
      timer.cancel();
      cancel?.removeEventListener('abort', cancelled);
      const [out = Buffer.alloc(0), err = Buffer.alloc(0)] = outputs.map(({ chunks }) =>
        Buffer.concat(chunks),
      );
      resolve({ ...answer, stdout: out, stderr: err });
    };
    const end = (failed: string): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // All of it has ended by itself.
      }
      // Whatever has left the group may still hold them.
      for (const { stream } of outputs) stream?.destroy();
      finish({ code: 1, signal: null, failed });
    };
    const cancelled = (): void => end('cancelled');
    const timer = afterDelay(timeout, () => end('too_slow'));
    cancel?.addEventListener('abort', cancelled);
    for (const output of outputs) {
      output.stream?.on('data', (chunk: Buffer) => {
        output.size += chunk.length;
        if (output.size > most) end('too_much');
        else output.chunks.push(chunk);
      });
    }
    child.on('error', (error) => finish({ code: 1, signal: null, failed: reason(error) }));
    child.on('close', (code, signal) => finish({ code: code ?? 1, signal }));
    // One that has ended already reads no more.
    stdin?.on('error', () => {});
    stdin?.end(input);
    if (!background) return;
    child.unref();
    timer.unref();
    for (const stream of [stdin, stdout, stderr]) if (stream instanceof Socket) stream.unref();
  });
}

/** @returns why there is none: some errors are thrown, others told as an event */
function start({ argv, environment, directory, input, most }: GroupCommand): ChildProcess | string {
  const [file = '', ...args] = argv;
  const output = most === 0 ? 'ignore' : 'pipe';
  const stdio: StdioOptions = [input === undefined ? 'ignore' : 'pipe', output, output];
  try {
    return spawn(file, args, { env: environment, cwd: directory, detached: true, stdio });
  } catch (error) {
    return reason(error);
  }
}

function reason(error: unknown): string {
  return codeOf(error) === 'ENOENT' ? 'missing' : inWords(error);
}

function without(failed: string): GroupAnswer {
  return { code: 1, signal: null, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), failed };
}
