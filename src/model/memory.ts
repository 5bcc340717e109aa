/** What did people ask for, and what did we notice? Intent must not be lost; memory may be. */
import type { JobMemory } from './job.ts';
import type { RunId, SpecHash } from './names.ts';
import type { Outcome } from './observed.ts';
import type { ProbeKind, ProbeMemory } from './probe.ts';

/** Who asked, and when. */
export interface Asked {
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly reason?: string;
}

/** What an operator asked of one service. On disk before the command is answered. */
export interface Intent {
  /** Stays stopped until `start`, over update, daemon restart and reboot. */
  readonly stopped?: Asked;
  /** The loop leaves the service alone. `until`: milliseconds since 1970. */
  readonly held?: Asked & { readonly until?: number };
  /** Instances now; shown as drift until the file agrees. `file`: what the file said at that time. */
  readonly scale?: Asked & { readonly instances: number; readonly file: number };
  /** Runs of an older generation are replaced: how `restart` is remembered without a clock. */
  readonly minGeneration?: number;
  /** Counts `start` and `restart`: a failure or completion noted under an older count is forgiven. */
  readonly pardon?: number;
  /** Counts `reload`: each run is told once for each. */
  readonly reloads?: number;
  /** Counts `trigger`: each is one run of a scheduled service. */
  readonly triggers?: number;
  /** The removal of the file was within the guard, or confirmed with --prune. */
  readonly removalApproved?: boolean;
  /** The guard held the removal back: it stays so until somebody confirms it, or the file is back. */
  readonly removalHeld?: boolean;
  /**
   * Its file is gone and nothing else is kept of it: only that it was stopped, should the file be away for a moment only.
   * Milliseconds since 1970.
   */
  readonly goneAt?: number;
}

/** What we noticed about one service. Losing it costs time, never correctness. */
export interface Memory {
  /** The newest generation handed out, and the hash that it stands for. */
  readonly generation: number;
  readonly generationHash: SpecHash | null;
  readonly slots: Readonly<Record<number, SlotMemory>>;
  readonly runs: Readonly<Record<RunId, RunMemory>>;
  /** The newest generation, if it failed to take over from the one that runs. */
  readonly rejected: Rejection | null;
  /** What a scheduled service has already done. */
  readonly job: JobMemory | null;
  /** A run of a scheduled service that is to be started; on disk before it is. */
  readonly due: DueRun | null;
  /** How many triggers were followed. */
  readonly triggered: number;
}

/** A roll-out that failed; forgotten when the definition changes or somebody asks again. */
export interface Rejection {
  readonly generation: number;
  readonly digest: string;
  readonly pardon: number;
  readonly at: number;
  readonly reason: string;
  readonly run: RunId | null;
}

export interface DueRun {
  readonly run: RunId;
  /** The time of the schedule that it stands for, milliseconds since 1970; null: triggered by hand. */
  readonly slot: number | null;
  /** A run for the same of which only the place was seen: should it have come to life after all, it was the one. */
  readonly before?: RunId;
}

export interface Exit {
  readonly outcome: Outcome;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `policy`: ended because a probe failed or its time was over, which counts like a crash. */
  readonly by: 'itself' | 'stop' | 'policy';
  /** `policy`: what was wrong with it, for people. */
  readonly because?: string;
  readonly run: RunId | null;
  readonly uptime: number;
  /** Sizes of the stdout and the stderr log when it was started; bytes. Absent: nobody noted them. */
  readonly logFrom?: number;
  readonly errFrom?: number;
}

export interface SlotMemory {
  /** Restarts after an exit since the service was last changed or started by hand. */
  readonly restarts: number;
  /** Newest first, at most {@link EXITS_KEPT}. */
  readonly exits: readonly Exit[];
  /** When it crashed, within the tolerance window; milliseconds since 1970. */
  readonly crashes: readonly number[];
  /** Consecutive ends without having been stable: the exponent of the back-off. */
  readonly attempt: number;
  /** When it may be started again; lifted when the definition or the pardon changes. */
  readonly next: SlotWait | null;
  readonly end: SlotEnd | null;
  /** The generation it was started with last; 0 before the first start. */
  readonly generation: number;
  /** Its last start was for a newer generation: after a change, or a restart that somebody asked for. */
  readonly renewed: boolean;
  /** The hook that comes before the next start, while it runs and after it has succeeded. */
  readonly preStart: PreStart | null;
}

export interface PreStart {
  /** The hook itself; the run that it prepares gets an id of its own. */
  readonly run: RunId;
  readonly generation: number;
  readonly digest: string;
  readonly state: 'running' | 'passed';
}

export interface SlotWait {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly delay: number;
  /** Digest of the definition under which the delay was decided. */
  readonly digest: string;
  readonly pardon: number;
}

/** The instance is over until somebody starts it, the definition changes, or `retryAt` has come. */
export interface SlotEnd {
  readonly kind: 'failed' | 'completed';
  readonly at: number;
  readonly reason: string;
  /**
   * Under which definition it ended: the digest of all fields for a failure (any edit may have mended it); the hash for
   * a completion, and for what nobody knows the end of (only a change that starts new processes runs it again).
   */
  readonly under: string;
  readonly pardon: number;
  readonly retryAt: number | null;
  /** Nobody knows how it ended: that is no completion, but it is not run again by itself either. */
  readonly doubtful?: true;
}

/** To run it once more by itself could do harm. */
export function isSettled(end: SlotEnd | null | undefined): boolean {
  return end?.kind === 'completed' || end?.doubtful === true;
}

export interface RunMemory {
  /** Process id and start time in clock ticks since boot (field 22 of proc_pid_stat(5)); null when unknown. */
  readonly main: { readonly pid: number; readonly ticks: number | null } | null;
  readonly stop: StopProgress | null;
  /** Its end is already in the slot's exits. */
  readonly noted: boolean;
  /** Its main process ended while it was being stopped, which is told when nothing of the run is left. */
  readonly untold: boolean;
  /** False: started by an earlier daemon, and not looked at yet by this one. */
  readonly met: boolean;
  readonly probes: Readonly<Partial<Record<ProbeKind, ProbeMemory>>>;
  /** Since when it is ready without interruption; null: it is not. */
  readonly readySince: number | null;
  /** It was ready at some time. */
  readonly everReady: boolean;
  /** TCP port that it was given; null when it has none, or nobody remembers. */
  readonly port: number | null;
  /** Size of its stdout log when it was started; bytes. */
  readonly logFrom: number;
  /** The same of its stderr log; null: an earlier release started it, and {@link logFrom} may be missing as well. */
  readonly errFrom: number | null;
  /** The last reload that it was told of. */
  readonly reloaded: number;
  /** Its post_start hook was begun. */
  readonly postStarted: boolean;
}

export interface StopProgress {
  readonly reason: string;
  /** When the stop began and how long the grace is; milliseconds. */
  readonly since: number;
  readonly grace: number;
  /**
   * `due`: noted before the first step was taken, and replaced right after it; whoever reads it back does not know
   * whether it was taken. `unsent`: the first step failed; the signal is sent as long as there is grace. `hook`: the
   * pre_stop hook runs, and the grace has not begun. `hooked`: that has ended, well or not.
   */
  readonly step: 'due' | 'hook' | 'hooked' | 'command' | 'unsent' | 'signal' | 'kill';
  /** When SIGKILL was sent last. */
  readonly killedAt: number | null;
  /** When it was sent first; absent: not yet, or an earlier release did. */
  readonly killedFrom?: number;
}

export const EXITS_KEPT = 10;

export const NO_MEMORY: Memory = {
  generation: 0,
  generationHash: null,
  slots: {},
  runs: {},
  rejected: null,
  job: null,
  due: null,
  triggered: 0,
};
export const NO_SLOT: SlotMemory = {
  restarts: 0,
  exits: [],
  crashes: [],
  attempt: 0,
  next: null,
  end: null,
  generation: 0,
  renewed: false,
  preStart: null,
};
export const NO_RUN: RunMemory = {
  main: null,
  stop: null,
  noted: false,
  untold: false,
  met: false,
  probes: {},
  readySince: null,
  everReady: false,
  port: null,
  logFrom: 0,
  errFrom: null,
  reloaded: 0,
  postStarted: false,
};
