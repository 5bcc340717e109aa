/** What does bringing the directory to the newest commit need from around it? */
import type { OnFailure } from '../api/changes.ts';
import type { DiffView, UpdateRequest, UpdateView } from '../api/contract.ts';
import type { SyncView } from '../api/sync.ts';
import type { Problem } from '../model/problem.ts';
import type { DesiredState } from '../model/spec.ts';
import type { GitCheckout } from '../world/git-checkout.ts';
import type { Clock, Files } from '../world/world.ts';
import type { Hold } from './freeze.ts';
import type { Unfinished } from './unfinished.ts';

export interface SyncTools {
  /** The checkout around the configuration directory; undefined: it lies in none. */
  readonly checkout: () => GitCheckout | undefined;
  readonly directory: string;
  readonly files: Files;
  readonly clock: Clock;
  /** Milliseconds between two synchronisations without being asked; null: only when asked. */
  readonly interval: number | null;
  /** What becomes of the rest of a commit when a service fails, unless a request says otherwise. */
  readonly onFailure: OnFailure;
  /** What was begun; also by an earlier daemon. */
  readonly unfinished: Unfinished;
  /** What the directory would say if its files were these; nothing is kept of it. */
  readonly readAs: (files: Files) => DesiredState;
  readonly planned: (desired: DesiredState) => DiffView;
  readonly reconcile: (request: UpdateRequest, trigger: 'sync') => Promise<UpdateView>;
  /** What is not in force yet of what the files say. */
  readonly pending: () => Pending;
  /** Why files are not followed at present; undefined: they are. */
  readonly frozen: () => Hold | undefined;
  /** The files can be followed again. */
  readonly changed: () => void;
  readonly complain: (problem: Problem) => void;
  /** What stands in the way has become another. */
  readonly troubled: (before: readonly Problem[], now: readonly Problem[]) => void;
  readonly tell: (message: string) => void;
}

export interface Pending {
  readonly diff: DiffView;
  /** Services that did not come up as they are defined. */
  readonly failed: NonNullable<SyncView['failed']>;
  /** Of what is in force, something is still on its way. */
  readonly isUnderWay: boolean;
}
