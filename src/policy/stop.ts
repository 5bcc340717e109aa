/** A run is to end: what is the next step, and when? */
import type { StopProgress } from '../model/memory.ts';
import type { Signal } from '../model/signals.ts';
import type { ServiceSpec } from '../model/spec.ts';

/** How a run is stopped; the defaults serve a run whose definition is lost. */
export interface StopSettings {
  /** Milliseconds that the pre_stop hook may take; null: there is none. */
  readonly hook: number | null;
  readonly command: boolean;
  readonly signal: Signal;
  /** Milliseconds. */
  readonly grace: number;
}

export type StopStep =
  | { readonly say: 'hook' }
  | { readonly say: 'command' }
  | { readonly say: 'signal' }
  | { readonly say: 'kill' }
  | { readonly say: 'wait'; readonly until: number };

/** SIGKILL is repeated this often: a process in uninterruptible sleep dies when the kernel lets it. Milliseconds. */
export const KILL_AGAIN = 5000;

/** After SIGKILL a process that is still there this much later is reported as blocking the stop. Milliseconds. */
export const BLOCKED_AFTER = 2000;

/** A hook that is over its time is killed; its end is heard of a little later. Milliseconds. */
const HOOK_SLACK = 1000;

export function stopSettings(spec: ServiceSpec | undefined): StopSettings {
  if (spec === undefined) return { hook: null, command: false, signal: 'SIGTERM', grace: 30_000 };
  const { stop_command, stop_signal, stop_grace } = spec.process;
  const hook = spec.hooks.pre_stop?.timeout ?? null;
  return { hook, command: stop_command !== null, signal: stop_signal, grace: stop_grace };
}

/**
 * The progress as it counts now. A stop that may never have begun begins anew. When it began in the future, the clock
 * was set back between two daemons: the grace starts anew, because nobody knows how much of it is over, and must not
 * become longer than that.
 */
export function resumed(progress: StopProgress | null, now: number): StopProgress | null {
  if (progress === null || progress.step === 'due') return null;
  const { since, killedAt, killedFrom } = progress;
  if (Math.max(since, killedAt ?? 0) <= now) return progress;
  return {
    ...progress,
    since: Math.min(since, now),
    killedAt: killedAt && Math.min(killedAt, now),
    ...(killedFrom === undefined ? {} : { killedFrom: Math.min(killedFrom, now) }),
  };
}

/**
 * @param hurry cut the grace short: an operator asked twice
 * @param hooking the pre_stop hook of the run is still going on
 */
export function nextStopStep(
  progress: StopProgress | null,
  settings: StopSettings,
  now: number,
  hurry: boolean,
  hooking = false,
): StopStep {
  const first = settings.command ? 'command' : 'signal';
  if (progress === null) return { say: hurry ? 'kill' : settings.hook === null ? first : 'hook' };
  if (progress.step === 'hook' || progress.step === 'hooked') {
    if (hurry) return { say: 'kill' };
    if (progress.step === 'hooked' || settings.hook === null) return { say: first };
    // A daemon that is gone took it along: nobody knows whether it had done its work.
    if (!hooking) return { say: 'hook' };
    // It is ended by its own timeout; whoever waits longer waits for a hook that nobody hears any more.
    const until = progress.since + settings.hook + HOOK_SLACK;
    return now < until ? { say: 'wait', until } : { say: first };
  }
  if (progress.step === 'kill') {
    const killedAt = progress.killedAt ?? now;
    return killedAt + KILL_AGAIN <= now ? { say: 'kill' } : { say: 'wait', until: killedAt + KILL_AGAIN };
  }
  if (hurry) return { say: 'kill' };
  const deadline = progress.since + progress.grace;
  if (deadline <= now) return { say: 'kill' };
  return progress.step === 'unsent' ? { say: 'signal' } : { say: 'wait', until: deadline };
}

/** The progress after a step was taken. */
export function stopped(
  progress: StopProgress | null,
  step: 'hook' | 'command' | 'signal' | 'kill',
  settings: StopSettings,
  reason: string,
  now: number,
): StopProgress {
  const kill =
    step === 'kill' ? { killedAt: now, killedFrom: progress?.killedFrom ?? now } : { killedAt: null };
  if (progress === null || progress.step === 'hook' || progress.step === 'hooked') {
    return { reason: progress?.reason ?? reason, since: now, grace: settings.grace, step, ...kill };
  }
  return { ...progress, step, ...kill };
}

/** Was it killed because the grace was over? Not when somebody was in a hurry. */
export function isLate({ step, since, grace, killedAt, killedFrom }: StopProgress): boolean {
  const from = killedFrom ?? killedAt;
  return step === 'kill' && from !== null && from - since >= grace;
}

/** Is the stop blocked by a process that survives SIGKILL? */
export function isBlocked(progress: StopProgress | null, now: number): boolean {
  const from = blockedFrom(progress);
  return from !== undefined && now >= from;
}

/** From when on a stop counts as blocked that does not come to its end; undefined while nothing was killed. */
export function blockedFrom(progress: StopProgress | null): number | undefined {
  if (progress?.step !== 'kill' || progress.killedAt === null) return undefined;
  // However late it came: as long as its service could not be looked at, nothing was done to it.
  return (progress.killedFrom ?? progress.since + progress.grace) + BLOCKED_AFTER;
}
