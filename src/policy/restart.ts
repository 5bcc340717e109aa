/** A run ended: is it started again, when, or is it given up? */
import { EXITS_KEPT, type Exit, isSettled, type SlotEnd, type SlotMemory } from '../model/memory.ts';
import type { Outcome } from '../model/observed.ts';
import type { RestartPolicy, ServiceSpec } from '../model/spec.ts';
import { count } from '../model/units.ts';

/** What the policy has to know about the instance besides its memory. */
export interface RestartContext {
  readonly policy: RestartPolicy;
  /** `job`: what follows its end is decided by its schedule. */
  readonly type: 'service' | 'oneshot' | 'job';
  readonly hash: string;
  readonly digest: string;
  readonly pardon: number;
  /** 0 <= chance < 1: how much of the jitter is used. */
  readonly chance: number;
}

/**
 * With `crash_on_start: wait_for_change`, a crash this soon after the start of a newer generation is a mistake in what was
 * just saved. ms.
 */
const EARLY = 1500;

/** How the lifecycle lines name the start of a newer generation in a place. */
export function renewal(generation: number): string {
  return `reload_generation_${generation}`;
}

/** How the ends of a definition are judged. */
export function endingOf({ process }: Pick<ServiceSpec, 'process'>): RestartContext['type'] {
  return process.schedule === null ? process.type : 'job';
}

/** The memory of an instance after one of its runs ended, or could not be started. */
export function afterExit(slot: SlotMemory, exit: Exit, context: RestartContext): SlotMemory {
  const exits = [exit, ...slot.exits].slice(0, EXITS_KEPT);
  if (exit.by === 'stop') return { ...slot, exits, attempt: 0, next: null };
  if (context.type === 'job') return { ...slot, exits, attempt: 0, next: null, end: null };
  const { policy } = context;
  if (exit.outcome.kind === 'not_started' && exit.outcome.problem.passing === true) {
    return waiting({ ...slot, exits }, exit.at, scarcityPause(policy, slot.attempt, context.chance), context);
  }
  const result = exit.by === 'policy' ? 'crash' : resultOf(exit.outcome, policy.success_exit_codes);
  if (isComplete(result, context)) {
    const told = { kind: 'completed', at: exit.at, under: context.hash, retryAt: null } as const;
    return ended({ ...slot, exits }, { ...told, reason: completion(exit.outcome) }, context);
  }
  if (policy.policy === 'never' || (result === 'unknown' && context.type === 'oneshot')) {
    const doubt = result === 'unknown' ? '; whether it had done its work is not known' : '';
    const reason = `${describeExit(exit)}${doubt}`;
    // Running a one-shot a second time may do harm, leaving a service down surely does.
    const told = { kind: 'failed', reason, at: exit.at, retryAt: null } as const;
    if (result !== 'unknown') return ended({ ...slot, exits }, { ...told, under: context.digest }, context);
    return ended({ ...slot, exits }, { ...told, under: context.hash, doubtful: true }, context);
  }
  const isEarly = slot.renewed && exit.uptime < EARLY;
  if (result === 'crash' && policy.crash_on_start === 'wait_for_change' && isEarly) {
    const reason = `${describeExit(exit)}; waits for the next change`;
    const told = { kind: 'failed', at: exit.at, under: context.digest, retryAt: null } as const;
    return ended({ ...slot, exits }, { ...told, reason }, context);
  }
  // Two were in the place, and the other one has used up its restarts.
  if (result !== 'crash' && isGivenUp(slot, context)) return { ...slot, exits };
  const crashed = result === 'crash' ? [...slot.crashes, exit.at] : slot.crashes;
  const crashes = recent(crashed, exit.at, policy);
  const attempt = exit.uptime >= policy.stable_after ? 0 : slot.attempt;
  const delay = Math.max(backoff(policy, attempt, context.chance), floorOf(exits, policy));
  if (result === 'crash' && crashes.length > policy.tolerance.max_restarts) {
    const reason = `${describeExit(exit)}; ended ${count(crashes.length, 'time')} within ${policy.tolerance.duration / 1000} s`;
    const { retry_after } = policy.tolerance;
    // Never sooner than a restart within the tolerance: `retry_after: 0s` must not become a tight loop.
    const retryAt = retry_after === null ? null : exit.at + Math.max(retry_after, delay);
    const given = { ...slot, exits, crashes, attempt };
    return ended(given, { kind: 'failed', reason, at: exit.at, under: context.digest, retryAt }, context);
  }
  return waiting({ ...slot, exits, crashes, attempt }, exit.at, delay, context);
}

function waiting(slot: SlotMemory, now: number, delay: number, context: RestartContext): SlotMemory {
  const next = { at: now + delay, delay, digest: context.digest, pardon: context.pardon };
  return { ...slot, attempt: slot.attempt + 1, next, end: null };
}

/** A host that is short of something is not asked more often than this in the end, nor more seldom. Milliseconds. */
const LONGEST_SCARCITY = 10_000;

function scarcityPause(policy: RestartPolicy, attempt: number, chance: number): number {
  const max_backoff = Math.max(policy.max_backoff, LONGEST_SCARCITY);
  return Math.max(backoff({ ...policy, max_backoff }, attempt, chance), REFUSED_PAUSE);
}

function isGivenUp({ end }: SlotMemory, context: RestartContext): boolean {
  return end?.kind === 'failed' && end.pardon === context.pardon && isUnder(end, context);
}

/**
 * Milliseconds to wait before the start number `attempt` (0-based) in a row: constant, or doubling up to
 * max_backoff where that is larger; chance may add up to `jitter` of it.
 */
export function backoff(policy: RestartPolicy, attempt: number, chance: number): number {
  const ceiling = Math.max(policy.restart_backoff, policy.max_backoff);
  // 2 ** 40 is beyond any ceiling that a duration can express, and keeps the product finite.
  const delay = Math.min(policy.restart_backoff * 2 ** Math.min(attempt, 40), ceiling);
  return Math.round(delay * (1 + policy.jitter * chance));
}

/** The memory of an instance after one of its runs was started; anything but a respawn is a clean sheet. */
export function afterStart(slot: SlotMemory, generation: number, because: string): SlotMemory {
  const renewed = because === renewal(generation);
  const started = { ...slot, generation, renewed, next: null, end: null, preStart: null };
  if (because === 'respawn_after_exit') return { ...started, restarts: slot.restarts + 1 };
  return { ...started, restarts: 0, crashes: [], attempt: 0 };
}

/** Without a pause the loop would do nothing else than start what is refused, or ends, at once. Milliseconds. */
const REFUSED_PAUSE = 100;

/** So many clean ends in a row, each so soon after its start, are no coincidence; crashes are bounded by the tolerance. */
const QUICK_ENDS = 5;
const QUICK = 1000;

/** @param exits newest first */
function floorOf(exits: readonly Exit[], { success_exit_codes }: RestartPolicy): number {
  if (exits[0]?.outcome.kind === 'not_started') return REFUSED_PAUSE;
  const last = exits.slice(0, QUICK_ENDS);
  const isQuick = ({ by, uptime, outcome }: Exit) =>
    by === 'itself' && uptime < QUICK && isSuccess(outcome, success_exit_codes);
  return last.length === QUICK_ENDS && last.every(isQuick) ? REFUSED_PAUSE : 0;
}

/** May the instance be started at `now`? A change of the definition or a pardon lifts every wait. */
export type StartAnswer =
  | { readonly say: 'now' }
  | { readonly say: 'wait'; readonly until: number }
  | { readonly say: 'no'; readonly retryAt: number | null };

export function mayStart(slot: SlotMemory, now: number): StartAnswer {
  const { end, next } = slot;
  // A wait that begins in the future: the clock was set back between two daemons. It must not become longer by that.
  if (end !== null) {
    if (end.retryAt === null) return { say: 'no', retryAt: null };
    return end.retryAt <= now || now < end.at ? { say: 'now' } : { say: 'no', retryAt: end.retryAt };
  }
  if (next === null || next.at <= now || now < next.at - next.delay) return { say: 'now' };
  return { say: 'wait', until: next.at };
}

/**
 * Until when a place rests after an end that nobody asked for, although nothing that was noted about its definition keeps
 * it from a start; undefined: it does not.
 */
export function pauseAfterEnd(
  { exits: [last] }: Pick<SlotMemory, 'exits'>,
  policy: RestartPolicy,
  now: number,
): number | undefined {
  if (last === undefined || last.by === 'stop' || now < last.at) return undefined;
  const until = last.at + backoff(policy, 0, 0);
  return now < until ? until : undefined;
}

/** Forgives what was noted under another definition or before the last `start` by hand. */
export function pardoned(slot: SlotMemory, hash: string, digest: string, pardon: number): SlotMemory {
  const { end, next } = slot;
  const endHolds = end !== null && end.pardon === pardon && isUnder(end, { hash, digest });
  const nextHolds = next !== null && next.pardon === pardon && next.digest === digest;
  if ((end === null || endHolds) && (next === null || nextHolds)) return slot;
  return {
    ...slot,
    crashes: [],
    attempt: 0,
    restarts: 0,
    end: endHolds ? end : null,
    next: nextHolds ? next : null,
  };
}

/** Is it an end of this definition, and says what becomes of it? */
export function isUnder(
  end: SlotEnd,
  { hash, digest }: { readonly hash: string; readonly digest: string },
): boolean {
  return end.under === (isSettled(end) ? hash : digest);
}

export function isSuccess(outcome: Outcome, successCodes: readonly number[]): boolean {
  return outcome.kind === 'exited' && successCodes.includes(outcome.code);
}

/** `exit_3`, `signal_9`, `oom`, `unknown`, as in the lifecycle lines. */
export function exitReason(outcome: Outcome, signalNumber: (signal: string) => number): string {
  switch (outcome.kind) {
    case 'exited':
      return `exit_${outcome.code}`;
    case 'signaled':
      return outcome.oom ? 'oom' : `signal_${signalNumber(outcome.signal)}`;
    case 'unknown':
      return outcome.oom ? 'oom' : 'unknown';
    case 'not_started':
      return 'not_started';
  }
}

/** For people: what was wrong with a run that was ended because of it, or else how it ended. */
export function describeExit({ outcome, because }: Pick<Exit, 'outcome' | 'because'>): string {
  return because ?? describeOutcome(outcome);
}

/** Of the end of a run of a schedule, in words; undefined: it succeeded, or somebody stopped it. */
export function jobFailure(exit: Exit, { success_exit_codes }: RestartPolicy): string | undefined {
  const { by, outcome } = exit;
  if (by === 'stop' || (by === 'itself' && isSuccess(outcome, success_exit_codes))) return undefined;
  return `last run failed: ${describeExit(exit)}`;
}

/** For people: `exited with code 3`, `killed by SIGSEGV`. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'exited':
      return `exited with code ${outcome.code}`;
    case 'signaled':
      return outcome.oom ? 'killed by the kernel: out of memory' : `killed by ${outcome.signal}`;
    case 'unknown':
      return outcome.oom ? 'killed by the kernel: out of memory' : 'ended in a way that nobody recorded';
    case 'not_started':
      return outcome.problem.message;
  }
}

type Result = 'success' | 'crash' | 'unknown';

function resultOf(outcome: Outcome, successCodes: readonly number[]): Result {
  if (outcome.kind === 'unknown' && !outcome.oom) return 'unknown';
  return isSuccess(outcome, successCodes) ? 'success' : 'crash';
}

/** Not what ended in a way that nobody knows: others may depend on its work. */
function isComplete(result: Result, { type, policy }: RestartContext): boolean {
  return result === 'success' && (type === 'oneshot' || policy.policy !== 'always');
}

function completion(outcome: Outcome): string {
  return outcome.kind === 'exited' ? `completed with code ${outcome.code}` : describeOutcome(outcome);
}

function ended(slot: SlotMemory, end: Omit<SlotEnd, 'pardon'>, { pardon }: RestartContext): SlotMemory {
  return { ...slot, next: null, end: { ...end, pardon } };
}

function recent(crashes: readonly number[], now: number, policy: RestartPolicy): readonly number[] {
  return crashes.filter((at) => at <= now && now - at < policy.tolerance.duration);
}
