/** What does the loop work with, and what does it say after each pass? */
import type { StartTools } from '../executor/start.ts';
import type { Event } from '../model/action.ts';
import type { RunKey } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Defined, DesiredState } from '../model/spec.ts';
import type { Store } from './store.ts';

export interface LoopTools extends StartTools {
  readonly settings: Settings;
  readonly store: Store;
  /** IANA name of the zone of the host, for schedules that name none. */
  readonly zone: () => string;
  /** Reads the directory afresh. */
  readonly read: () => DesiredState;
  readonly report: (event: Event) => void;
  readonly starting?: (run: RunKey, service: Defined, reason: string) => void;
  /** Something that a person should know and that no event tells. */
  readonly complain: (problem: Problem) => void;
}

export interface PassResult {
  /** Some services are still due. */
  readonly more: boolean;
  /** When the next pass is due at the latest; milliseconds since 1970. */
  readonly wakeAt: number | undefined;
}
