/** How is a service asked for that has no file yet, and how is one taken away with its file? */

import type { NewService } from '../model/new-service.ts';
import type { Problem } from '../model/problem.ts';
import type { MayGo } from './may-go.ts';

/** A service that is to become a file and then to run. */
export interface DefineRequest extends NewService, MayGo {
  readonly by: string;
  /** Milliseconds to wait for the outcome; 0 answers at once. */
  readonly wait: number;
}

export interface DefineView {
  readonly service: string;
  /** The file that defines it now; null when nothing was written. */
  readonly file: string | null;
  readonly result: 'done' | 'failed' | 'pending' | 'refused';
  readonly detail: string;
  /** Why nothing was written. */
  readonly problems: readonly Problem[];
}

/** The files of these services are to be removed, and then what runs of them. */
export interface DeleteRequest extends MayGo {
  /** Exact names. */
  readonly services: readonly string[];
  readonly by: string;
  /** Milliseconds to wait until nothing is left; 0 answers at once. */
  readonly wait: number;
}
