/** What do the schemas say about one key? */
import type { ApplyClass } from './action.ts';

/** One key, as the schemas describe it. */
export interface KeyFact {
  /** `process.stop_grace`; a `*` stands for any key of a map. */
  readonly path: string;
  /** What a change does to running processes; `restart`: it waits for a restart of the daemon. */
  readonly apply: ApplyClass | 'restart';
  /** How numbers are printed: `duration`, `size`, `cpu`, `mode`, …; the grammar may be narrower. */
  readonly unit: string | null;
  readonly grammar: string | null;
  /** For people: `text or list of text`. */
  readonly type: string;
  /** For people; null: there is none, the key is required. */
  readonly default: string | null;
  readonly description: string;
  /** One line of YAML, or null. */
  readonly example: string | null;
  /** The words allowed, when there is a list of them. */
  readonly values: readonly string[] | null;
  /** A map of further keys with fixed names. */
  readonly group: boolean;
}
