/** May whoever asks go before the answer? */

/** A part of each request that may ask to wait. */
export interface MayGo {
  /** Aborted when nobody waits for the answer any more: the wait ends then, and what was asked for goes on. */
  readonly gone?: AbortSignal | undefined;
}
