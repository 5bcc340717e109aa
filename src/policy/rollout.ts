/** A newer run stands beside an older one: may the older one go? */
import type { RolloutSpec } from '../model/spec.ts';

/** The run of the new definition. */
export interface Successor {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Since when it is ready without interruption; null: it is not. */
  readonly readySince: number | null;
  /** How it is, for people. */
  readonly because: string;
}

export type RetireAnswer =
  | { readonly say: 'now' }
  | { readonly say: 'wait'; readonly until: number }
  /** The successor took too long. */
  | { readonly say: 'failed'; readonly reason: string };

/** A successor without probes must have lived this long before the older run is told to stop. Milliseconds. */
export const PROOF_OF_LIFE = 300;

/**
 * The older run goes when its successor has been ready for `min_ready` and then `overlap`, and has lived for a moment;
 * the roll-out has failed when the successor was not ready within `timeout`.
 */
export function mayRetire(
  { startedAt, readySince, because }: Successor,
  { min_ready, overlap, timeout }: RolloutSpec,
  now: number,
): RetireAnswer {
  if (readySince === null) {
    const until = startedAt + timeout;
    // A start in the future: the clock was set back. The wait must not become longer by that.
    if (until > now && startedAt <= now) return { say: 'wait', until };
    return startedAt > now
      ? { say: 'wait', until: now + timeout }
      : { say: 'failed', reason: `not ready within ${timeout / 1000} s: ${because}` };
  }
  const until = provenAt({ startedAt, readySince }, min_ready + overlap, now);
  return until === undefined ? { say: 'now' } : { say: 'wait', until };
}

/**
 * When a run that is ready will have lived for a moment, and been ready for so many milliseconds; undefined: it has.
 */
export function provenAt(
  { startedAt, readySince }: { readonly startedAt: number; readonly readySince: number },
  readyFor: number,
  now: number,
): number | undefined {
  const at = Math.max(startedAt + PROOF_OF_LIFE, readySince + readyFor);
  // Later than it can be: the clock was set back. That it lives, it has proved since.
  return at <= now || at - now > Math.max(PROOF_OF_LIFE, readyFor) ? undefined : at;
}
