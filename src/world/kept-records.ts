/** What becomes of the records of runs when they vanish under a daemon that lives? It knows them, and writes them again. */

import type { Problem } from '../model/problem.ts';
import { pathOf, unreadable } from './containment-trouble.ts';
import type { ExitRecords } from './exit-records.ts';
import { findLostRecords } from './lost-records.ts';
import { RecordsLost, type RunRecords } from './run-records.ts';
import type { StateLock } from './state-lock.ts';
import type { UserOf } from './world.ts';

export interface KeptRecordsOptions {
  readonly records: RunRecords;
  readonly exits: ExitRecords;
  readonly lock: StateLock;
}

/** Somebody may remove a state directory under a daemon that uses it. What runs is not gone because of that. */
export class KeptRecords {
  readonly #options: KeptRecordsOptions;
  /** undefined: nobody has said it yet. */
  #userOf: UserOf | undefined;
  /** Those that an earlier daemon has lost were looked for. */
  #areFound = false;
  /** Somebody was not believed then. */
  #isDoubted = false;
  #areExitsTidy = false;

  constructor(options: KeptRecordsOptions) {
    this.#options = options;
  }

  /** See Containment. */
  believe(userOf: UserOf): void {
    this.#userOf = userOf;
    // The file of his service may have been broken, or away.
    if (this.#isDoubted) this.#areFound = false;
  }

  /** See Containment. */
  keepPlace(): Problem | undefined {
    const trouble = this.#renewed();
    return trouble?.code === 'daemon-running' ? trouble : undefined;
  }

  /**
   * What `ask` answers when all records are there, which are restored if they are not.
   * @returns also why they cannot be seen, or restored
   */
  whole<Answer>(ask: () => Answer): { readonly answer: Answer } | { readonly unseen: Problem } {
    const unfound = this.#renewed() ?? (this.#areFound ? undefined : this.#find());
    if (unfound !== undefined) return { unseen: unfound };
    try {
      return { answer: ask() };
    } catch (error) {
      if (!(error instanceof RecordsLost)) return { unseen: unreadable(pathOf(error), error) };
    }
    const trouble = this.#restore();
    if (trouble !== undefined) return { unseen: trouble };
    try {
      return { answer: ask() };
    } catch (error) {
      return { unseen: unreadable(pathOf(error), error) };
    }
  }

  /** Another daemon writes records of the same names: that they are all there says nothing without the lock. */
  #renewed(): Problem | undefined {
    return this.#options.lock.isThere() ? undefined : this.#restore();
  }

  close(): void {
    this.#options.exits.close();
    this.#options.lock.unlock();
  }

  /** The lock comes before: where another daemon has found the runs by now, they are not this one's any more. */
  #restore(): Problem | undefined {
    const { records, exits, lock } = this.#options;
    // Should it not come to the end, a directory that is there by then does not show that anything is missing.
    this.#areFound = false;
    const trouble = lock.renew() ?? records.restore();
    if (trouble !== undefined) return trouble;
    exits.restore();
    return this.#find();
  }

  #find(): Problem | undefined {
    if (this.#userOf === undefined) return undefined;
    const { records, exits } = this.#options;
    const found = findLostRecords(records, this.#userOf);
    if ('code' in found) return found;
    this.#areFound = true;
    this.#isDoubted = found.isDoubted;
    // Not before: how a run ended that is only found now is not to be thrown away.
    if (!this.#areExitsTidy && !found.isDoubted) {
      this.#areExitsTidy = true;
      exits.keepOnly(() => records.all());
    }
    return undefined;
  }
}
