/** What is, as far as we can see it? */
import type { RunKey } from './names.ts';
import type { Problem } from './problem.ts';
import type { Signal } from './signals.ts';

/** How a run, or the attempt at one, came to its end. */
export type Outcome =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: Signal; readonly oom: boolean }
  /** Nobody could read the code: the process was not the child of this daemon. */
  | { readonly kind: 'unknown'; readonly oom: boolean }
  /** It never ran: the launch itself was refused. */
  | { readonly kind: 'not_started'; readonly problem: Problem };

/** The first process of a run. */
export type MainProcess =
  /** `outside`: it has left the cgroup of its run for this one, where nothing of the run is bounded or counted. */
  | { readonly is: 'running'; readonly pid: number; readonly outside?: string }
  /** `at`: milliseconds since 1970. */
  | { readonly is: 'ended'; readonly outcome: Outcome; readonly at: number }
  /** An adopted run whose first process cannot be told from its children. */
  | { readonly is: 'unknown' };

/** The processes of a run, as its cgroup (or session) tells. */
export type Members =
  | { readonly is: 'some' }
  | { readonly is: 'none' }
  /** Could not look: neither alive nor gone, and nothing may be started on its account. */
  | { readonly is: 'unseen'; readonly problem: Problem };

export interface ObservedRun {
  readonly key: RunKey;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly main: MainProcess;
  readonly members: Members;
  /** False: the place was made, but no process ever lived in it (a daemon died between the two). */
  readonly everRan: boolean;
  /** Started by an earlier daemon. */
  readonly adopted: boolean;
}

/** Everything seen of one service at one moment. */
export type Observed =
  | { readonly kind: 'seen'; readonly runs: readonly ObservedRun[] }
  | { readonly kind: 'unseen'; readonly problem: Problem };
