/** How is a program run that gets a text on its standard input, and not forever? */
import { spawn } from 'node:child_process';
import { inWords } from './errno.ts';

export interface FedCommand {
  readonly command: readonly string[];
  readonly input: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Milliseconds until it is killed with all that it started in its process group. */
  readonly timeout: number;
}

/**
 * As the user of the daemon, in a session of its own; what it says goes nowhere.
 * @param done called once, with the reason why it failed or undefined; never before this function has returned
 * @returns cancels: it is killed, and `done` is not called any more
 */
export function runFed(
  { command, input, environment, timeout }: FedCommand,
  done: (failed: string | undefined) => void,
): () => void {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    cwd: '/',
    env: environment,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  let open = true;
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  const finish = (failed: string | undefined): void => {
    if (!open) return;
    open = false;
    clearTimeout(timer);
    done(failed);
  };
  const timer = setTimeout(() => {
    kill();
    finish(`it was killed after ${timeout / 1000} s`);
  }, timeout);
  child.on('error', (error) => finish(inWords(error)));
  child.on('exit', (code, signal) => {
    const how = signal === null ? `it exited with ${code}` : `it was ended by ${signal}`;
    finish(code === 0 ? undefined : how);
  });
  // A program that does not read what it is given is none the worse for it.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return () => {
    if (open) kill();
    open = false;
    clearTimeout(timer);
  };
}
