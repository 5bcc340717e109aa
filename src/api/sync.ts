/** What can be asked about bringing the directory to the newest commit, and what is answered? */

import type { DiffView, OnFailure, UpdateView } from './changes.ts';
import type { ConfigError } from './config-error.ts';
import type { MayGo } from './may-go.ts';

export interface SyncRequest extends MayGo {
  readonly by: string;
  /** Fetches and checks; nothing is changed. */
  readonly dryRun: boolean;
  readonly prune: boolean;
  /** What becomes of the rest when a service fails; as `sync.on_failure` says unless told otherwise. */
  readonly on_failure?: OnFailure;
  /** Milliseconds for all of it, the remote and the outcome; 0 answers as soon as the commit is checked out. */
  readonly wait: number;
  /** Milliseconds for its turn and for the remote where `wait` is 0; 0 or absent: no limit of its own. */
  readonly limit?: number;
}

export interface SyncView {
  /** `nothing_new`: the newest commit is checked out already, and nothing is left to be done for it. */
  readonly result: 'applied' | 'would_apply' | 'nothing_new' | 'refused';
  /** One sentence: why it was refused; null otherwise. */
  readonly reason: string | null;
  readonly branch: string | null;
  /** Commits: what was checked out, and what is newest. */
  readonly from: string | null;
  readonly to: string | null;
  /** Between the two, newest first; no more than a few. */
  readonly commits: readonly { readonly id: string; readonly subject: string }[];
  /** So many other files do they change, code mostly: nothing is restarted for them; absent: nobody has counted. */
  readonly other_files?: number;
  /** Of the newest commit. */
  readonly errors: readonly ConfigError[];
  /**
   * `would_apply`: what would be done. `refused`, of a dry run while the files are not followed: what following the newest
   * commit would do.
   */
  readonly diff: DiffView | null;
  /** `applied`: what became of it. `nothing_new`: what became of services that were under way; null: none was. */
  readonly update: UpdateView | null;
  /** `nothing_new`: services that did not come up as they are defined; absent: none. */
  readonly failed?: readonly { readonly service: string; readonly detail: string }[];
}
