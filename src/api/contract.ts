/** What can be asked of the daemon? One interface: implemented in process by daemon/, over the socket by cli/. */

import type { Event, FieldChange } from '../model/action.ts';
import type { Problem } from '../model/problem.ts';
import type {
  ChangeResult,
  DiffView,
  FrozenView,
  HeldRemovals,
  HoldView,
  ScaleView,
  UpdateRequest,
  UpdateView,
} from './changes.ts';
import { type ConfigError, configError } from './config-error.ts';
import type { DefineRequest, DefineView, DeleteRequest } from './definition.ts';
import type { Deploys } from './deploys.ts';
import type { EventFeed } from './event-feed.ts';
import type { MayGo } from './may-go.ts';
import type { Measures } from './measures.ts';
import type { ServiceState } from './service-state.ts';
import type { StatsView } from './stats.ts';
import type { SyncRequest, SyncView } from './sync.ts';

/** Counts up when a client of the old number could no longer be served; `GET /api/version` tells it. */
export const PROTOCOL = 1;

export type { ServiceState };

export type Drift = 'none' | 'pending' | 'invalid' | 'held' | 'stopped' | 'scaled' | 'removed';

export interface InstanceView {
  readonly instance: number;
  readonly generation: number | null;
  readonly run_id: string | null;
  readonly state: ServiceState;
  readonly pid: number | null;
  readonly pids: readonly number[];
  /** ISO 8601. */
  readonly started_at: string | null;
  readonly uptime_ms: number | null;
  readonly cpu_percent: number | null;
  readonly memory_bytes: number | null;
  readonly restarts: number;
  readonly adopted: boolean;
  readonly reason: string;
  /** Its probes say that it may be relied on; without probes: it runs. */
  readonly ready: boolean;
  readonly port: number | null;
  readonly probes: readonly ProbeView[];
}

export interface ProbeView {
  readonly kind: 'startup' | 'readiness' | 'liveness';
  /** What it said last; null: nothing yet. */
  readonly ok: boolean | null;
  readonly detail: string;
  /** ISO 8601; null: never. */
  readonly at: string | null;
  /** Failures in a row, and how many of them are one too many. */
  readonly failures: number;
  readonly threshold: number;
}

export interface ScheduleView {
  readonly cron: string;
  /** The next times, ISO 8601; empty when there is none. */
  readonly next: readonly string[];
  readonly next_at: string | null;
  readonly last_run_at: string | null;
  /** As in {@link ExitView.reason}. */
  readonly last_result: string | null;
  /** Times that nothing was started at, since this schedule is known. */
  readonly skipped: { readonly missed: number; readonly running: number };
}

export interface ExitView {
  readonly instance: number;
  readonly code: number | null;
  readonly signal: string | null;
  readonly oom: boolean;
  /** ISO 8601. */
  readonly at: string;
  /** `policy`: a probe failed, or its time was over. */
  readonly by: 'itself' | 'stop' | 'policy';
  /** `policy`: what was wrong with it, for people. */
  readonly because?: string;
  readonly uptime_ms: number;
  /** `exit_3`, `signal_9`, `oom`, `unknown`, or the sentence of a launch that was refused. */
  readonly reason: string;
  /** The last lines that a run of a schedule wrote; told by `why`. */
  readonly log?: readonly string[];
}

export interface ServiceView {
  readonly name: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  readonly state: ServiceState;
  readonly ready: number;
  readonly desired: number;
  readonly generation: number;
  readonly restarts: number;
  readonly drift: Drift;
  readonly reason: string;
  readonly instances: readonly InstanceView[];
  readonly last_exit: ExitView | null;
  readonly schedule: ScheduleView | null;
  readonly file: string | null;
  readonly scaled?: ScaleView;
  readonly held?: HoldView;
  /** The names that the REST calls have for the same, for programs that know processes by them. */
  readonly id: string;
  readonly isRunning: boolean;
  readonly pid: number | null;
  readonly startTime: string | null;
  readonly uptime: number | null;
  readonly restartCount: number;
  readonly healthCheckFailures: number;
  readonly lastHealthCheck: string | null;
}

export interface StatusView {
  readonly services: readonly ServiceView[];
  /** Problems that belong to no single service, and those of broken files. */
  readonly problems: readonly Problem[];
  /** Set while the prune guard holds removals back: how many, and why. */
  readonly prune: HeldRemovals | null;
  /** Set while something else than the files is in force. */
  readonly frozen?: FrozenView | null;
}

export type Verb =
  | 'start'
  | 'stop'
  | 'restart'
  | 'reload'
  | 'trigger'
  | 'hold'
  | 'release'
  | 'enable'
  | 'disable'
  | 'scale';

/** A request as it is sent: the connection tells who asks. */
export type Unsigned<Request extends { readonly by?: string }> = Omit<Request, 'by'>;

export interface CommandRequest extends MayGo {
  readonly verb: Verb;
  /** Exact names; the client resolves `all` and labels from the status. */
  readonly services: readonly string[];
  readonly by: string;
  /** hold: why. */
  readonly reason?: string;
  /** hold: for how long, milliseconds. */
  readonly for?: number;
  /** scale: how many. */
  readonly instances?: number;
  /** Milliseconds to wait for the outcome; 0 answers at once. */
  readonly wait: number;
}

export interface CommandResult {
  readonly service: string;
  readonly result: 'done' | 'failed' | 'pending' | 'refused' | 'unknown_service';
  /** One sentence: what is the case now, or why not. */
  readonly detail: string;
  /** The newer definition failed, and what ran before goes on. */
  readonly kept?: true;
  /** The lines that tell most of what was written since the failed one was started; the older one may have written some. */
  readonly log?: readonly string[];
}

export interface CommandView {
  readonly results: readonly CommandResult[];
}

export interface WhyView {
  readonly service: ServiceView;
  /** Full sentences, most important first: state, cause, the line of the file, what would mend it. */
  readonly because: readonly string[];
  readonly exits: readonly ExitView[];
  readonly changes: readonly FieldChange[];
  readonly problems: readonly Problem[];
  /** The last lines; while a newer definition is rejected, those that tell most of what was written since it was started. */
  readonly stderr_tail: readonly string[];
  /** When that definition was started, ISO 8601; absent: they are the last lines. */
  readonly stderr_since?: string;
}

export interface LogFile {
  readonly service: string;
  /** `stdout`, `stderr`, or `hint` for a file named in logs.hints. */
  readonly stream: LogStream;
  readonly path: string;
  /** null: all instances share the file. */
  readonly instance: number | null;
  /** The user that the service runs as: whoever else reads the file follows no link that this user may have planted. */
  readonly uid?: number;
}

export type LogStream = 'stdout' | 'stderr' | 'hint';

export interface LogLine extends LogFile {
  readonly line: string;
  /** When it was written, as the line itself says: ISO 8601; null: it says nothing. */
  readonly time: string | null;
}

export interface LogsRequest {
  /** Empty: all services. */
  readonly services: readonly string[];
  /** Only files with this base name; undefined: all. */
  readonly file?: string;
  /** Last lines of each file; of those that the rest of the request selects. */
  readonly lines: number;
  /** Milliseconds since 1970, both included. */
  readonly since?: number;
  readonly until?: number;
  /** A regular expression of JavaScript. */
  readonly grep?: string;
  readonly stream?: LogStream;
  /** Only the files that this instance has alone. */
  readonly instance?: number;
}

export interface LogsView {
  /** Every file that the request selects, also those that are empty or not there yet: what a follower reads. */
  readonly files: readonly LogFile[];
  readonly logs: readonly LogLine[];
  /** Files that could not be shown, with the reason. */
  readonly problems: readonly Problem[];
}

export interface VersionView {
  readonly name: 'processmaster';
  readonly version: string;
  readonly protocol: number;
  readonly pid: number;
  /** ISO 8601. */
  readonly started_at: string;
  readonly config_directory: string;
  readonly containment: string;
}

export interface DoctorView {
  readonly checks: readonly {
    readonly name: string;
    /** False for a failure alone. */
    readonly ok: boolean;
    /** A note tells what the host lacks and nobody here needs. */
    readonly level: 'fine' | 'note' | 'failure';
    readonly detail: string;
    readonly hint?: string;
  }[];
}

export interface HealthView {
  readonly status: 'healthy' | 'degraded';
  readonly timestamp: string;
  /** Seconds. */
  readonly uptime: number;
  readonly processes: {
    readonly total: number;
    readonly running: number;
    readonly details: readonly ServiceView[];
  };
}

export interface WaitRequest extends MayGo {
  readonly service: string;
  readonly for: 'ready' | 'stopped' | 'completed';
  /** Milliseconds. */
  readonly timeout: number;
}

export interface WaitView {
  readonly met: boolean;
  readonly service: ServiceView;
}

/** Everything that can be asked of a running daemon. Unknown services answer with `unknown_service`. */
export interface Control {
  status(): StatusView;
  stats(): StatsView;
  diff(): DiffView;
  update(request: UpdateRequest): Promise<UpdateView>;
  sync(request: SyncRequest): Promise<SyncView>;
  command(request: CommandRequest): Promise<CommandView>;
  define(request: DefineRequest): Promise<DefineView>;
  delete(request: DeleteRequest): Promise<CommandView>;
  why(service: string): WhyView | undefined;
  logs(request: LogsRequest): Promise<LogsView>;
  /** What happened after the event number `after`, oldest first. */
  events(after: number): {
    readonly events: readonly (Event & { readonly id: number })[];
    readonly last: number;
  };
  /** Calls back at each new event until the answer is called. */
  onEvent(listener: (event: Event & { readonly id: number }) => void): () => void;
  /** All that is kept of what happened, also before this daemon was started. */
  readonly feed: EventFeed;
  wait(request: WaitRequest): Promise<WaitView | undefined>;
  version(): VersionView;
  doctor(): DoctorView;
  measures(): Promise<Measures>;
  /** Absent where no directory is followed. */
  readonly deploys?: Deploys;
  shutdown(request: ShutdownRequest): ShutdownView;
}

export interface ShutdownRequest {
  readonly stopServices: boolean;
  readonly by: string;
  /** The daemon ends only then; without it at once. */
  readonly answered?: Promise<void>;
}

export interface ShutdownView {
  /** Whether the services are stopped first: because that was asked, or because nobody could adopt them. */
  readonly stopServices: boolean;
  /** It was ending already, as somebody had asked before: that counts. */
  readonly isUnderWay: boolean;
}

export {
  type ChangeResult,
  type ConfigError,
  configError,
  type DiffView,
  type UpdateRequest,
  type UpdateView,
};
