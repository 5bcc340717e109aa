/** What has to be known to decide about one service at one moment, and what is the answer? */
import type { Action, HookName } from '../model/action.ts';
import type { Intent, Memory } from '../model/memory.ts';
import type { RunId, RunKey, ServiceName, SpecHash } from '../model/names.ts';
import type { Observed, Outcome } from '../model/observed.ts';
import type { ProbeKind } from '../model/probe.ts';
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
  /** What this daemon has begun beside runs and what has not ended yet; see {@link besides}. */
  readonly inFlight: { has(key: string): boolean };
  /** The services that this one depends on. */
  readonly dependencies: readonly Dependency[];
  /** Services that depend on this one, still run and are to be stopped as well: they go first. */
  readonly dependents: readonly ServiceName[];
  /** Its port is held by a run of another service that is on its way out: nothing is started before. A sentence. */
  readonly portHeld?: string;
  /** Nobody lets go of its port for as long as it serves: it is not stopped for that. */
  readonly portKept?: KeptPort;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** 0 <= chance < 1, for jitter. */
  readonly chance: number;
}

/** How a service stands that another depends on. */
export interface Dependency {
  readonly name: ServiceName;
  /**
   * `rolling`: it is met, and a newer definition of it is on its way, which comes first. `waiting`: it is not, and is
   * on its way. `away`: it is not, and does not come by itself.
   */
  readonly state: 'met' | 'rolling' | 'waiting' | 'away';
  /** It is away because it has failed, or because it waits itself for one that has. */
  readonly dueToFailure?: true;
  /** One sentence: `db is not ready: readiness has not answered yet`. */
  readonly detail: string;
}

/** One command or probe beside one run, as it is named in {@link Situation.inFlight}. */
export function besides(run: RunId, what: ProbeKind | HookName | 'reload'): string {
  return `${run} ${what}`;
}

/** What is known of the service that is waited for. */
export interface Hindrance {
  /** It does not come by itself. */
  readonly away?: boolean;
  /** That is because it has failed, or because it waits itself for one that has. */
  readonly dueToFailure?: true;
}

export interface KeptPort extends Pick<Hindrance, 'dueToFailure'> {
  /** A sentence. */
  readonly why: string;
}

/** What one place of the service is doing, with what people want to know about it. */
export type SlotPhase = { readonly slot: number } & (
  | {
      readonly phase: 'running';
      readonly run: RunKey;
      readonly outdated: boolean;
      readonly mainEnded: boolean;
      readonly ready: boolean;
      /** About its probes; empty where it has none. */
      readonly health: string;
      /** Why the newer definition did not take its place; null where none tried and failed. */
      readonly rejected: string | null;
      /** It is not ready, and still has time to become so. */
      readonly settling?: boolean;
      /** Why its successor waits for a service that it depends on, or for its port. */
      readonly heldBack?: Hindrance & { readonly why: string };
    }
  | { readonly phase: 'starting'; readonly hook?: HookName }
  /** For services that it depends on, or for its port. */
  | ({ readonly phase: 'waiting'; readonly reason: string } & Hindrance)
  /** For its time. */
  | { readonly phase: 'scheduled' }
  | {
      readonly phase: 'stopping';
      readonly run: RunKey;
      readonly until: number | null;
      readonly blocked: boolean;
      /** It waits for this service to stop first. */
      readonly after?: ServiceName;
    }
  | { readonly phase: 'backoff'; readonly until: number; readonly reason: string }
  | { readonly phase: 'failed'; readonly reason: string; readonly retryAt: number | null }
  | { readonly phase: 'completed'; readonly reason: string }
  /** Nothing is to run in it for as long as the definition is as it is. */
  | { readonly phase: 'stopped'; readonly reason: string }
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
  /** From when on to look again already, where another service is looked at anyway; not after `wakeAt`. */
  readonly wakeFrom: number | undefined;
}
