/** Is a run of the job due, and what becomes of it when the last one still runs or its time was missed? */

import type { JobMemory } from '../model/job.ts';
import type { DueRun } from '../model/memory.ts';
import type { ObservedRun } from '../model/observed.ts';
import type { ScheduleSpec } from '../model/spec.ts';
import type { Cron } from './cron.ts';
import { isDecided, nextUndecided, withDecided } from './decided-slots.ts';
import { lastSlot, slotsBetween } from './slots.ts';

export interface JobQuestion {
  readonly schedule: ScheduleSpec;
  /** `schedule.cron` and `schedule.timezone`, parsed. */
  readonly cron: Cron;
  /** Null when nothing is remembered: the job begins now. */
  readonly memory: JobMemory | null;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly running: boolean;
  /** 0 <= chance < 1: how much of the jitter is used for a slot that comes now. */
  readonly chance: number;
}

export type JobDecision =
  | { readonly do: 'nothing' }
  | { readonly do: 'fire'; readonly slot: number }
  /** The running one is to be ended, nothing to be started: said again until it has ended, then `fire`. */
  | { readonly do: 'replace'; readonly slot: number }
  /** Said once; `fire` follows when the running one has ended. */
  | { readonly do: 'queue'; readonly slot: number }
  /** How many slots are dropped (counted up to {@link COUNTED}), the last one, and why. */
  | {
      readonly do: 'skip';
      readonly slots: number;
      readonly last: number;
      readonly because: 'running' | 'queued' | 'missed' | 'over';
    };

export interface JobAnswer {
  /** The same object when nothing changed. */
  readonly memory: JobMemory;
  readonly decision: JobDecision;
  /** When to ask again; `now` when there is more to decide. Undefined when only the end of a run changes anything. */
  readonly wakeAt: number | undefined;
}

/** A slot that is noticed this much later is not missed: the daemon was merely busy. Milliseconds. */
export const LATE = 10_000;

/** Timers do not notice that the clock was set, so nobody sleeps longer than cron(8) does. Milliseconds. */
export const LONGEST_SLEEP = 60_000;

/** Missed slots beyond this many are not counted one by one. */
export const COUNTED = 1000;

const NOTHING: JobDecision = { do: 'nothing' };

/** One decision at a time; ask again at once while `wakeAt` is not after `now`. `slot` is the identity of a run. */
export function dueJob(question: JobQuestion): JobAnswer {
  const { schedule, now, running } = question;
  const memory = settled(question);
  const { pending, queued } = memory;
  if (queued !== null) {
    if (isOver(schedule, queued, now)) {
      return dropped(question, { ...memory, queued: null }, 1, queued, 'over');
    }
    if (!running) return decided(question, { ...memory, queued: null }, { do: 'fire', slot: queued });
    if (schedule.overlap === 'skip') {
      return dropped(question, { ...memory, queued: null }, 1, queued, 'running');
    }
  }
  if (pending !== null && pending.at >= now - LATE) {
    if (pending.at <= now) return started(question, memory, pending.slot);
    return { memory, decision: waiting(schedule, memory), wakeAt: Math.min(pending.at, now + LONGEST_SLEEP) };
  }
  return looked(question, memory);
}

/** Slots of the schedule that are still to come, at most `limit`; for showing them. */
export function comingSlots(
  schedule: ScheduleSpec,
  cron: Cron,
  now: number,
  limit: number,
): readonly number[] {
  const { not_before, not_after } = schedule;
  const after = Math.max(now, (not_before ?? Number.NEGATIVE_INFINITY) - 1);
  return slotsBetween(cron, after, not_after ?? Number.POSITIVE_INFINITY, limit);
}

/** What was due is due no more when a run for it has come to life, by whichever of its ids. */
export function stillDue(due: DueRun | null, seen: readonly ObservedRun[]): DueRun | null {
  const isIts = ({ key }: ObservedRun): boolean => key.id === due?.run || key.id === due?.before;
  return seen.some((run) => run.everRan && isIts(run)) ? null : due;
}

/**
 * What is due may wait for a service that it depends on, but no longer than anything may start. What was triggered by hand
 * may start whenever it can.
 */
export function isLapsed(schedule: ScheduleSpec, { slot }: DueRun, now: number): boolean {
  return slot !== null && isOver(schedule, slot, now);
}

/** When that is to be asked; milliseconds since 1970. undefined: time makes no difference any more. */
export function lapsesAt({ not_after }: ScheduleSpec, { slot }: DueRun, now: number): number | undefined {
  const at = slot === null || not_after === null ? now : not_after + LATE + 1;
  return at > now ? Math.min(at, now + LONGEST_SLEEP) : undefined;
}

/** One time more was missed. */
export function withMissed(memory: JobMemory): JobMemory {
  const { missed, running } = memory.skipped;
  return { ...memory, skipped: { missed: missed + 1, running } };
}

export type Overtime =
  | { readonly say: 'none' }
  | { readonly say: 'wait'; readonly until: number }
  | { readonly say: 'over'; readonly by: number };

/**
 * Has a run that began at `startedAt` gone on for longer than `max`? All of one clock, in milliseconds; a clock that
 * was set back before the start counts as no time passed.
 */
export function overtime(startedAt: number, now: number, max: number | null): Overtime {
  if (max === null) return { say: 'none' };
  const passed = Math.max(0, now - startedAt);
  return passed < max ? { say: 'wait', until: now + max - passed } : { say: 'over', by: passed - max };
}

/** The memory made to fit this line, this schedule and this clock. */
function settled({ schedule, cron, memory, now }: JobQuestion): JobMemory {
  if (memory === null || memory.cron !== cron.text || memory.zone !== cron.zone.name) {
    return {
      cron: cron.text,
      zone: cron.zone.name,
      since: now,
      considered: now,
      pending: null,
      queued: null,
      decided: [],
      skipped: { missed: 0, running: 0 },
    };
  }
  const considered = Math.min(memory.considered, now);
  const pending = settledPending(memory.pending, schedule.jitter, now);
  if (considered === memory.considered && pending === memory.pending) return memory;
  return { ...memory, considered, pending };
}

/** After the clock was set back: a slot that is still to come will come by itself, and no wait becomes longer. */
function settledPending(pending: JobMemory['pending'], jitter: number, now: number): JobMemory['pending'] {
  if (pending === null || pending.at <= now + jitter) return pending;
  return pending.slot > now ? null : { slot: pending.slot, at: now + jitter };
}

/** Nothing is pending but what is too late to be: which slots have come since? */
function looked(question: JobQuestion, memory: JobMemory): JobAnswer {
  const { schedule, cron, now } = question;
  const after = Math.max(memory.considered, (schedule.not_before ?? Number.NEGATIVE_INFINITY) - 1);
  const until = Math.min(now, schedule.not_after ?? Number.POSITIVE_INFINITY);
  const edge = now - LATE - 1;
  const fresh = nextUndecided(cron, memory.decided, Math.max(after, edge));
  const isFresh = fresh !== undefined && fresh <= until;
  const { missed, last } = missedSlots(question, memory, after, Math.min(until, edge));
  if (missed > 0 && last !== undefined) {
    const given = { ...memory, considered: Math.max(memory.considered, last), pending: null };
    // A run that is about to come anyway stands for those that were missed.
    if (schedule.missed === 'skip' || isFresh || memory.queued !== null) {
      return dropped(question, given, missed, last, 'missed');
    }
    const skipped = { ...given.skipped, missed: given.skipped.missed + missed - 1 };
    return awaited(question, { ...given, skipped }, last, now);
  }
  if (isFresh) return awaited(question, { ...memory, considered: fresh }, fresh, fresh);
  return { memory, decision: waiting(schedule, memory), wakeAt: nextLook(question, memory) };
}

/** How many slots came and went, the pending one among them, and the last of them. */
function missedSlots(
  { cron }: JobQuestion,
  { pending, decided }: JobMemory,
  after: number,
  until: number,
): { readonly missed: number; readonly last: number | undefined } {
  const waited = pending === null ? 0 : 1;
  const last = lastSlot(cron, after, until);
  if (last === undefined || isDecided(decided, last)) return { missed: waited, last: pending?.slot };
  const passed = slotsBetween(cron, after, last, COUNTED).filter((slot) => !isDecided(decided, slot));
  return { missed: passed.length + waited, last };
}

/** The slot has come; its run starts at once, or later by chance, but before the next slot and the end of all. */
function awaited(question: JobQuestion, memory: JobMemory, slot: number, from: number): JobAnswer {
  const { schedule, cron, now, chance } = question;
  const next = nextUndecided(cron, memory.decided, Math.max(slot, from)) ?? Number.POSITIVE_INFINITY;
  const latest = Math.min(next - 1, schedule.not_after ?? Number.POSITIVE_INFINITY);
  const at = Math.max(from, Math.min(from + Math.floor(schedule.jitter * chance), latest));
  if (at <= now) return started(question, memory, slot);
  const given = { ...memory, pending: { slot, at } };
  return {
    memory: given,
    decision: waiting(schedule, given),
    wakeAt: Math.min(at, now + LONGEST_SLEEP),
  };
}

/** The run of `slot` is to start now. */
function started(question: JobQuestion, memory: JobMemory, slot: number): JobAnswer {
  const { schedule, cron, now, running } = question;
  const given = { ...memory, pending: null, decided: withDecided(cron, memory.decided, slot) };
  if (isOver(schedule, slot, now)) return dropped(question, given, 1, slot, 'over');
  if (!running) return decided(question, given, { do: 'fire', slot });
  if (schedule.overlap === 'skip') return dropped(question, given, 1, slot, 'running');
  if (schedule.overlap === 'replace') {
    const superseded = memory.queued === null ? 0 : 1;
    const skipped = { ...given.skipped, running: given.skipped.running + superseded };
    return decided(question, { ...given, queued: slot, skipped }, { do: 'replace', slot });
  }
  if (memory.queued !== null) return dropped(question, given, 1, slot, 'queued');
  return decided(question, { ...given, queued: slot }, { do: 'queue', slot });
}

function dropped(
  question: JobQuestion,
  memory: JobMemory,
  slots: number,
  last: number,
  because: 'running' | 'queued' | 'missed' | 'over',
): JobAnswer {
  const { missed, running } = memory.skipped;
  const isMissed = because === 'missed' || because === 'over';
  const skipped = isMissed ? { missed: missed + slots, running } : { missed, running: running + slots };
  return decided(question, { ...memory, skipped }, { do: 'skip', slots, last, because });
}

/** Something was decided, so there may be more. */
function decided({ now }: JobQuestion, memory: JobMemory, decision: JobDecision): JobAnswer {
  return { memory, decision, wakeAt: now };
}

/** While one waits for the end of the running one, `replace` holds. */
function waiting(schedule: ScheduleSpec, { queued }: JobMemory): JobDecision {
  return queued !== null && schedule.overlap === 'replace' ? { do: 'replace', slot: queued } : NOTHING;
}

function nextLook({ schedule, cron, now }: JobQuestion, memory: JobMemory): number | undefined {
  const after = Math.max(now, (schedule.not_before ?? Number.NEGATIVE_INFINITY) - 1);
  const next = nextUndecided(cron, memory.decided, after);
  if (next === undefined || next > (schedule.not_after ?? Number.POSITIVE_INFINITY)) return undefined;
  return Math.min(next, now + LONGEST_SLEEP);
}

/** Nothing starts after the end, but for being noticed late. */
function isOver({ not_after, not_before }: ScheduleSpec, slot: number, now: number): boolean {
  if (not_before !== null && slot < not_before) return true;
  return not_after !== null && (slot > not_after || now > not_after + LATE);
}
