/** What is thought of each run and each place of a service? */
import type { Memory, Rejection, SlotMemory } from '../model/memory.ts';
import type { Health } from '../policy/probe.ts';
import type { StartAnswer } from '../policy/restart.ts';
import type { LivingRun } from './notice-exits.ts';
import type { Notice } from './situation.ts';
import type { Wanted } from './wanted.ts';

export type Fate =
  | { readonly fate: 'keep' }
  /** Its place is wanted, but with a newer definition: it is replaced when its turn comes. */
  | { readonly fate: 'outdated' }
  /** Nobody wants it: it is stopped now. */
  | { readonly fate: 'surplus'; readonly reason: string };

export type JudgedRun = LivingRun & Fate & { readonly health: Health | undefined };

interface RejectedAnswer {
  readonly say: 'rejected';
  readonly until: number;
}

/** One wanted place without a run. */
export interface Vacancy {
  readonly slot: number;
  /**
   * `scheduled`: its time has not come. `rejected`: only the rejected definition can be started in it, and not at once.
   * `withheld`: the place came with the rejected definition, and stays empty.
   */
  readonly answer: StartAnswer | { readonly say: 'scheduled' | 'withheld' } | RejectedAnswer;
  readonly memory: SlotMemory;
}

export interface Judgement {
  readonly wanted: Wanted;
  readonly runs: readonly JudgedRun[];
  readonly vacancies: readonly Vacancy[];
  readonly generation: number;
  /** How outdated runs are replaced. */
  readonly way: 'roll' | 'stop_first';
  /** The newest generation has failed to take over. */
  readonly rejected: Rejection | null;
  /** Live fields differ from what was applied last. */
  readonly live: boolean;
  readonly memory: Memory;
  readonly notices: readonly Notice[];
}
