/** How is a program run whose answer is wanted, so that nothing of it outlives the time that it is given? */
import { spawn } from 'node:child_process';

export interface GroupCommand {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly input: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** Its end is the end of the program as well. */
  readonly cancel?: AbortSignal | undefined;
  /** Of each of the two outputs; more is a failure. Bytes. */
  readonly most: number;
}

export interface GroupAnswer {
  /** Of the program; 1 where it has none of its own. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Why it could not be run to its end; undefined: it ended by itself. */
  readonly failed?: 'missing' | 'too_slow' | 'too_much' | 'cancelled' | (string & {});
}

/**
 * In a session of its own: at the limit it is killed with all of its process group, such as the ssh that a Git waits
 * for, and none of them can ask a terminal for a password. Never rejects.
 */
export function runInGroup(command: GroupCommand): Promise<GroupAnswer> {
  const { argv, environment, input, timeout, cancel, most } = command;
  const [file = '', ...args] = argv;
  return new Promise((resolve) => {
    if (cancel?.aborted === true) {
      resolve({ code: 1, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), failed: 'cancelled' });
      return;
    }
    const child = spawn(file, args, { env: environment, detached: true, stdio: 'pipe' });
    const outputs = [child.stdout, child.stderr].map((stream) => ({
      stream,
      chunks: [] as Buffer[],
      size: 0,
    }));
    const finish = (code: number, failed?: string): void => {
      clearTimeout(timer);
      cancel?.removeEventListener('abort', cancelled);
      const [stdout = Buffer.alloc(0), stderr = Buffer.alloc(0)] = outputs.map(({ chunks }) =>
        Buffer.concat(chunks),
      );
      resolve({ code, stdout, stderr, ...(failed === undefined ? {} : { failed }) });
    };
    const end = (failed: string): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // All of it has ended by itself.
      }
      // Whatever has left the group may still hold them.
      for (const { stream } of outputs) stream.destroy();
      finish(1, failed);
    };
    const cancelled = (): void => end('cancelled');
    const timer = setTimeout(() => end('too_slow'), timeout);
    cancel?.addEventListener('abort', cancelled);
    for (const output of outputs) {
      output.stream.on('data', (chunk: Buffer) => {
        output.size += chunk.length;
        if (output.size > most) end('too_much');
        else output.chunks.push(chunk);
      });
    }
    child.on('error', (error) =>
      finish(1, 'code' in error && error.code === 'ENOENT' ? 'missing' : error.message),
    );
    child.on('close', (code) => finish(code ?? 1));
    // One that has ended already reads no more.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
