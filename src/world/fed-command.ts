/** How is a program run that gets a text on its standard input, and not forever? */
import { inWords } from './errno.ts';
import { type GroupAnswer, runInGroup } from './group-command.ts';

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
  const end = new AbortController();
  const options = { environment, directory: '/', input, timeout, cancel: end.signal, most: 0 };
  // A program that does not read what it is given is none the worse for it.
  void runInGroup({ argv: command, ...options }).then((answer) => {
    if (!end.signal.aborted) done(howItFailed(answer, timeout));
  });
  return () => end.abort();
}

function howItFailed({ code, signal, failed }: GroupAnswer, timeout: number): string | undefined {
  if (failed === 'missing') return inWords('ENOENT');
  if (failed === 'too_slow') return `it was killed after ${timeout / 1000} s`;
  if (failed !== undefined) return failed;
  if (signal !== null) return `it was ended by ${signal}`;
  return code === 0 ? undefined : `it exited with ${code}`;
}
