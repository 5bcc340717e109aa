/** How old may a look at all processes of the host be? Each costs milliseconds, and many are asked for in a row. */
import { ProcessTable } from './session-members.ts';
import type { Clock } from './world.ts';

/** Milliseconds. */
const AGE_LIMIT = { figures: 500, members: 20 } as const;

export class RecentProcesses {
  readonly #clock: Clock;
  #last: { readonly table: ProcessTable; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws when /proc cannot be listed. */
  table(purpose: keyof typeof AGE_LIMIT): ProcessTable {
    const now = this.#clock.now();
    if (this.#last === undefined || now - this.#last.at > AGE_LIMIT[purpose]) {
      this.#last = { table: new ProcessTable(), at: now };
    }
    return this.#last.table;
  }

  /** Something was done that a table from before does not show. */
  forget(): void {
    this.#last = undefined;
  }

  /** A table that is not older than this instant may still be used. */
  forgetBefore(instant: number): void {
    if (this.#last !== undefined && this.#last.at <= instant) this.#last = undefined;
  }
}
