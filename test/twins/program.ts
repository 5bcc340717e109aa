/** How does a simulated program behave? */
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
}

/** It runs for ever and dies at once when told to. */
export const GOOD: Program = {
  there: true,
  ends: { how: 'never' },
  onStop: { how: 'dies', after: 20, code: null },
  child: null,
  killTakes: 5,
  stopCommand: { after: 10, code: 0, works: true },
};

/** It does its work and ends well. */
export const GOOD_ONCE: Program = { ...GOOD, ends: { how: 'exit', code: 0, after: 400 } };
