/** How does a program learn that it did not get what it asked for? */
import type { CommandResult } from '../api/contract.ts';
import type { Refusal } from '../cli/refusal.ts';
import { type Problem, sentence } from '../model/problem.ts';

/** The one class of errors that this package throws. Compare `code`; `message` is for people. */
export class ProcessmasterError extends Error {
  override readonly name = 'ProcessmasterError';
  /** Stable: `no_daemon`, `unknown_service`, `invalid`, `failed`, `refused`, `pending`, `aborted`, `closed`, … */
  readonly code: string;
  /** Everything that is wrong with the definitions that were given; otherwise empty. */
  readonly problems: readonly Problem[];
  /** What became of each service that was named; otherwise empty. */
  readonly results: readonly CommandResult[];

  constructor(
    code: string,
    message: string,
    more: {
      readonly problems?: readonly Problem[];
      readonly results?: readonly CommandResult[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, 'cause' in more ? { cause: more.cause } : {});
    this.code = code;
    this.problems = more.problems ?? [];
    this.results = more.results ?? [];
  }
}

export function refusedBy({ refused }: Refusal): ProcessmasterError {
  return new ProcessmasterError(refused.code, refused.message);
}

/** `invalid`: all that is wrong, one sentence each. */
export function invalid(problems: readonly Problem[]): ProcessmasterError {
  const message = problems.map((problem) => {
    const { service } = problem;
    return service === undefined ? sentence(problem) : `${service}: ${sentence(problem)}`;
  });
  return new ProcessmasterError('invalid', message.join('; '), { problems });
}

/** @throws unless all of them are done, or the time to wait for it was 0 */
export function allDone(results: readonly CommandResult[], wait: number): readonly CommandResult[] {
  const wrong = results.filter(({ result }) => result !== 'done' && (result !== 'pending' || wait > 0));
  const [first] = wrong;
  if (first === undefined) return results;
  const message = wrong.map(({ service, detail }) => `${service}: ${detail}`).join('; ');
  throw new ProcessmasterError(first.result, message, { results });
}
