/** What would an update change, what is asked of one, and what came of it? */

import type { Change } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import type { ConfigError } from './config-error.ts';
import type { MayGo } from './may-go.ts';

/** What the prune guard holds back, and why. */
export interface HeldRemovals {
  readonly services: readonly string[];
  readonly reason: string;
}

/** The loop leaves it alone until somebody releases it. */
export interface HeldService {
  readonly service: string;
  /** One sentence. */
  readonly reason: string;
  /** ISO 8601: it ends by itself then; absent: only by a release. */
  readonly until?: string;
  /** What the release would do; absent: nothing. */
  readonly change?: Change;
}

/** Somebody has asked that the loop leaves it alone. */
export interface HoldView {
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
  /** As it was given. */
  readonly reason?: string;
  /** ISO 8601: it ends by itself then; absent: only by a release. */
  readonly until?: string;
}

/** The files are not followed: what is in force is this, until `resume` or `update`. */
export interface FrozenView {
  /** null, as the next two: not known, because what was noted of it cannot be read back. */
  readonly snapshot: string | null;
  /** ISO 8601. */
  readonly since: string | null;
  readonly by: string | null;
  /** One sentence. */
  readonly reason: string;
  /** Services of which the files say otherwise. */
  readonly pending: readonly string[];
}

/** A command says how many instances run, until the file says another number than it did then. */
export interface ScaleView {
  readonly instances: number;
  /** What the file says. */
  readonly file: number;
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
}

/** What a saved plan promises: that exactly this is done, or nothing. */
export interface PlanRequest {
  /** As {@link DiffView.desired}. */
  readonly desired: string;
  readonly changes: readonly {
    readonly service: string;
    readonly action: string;
    readonly instances: number;
  }[];
}

export type OnFailure = 'stop' | 'rollback' | 'continue';

/** What was done because a service of an update failed. */
export interface FailureView {
  readonly did: 'stopped' | 'rolled_back';
  /** One sentence. */
  readonly detail: string;
  /** Services that were not begun, or that went back. */
  readonly services: readonly string[];
}

export interface DiffView {
  readonly changes: readonly Change[];
  readonly errors: readonly ConfigError[];
  readonly warnings: readonly ConfigError[];
  /** Services on which nothing would be done, and for which nothing waits. */
  readonly unchanged: number;
  readonly held: readonly HeldService[];
  /** Those of `unchanged` whose definition in force has failed; one sentence why. */
  readonly failed?: readonly { readonly service: string; readonly reason: string }[];
  readonly scaled?: readonly (ScaleView & { readonly service: string })[];
  readonly prune: HeldRemovals | null;
  readonly frozen?: FrozenView | null;
  /** Differs whenever the files say something else: what a saved plan is held against. */
  readonly desired?: string;
}

export interface ChangeResult extends Change {
  /** `pending`: accepted, still going on when the answer was sent (no wait, or the time was over). */
  readonly result: 'done' | 'failed' | 'pending' | 'refused';
  readonly detail: string;
  /** The newer definition failed, and what ran before goes on. */
  readonly kept?: true;
  /** The last lines that the failed one wrote. */
  readonly log?: readonly string[];
}

/** What became of a service of which nothing was left to be begun, and that was not there yet. */
export interface UnderWayResult extends Pick<ChangeResult, 'detail' | 'kept' | 'log'> {
  readonly service: ServiceName;
  readonly result: 'done' | 'failed' | 'pending';
}

export interface UpdateView extends Omit<DiffView, 'changes'> {
  readonly changes: readonly ChangeResult[];
  /** Services that were on their way before; absent: none was, or nothing was waited for. */
  readonly underway?: readonly UnderWayResult[];
  /** What was done because one of them failed. */
  readonly failure?: FailureView;
}

export interface UpdateRequest extends MayGo {
  /** Empty: all. */
  readonly services: readonly string[];
  readonly prune: boolean;
  /** Milliseconds to wait for the outcome; 0 answers at once. */
  readonly wait: number;
  /** Who asks; told with the events. Absent: nobody, it is the daemon's own idea. */
  readonly by?: string;
  /** What becomes of the rest when a service fails; `stop` for an update unless said otherwise. */
  readonly on_failure?: OnFailure;
  /** Do exactly this or nothing. */
  readonly plan?: PlanRequest;
  /** Nobody has asked: only what this reading brings is waited for and told of, not what was outstanding before. */
  readonly own?: true;
}
