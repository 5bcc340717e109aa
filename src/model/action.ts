/** What can be done to the world, what would change, and what happened? */
import type { RunId, RunKey, ServiceName, SpecHash } from './names.ts';
import type { ProbeKind, ProbeSpec } from './probe.ts';
import type { Signal } from './signals.ts';

/** The class that a field has in the schemas (`x-apply`): what changing it does to running processes. */
export type ApplyClass = 'live' | 'reload' | 'roll' | 'replace';

export type HookName = 'pre_start' | 'post_start' | 'pre_stop' | 'post_stop';

/** One thing to do. It leaves nothing to decide: whoever carries it out has no opinions. */
export type Action =
  | {
      readonly do: 'start';
      readonly service: ServiceName;
      readonly slot: number;
      readonly generation: number;
      readonly hash: SpecHash;
      /** What is due by a schedule has its id already; null: a new one. */
      readonly run: RunId | null;
      /** As in the lifecycle lines: `boot`, `respawn_after_exit`, `reload_generation_2`. */
      readonly because: string;
    }
  /** Runs a hook beside the run, which need not exist yet, or any more. */
  | { readonly do: 'hook'; readonly run: RunKey; readonly hook: HookName; readonly because: string }
  | {
      readonly do: 'probe';
      readonly run: RunKey;
      readonly kind: ProbeKind;
      readonly spec: ProbeSpec;
      readonly because: string;
    }
  /** In place, by the signal or command of its definition. */
  | { readonly do: 'reload'; readonly run: RunKey; readonly because: string }
  | { readonly do: 'stop_command'; readonly run: RunKey; readonly because: string }
  | { readonly do: 'signal'; readonly run: RunKey; readonly signal: Signal; readonly because: string }
  | { readonly do: 'kill'; readonly run: RunKey; readonly because: string }
  /** Nothing lives in it any more: remove its cgroup and its records. */
  | { readonly do: 'clean_up'; readonly run: RunKey; readonly because: string }
  /** Write limits to the cgroup and remember the live fields as applied. No process is touched. */
  | { readonly do: 'apply_live'; readonly service: ServiceName; readonly because: string }
  /** Nothing of the service is left and nothing is wanted: forget what was kept about it. */
  | { readonly do: 'forget'; readonly service: ServiceName; readonly because: string };

/** One field that differs between what was applied and what is wanted. */
export interface FieldChange {
  /** Key path as in the file: `process.args[0]`. */
  readonly path: string;
  /** As a person writes it; secrets are shown as `(hidden)`. undefined: the field was not there. */
  readonly from?: string;
  readonly to?: string;
  readonly class: ApplyClass;
  readonly file?: string;
  readonly line?: number;
}

/**
 * `live`: limits are written. `define`, `forget`: a definition comes, changes or goes, and nothing of the service runs for
 * which that would mean anything now; a job that runs has it the next time.
 */
export type ChangeKind =
  | 'start'
  | 'stop'
  | 'live'
  | 'reload'
  | 'roll'
  | 'replace'
  | 'define'
  | 'forget'
  | 'keep';

/** What reconciling one service would do: what `diff` prints and what `update` carries out. */
export interface Change {
  readonly service: ServiceName;
  readonly action: ChangeKind;
  readonly because: readonly FieldChange[];
  /** One sentence, for a change that is not about fields: `file removed`, `held by bob: incident 4412`. */
  readonly reason: string;
  /** How many instances are started, stopped or replaced. */
  readonly instances: number;
  /** Of a `roll`, `replace` or `stop`: how many of `instances` are only started; absent: none. */
  readonly added?: number;
  /** Of a `roll` or `replace`: how many of `instances` are only stopped; absent: none. */
  readonly removed?: number;
  /** Why this definition failed to take over: nothing is done before it changes or somebody asks for another try. */
  readonly rejected?: string;
}

/** Something that happened. `fields` are printed in this order. */
export interface Event {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly name: string;
  readonly service?: ServiceName;
  /** The run that it happened to. */
  readonly run_id?: RunId;
  /** Who asked for it. */
  readonly actor?: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** As the journal keeps it: later events have higher numbers, also those of later daemons. */
export interface NumberedEvent extends Event {
  readonly id: number;
}
