/** How does a simulated program behave? */
import type { HookName } from '../../src/model/action.ts';
import type { ProbeKind } from '../../src/model/probe.ts';
import type { Signal } from '../../src/model/signals.ts';

/** Times are milliseconds. */
export interface Program {
  /** False: it cannot be executed. */
  readonly there: boolean;
  readonly ends:
    | { readonly how: 'never' }
    | { readonly how: 'exit'; readonly code: number; readonly after: number }
    | { readonly how: 'signal'; readonly signal: Signal; readonly oom: boolean; readonly after: number };
  /** What a stop signal does to its processes. */
  readonly onStop:
    | { readonly how: 'ignores' }
    /** `code` null: it dies by the signal. */
    | { readonly how: 'dies'; readonly after: number; readonly code: number | null };
  /** A child that the main process forks; it lives this long, or for ever. */
  readonly child: {
    readonly after: number;
    readonly lives: number | null;
    readonly ignoresStop: boolean;
  } | null;
  /** How long SIGKILL takes: a process in uninterruptible sleep dies when the kernel lets it. */
  readonly killTakes: number;
  /** What its stop command does. `works`: the main process dies as by a stop signal. */
  readonly stopCommand: { readonly after: number; readonly code: number; readonly works: boolean };
  readonly health: HealthScript;
  /** What its hooks do. */
  readonly hooks: Readonly<Record<HookName, { readonly after: number; readonly code: number }>>;
}

/** What its probes are answered, counted from its start. */
export interface HealthScript {
  /** When its startup probe succeeds; null: never. */
  readonly startsAfter: number | null;
  readonly readyAfter: number | null;
  /** It is ready and not ready in turns, each for this long; null: it stays ready. */
  readonly flaps: number | null;
  /** When it stops answering liveness probes; null: never. */
  readonly livesFor: number | null;
  /** How long each answer takes. */
  readonly answersAfter: number;
}

/** It runs for ever and dies at once when told to. */
export const GOOD: Program = {
  there: true,
  ends: { how: 'never' },
  onStop: { how: 'dies', after: 20, code: null },
  child: null,
  killTakes: 5,
  stopCommand: { after: 10, code: 0, works: true },
  health: { startsAfter: 0, readyAfter: 0, flaps: null, livesFor: null, answersAfter: 3 },
  hooks: {
    pre_start: { after: 20, code: 0 },
    post_start: { after: 20, code: 0 },
    pre_stop: { after: 20, code: 0 },
    post_stop: { after: 20, code: 0 },
  },
};

/** @param age milliseconds since the start of the run */
export function isWell({ health }: Program, kind: ProbeKind, age: number): boolean {
  const { startsAfter, readyAfter, flaps, livesFor } = health;
  if (kind === 'startup') return startsAfter !== null && age >= startsAfter;
  if (kind === 'liveness') return livesFor === null || age < livesFor;
  if (readyAfter === null || age < readyAfter) return false;
  return flaps === null || Math.floor((age - readyAfter) / flaps) % 2 === 0;
}

/** It does its work and ends well. */
export const GOOD_ONCE: Program = { ...GOOD, ends: { how: 'exit', code: 0, after: 400 } };
