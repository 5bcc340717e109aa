/** How is a problem of the configuration told to programs? */
import type { Problem } from '../model/problem.ts';

/** An error of the configuration as `check`, `diff` and `update` print it. */
export interface ConfigError {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly path: string | null;
  readonly message: string;
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly hint: string | null;
}

export function configError(problem: Problem): ConfigError {
  return {
    file: problem.file ?? null,
    line: problem.line ?? null,
    column: problem.column ?? null,
    path: problem.path ?? null,
    message: problem.message,
    code: problem.code,
    severity: problem.severity,
    hint: problem.hint ?? null,
  };
}
