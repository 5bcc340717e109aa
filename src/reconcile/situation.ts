/** What has to be known to decide about one service at one moment, and what is the answer? */
import type { Action } from '../model/action.ts';
import type { Intent, Memory } from '../model/memory.ts';
import type { RunKey, ServiceName, SpecHash } from '../model/names.ts';
import type { Observed, Outcome } from '../model/observed.ts';
import type { Desired, ServiceSpec } from '../model/spec.ts';

export interface Situation {
  readonly name: ServiceName;
  /** undefined: no file names it any more. */
  readonly desired: Desired | undefined;
  readonly intent: Intent;
  readonly memory: Memory;
  readonly observed: Observed;
  /** The definitions that runs were started with, live fields as last applied. */
  readonly applied: ReadonlyMap<SpecHash, ServiceSpec>;
  /** Everything is to end, for this reason (`on_exit: stop`, or the operator asked); undefined: business as usual. */
  readonly ending: { readonly reason: string; readonly hurry: boolean } | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** 0 <= chance < 1, for jitter. */
  readonly chance: number;
}

/** What one place of the service is doing, with what people want to know about it. */
export type SlotPhase = { readonly slot: number } & (
  | {
      readonly phase: 'running';
      readonly run: RunKey;
      readonly outdated: boolean;
      readonly mainEnded: boolean;
    }
  | { readonly phase: 'starting' }
  | {
      readonly phase: 'stopping';
      readonly run: RunKey;
      readonly until: number | null;
      readonly blocked: boolean;
    }
  | { readonly phase: 'backoff'; readonly until: number; readonly reason: string }
  | { readonly phase: 'failed'; readonly reason: string; readonly retryAt: number | null }
  | { readonly phase: 'completed'; readonly reason: string }
  | { readonly phase: 'stopped' }
);

/** Something that the decision noticed, for the lifecycle lines. */
export type Notice =
  | { readonly notice: 'exited'; readonly run: RunKey; readonly outcome: Outcome; readonly respawn: boolean }
  | { readonly notice: 'stopped'; readonly run: RunKey; readonly outcome: Outcome; readonly reason: string };

export interface Decision {
  readonly actions: readonly Action[];
  readonly memory: Memory;
  readonly slots: readonly SlotPhase[];
  readonly notices: readonly Notice[];
  /** When to look again if nothing happens before; milliseconds since 1970. */
  readonly wakeAt: number | undefined;
}
