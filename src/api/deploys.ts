/** What can be asked about the states that were applied, and about going back to one of them? */

import type { DiffView, UpdateView } from './changes.ts';
import type { MayGo } from './may-go.ts';

/** What made a state the one that is applied. */
export type Trigger =
  | 'boot'
  | 'watch'
  | 'resync'
  | 'HUP'
  | 'update'
  | 'command'
  | 'sync'
  | 'rollback'
  | 'resume'
  | 'failure';

export type SnapshotResult = 'converged' | 'failed' | 'pending';

/** Where the checkout stood that the configuration directory is part of. */
export interface Commit {
  readonly oid: string;
  /** null: none is checked out. */
  readonly branch: string | null;
  /** Something in the directory is not as the commit has it. */
  readonly dirty: boolean;
}

/** One state of the directory that was applied. The same state applied again has the same id. */
export interface HistoryEntry {
  /** Counts up with each that is applied. */
  readonly number: number;
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly trigger: Trigger;
  readonly by: string | null;
  readonly commit: Commit | null;
  /** Names of services, against what was applied before. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** `superseded`: something else was applied before the outcome was known. */
  readonly result: SnapshotResult | 'superseded';
  /** Of each service that was touched. */
  readonly results: Readonly<Record<string, SnapshotResult>>;
  /** `current`: it is in force. `frozen`: and the files are not followed meanwhile. */
  readonly mark: 'current' | 'frozen' | null;
}

export interface HistoryView {
  /** Newest first. */
  readonly entries: readonly HistoryEntry[];
  /** Entries and texts that cannot be read back. */
  readonly problems: readonly string[];
}

export interface SnapshotView {
  readonly entry: HistoryEntry;
  readonly files: readonly SnapshotFileView[];
}

export interface SnapshotFileView {
  /** Relative to the configuration directory. */
  readonly path: string;
  readonly service: string;
  /** SHA-256 of the text. */
  readonly blob: string;
  /** Of the definition when it was applied; null: it was broken. */
  readonly hash: string | null;
  /** Path of each dotenv file, and whether it says the same now; null: nobody can tell. */
  readonly env_files: Readonly<Record<string, boolean | null>>;
}

export interface SnapshotText {
  readonly id: string;
  readonly path: string;
  readonly service: string;
  readonly text: string;
}

export interface RollbackRequest extends MayGo {
  /** An id, the beginning of one, `latest` or `previous`; undefined: the last that converged, other than the current. */
  readonly id?: string;
  readonly prune: boolean;
  /** Milliseconds to wait for the outcome; 0 answers at once. */
  readonly wait: number;
  readonly by: string;
}

export interface ResumeRequest extends MayGo {
  readonly prune: boolean;
  readonly wait: number;
  readonly by: string;
}

/** The question has no answer here. */
export interface Unfit {
  readonly unfit: { readonly code: string; readonly message: string };
}

export interface Deploys {
  /** @param limit the newest so many */
  history(limit: number): HistoryView;
  show(id: string): SnapshotView | Unfit;
  text(id: string, service: string): SnapshotText | Unfit;
  /** @param to undefined: what is in force now */
  compare(from: string, to: string | undefined): DiffView | Unfit;
  rollback(request: RollbackRequest): Promise<UpdateView | Unfit>;
  resume(request: ResumeRequest): Promise<UpdateView>;
}

export function isUnfit(value: object): value is Unfit {
  return 'unfit' in value;
}
