/** What is wanted of a service, all told: its file, the operator's intent, holds, and the end of everything? */
import type { Asked, Intent } from '../model/memory.ts';
import type { Defined } from '../model/spec.ts';
import type { Situation } from './situation.ts';

export type Wanted =
  /** These instances are to run. */
  | { readonly kind: 'run'; readonly desired: Defined; readonly count: number }
  /** Nothing is to run. `stopReason` goes into the lifecycle lines. */
  | { readonly kind: 'none'; readonly reason: string; readonly stopReason: string; readonly removed: boolean }
  /** Whatever is there is left alone, and nothing is started. */
  | { readonly kind: 'leave'; readonly reason: string; readonly why: 'held' | 'broken' | 'guarded' };

/** The part of a situation that says what is wanted; nobody has to look for it. */
export type Wish = Pick<Situation, 'desired' | 'intent' | 'ending' | 'now'>;

/** What the prune guard holds back. */
export const FILE_GONE = 'its file is gone; pmctl update --prune removes it';

/** The deciders in the order of their rank: the first that has something to say wins. */
export function wantedOf(situation: Wish): Wanted {
  const { desired, intent, ending } = situation;
  if (ending !== undefined) {
    return { kind: 'none', reason: 'processmaster is stopping', stopReason: ending.reason, removed: false };
  }
  const held = holdOf(situation);
  if (held !== undefined) return { kind: 'leave', reason: held, why: 'held' };
  if (desired === undefined) {
    if (intent.removalApproved === true) {
      return { kind: 'none', reason: 'file removed', stopReason: 'file_removed', removed: true };
    }
    if (intent.stopped !== undefined) return stoppedByHand(intent.stopped);
    return { kind: 'leave', reason: FILE_GONE, why: 'guarded' };
  }
  if (intent.stopped !== undefined) return stoppedByHand(intent.stopped);
  if (desired.kind === 'broken') {
    return { kind: 'leave', reason: 'its file has errors and no good version of it is known', why: 'broken' };
  }
  if (!desired.spec.enabled) {
    return { kind: 'none', reason: 'disabled in its file', stopReason: 'disabled', removed: false };
  }
  const count = intent.scale?.instances ?? desired.spec.instances;
  // A scale from before it had a schedule: there is one run for each time.
  const most = desired.spec.process.schedule === null ? count : 1;
  return { kind: 'run', desired, count: Math.min(count, most) };
}

function stoppedByHand({ by }: Asked): Wanted {
  return { kind: 'none', reason: stoppedBy(by), stopReason: 'stop_requested', removed: false };
}

/** Why nothing of it is to run, in a few words; empty where something is. */
export function whyNothing(wanted: Wanted): string {
  if (wanted.kind !== 'run') return wanted.reason;
  return wanted.count > 0 ? '' : 'no instances are wanted';
}

/** Who holds the service, until when and why, in a sentence; undefined when nobody does (any more). */
export function holdOf(situation: Pick<Situation, 'intent' | 'now'>): string | undefined {
  const held = heldOf(situation);
  if (held === undefined) return undefined;
  const until = held.until === undefined ? '' : ` until ${toTheSecond(held.until)}`;
  return `held by ${held.by}${until}${held.reason === undefined ? '' : `: ${held.reason}`}`;
}

/** What was asked when somebody began to hold it; undefined when nobody does (any more). */
export function heldOf({ intent, now }: Pick<Situation, 'intent' | 'now'>): Intent['held'] {
  const { held } = intent;
  return held?.until !== undefined && held.until <= now ? undefined : held;
}

/** `2026-01-01T14:05:00Z`. */
function toTheSecond(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** As it is told everywhere that somebody stopped a service. */
export function stoppedBy(by: string): string {
  return `stopped by ${by}`;
}
