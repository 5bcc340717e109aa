/** What does a scheduled service remember of its times? */

/** All slots from `first` to `last`, both included; milliseconds since 1970. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
}

/** What a job remembers. Plain data; on disk before a decision is carried out. Losing it loses runs, adds none. */
export interface JobMemory {
  /** The cron line and the name of its zone: another line is another job. */
  readonly cron: string;
  readonly zone: string;
  /** When this line was first seen; no slot before it is ever run. */
  readonly since: number;
  /** Up to here every slot has been dealt with; the last such slot, or an instant at which the clock was set. */
  readonly considered: number;
  /** A slot that has come, and when its run starts. */
  readonly pending: { readonly slot: number; readonly at: number } | null;
  /** A slot whose run starts as soon as the running one has ended. */
  readonly queued: number | null;
  /** Slots that were run, dropped or queued, so that they do not come again when the clock is set back. */
  readonly decided: readonly SlotRange[];
  /** How many slots were dropped since this line is known. */
  readonly skipped: { readonly missed: number; readonly running: number };
}
