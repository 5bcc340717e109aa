/** What can be asked of the daemon? One interface: implemented in process by daemon/, over the socket by cli/. */
import type { Change, Event, FieldChange } from '../model/action.ts';
import type { Problem } from '../model/problem.ts';
import type { DefineRequest, DefineView, DeleteRequest } from './definition.ts';

/** Counts up when a client of the old number could no longer be served; `GET /api/version` tells it. */
export const PROTOCOL = 1;

export type ServiceState =
  | 'running'
  | 'starting'
  | 'stopping'
  | 'stopped'
  | 'backoff'
  | 'failed'
  | 'completed'
  | 'scheduled'
  | 'held'
  | 'waiting'
  | 'unknown';

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
  readonly prune: { readonly services: readonly string[]; readonly reason: string } | null;
}

/** An error of the configuration as `check`, `diff` and `update` print it. */
export interface ConfigError {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly path: string | null;
  readonly message: string;
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly hint: string | null;
}

export interface DiffView {
  readonly changes: readonly Change[];
  readonly errors: readonly ConfigError[];
  readonly warnings: readonly ConfigError[];
  /** Services on which nothing would be done, and how many of them are held. */
  readonly unchanged: number;
  readonly held: readonly { readonly service: string; readonly reason: string }[];
  readonly prune: StatusView['prune'];
}

export interface ChangeResult extends Change {
  /** `pending`: accepted, still going on when the answer was sent (no wait, or the time was over). */
  readonly result: 'done' | 'failed' | 'pending' | 'refused';
  readonly detail: string;
  /** The newer definition failed, and what ran before goes on. */
  readonly kept?: true;
  /** The last lines that the failed one wrote. */
  readonly log?: readonly string[];
}

export interface UpdateView extends Omit<DiffView, 'changes'> {
  readonly changes: readonly ChangeResult[];
}

export interface UpdateRequest {
  /** Empty: all. */
  readonly services: readonly string[];
  readonly prune: boolean;
  /** Milliseconds to wait for the outcome; 0 answers at once. */
  readonly wait: number;
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

export interface CommandRequest {
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
  /** The last lines that the failed one wrote. */
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
  readonly stderr_tail: readonly string[];
}

export interface LogFile {
  readonly service: string;
  /** `stdout`, `stderr`, or `hint` for a file named in logs.hints. */
  readonly stream: 'stdout' | 'stderr' | 'hint';
  readonly path: string;
}

export interface LogLine extends LogFile {
  readonly line: string;
}

export interface LogsRequest {
  /** Empty: all services. */
  readonly services: readonly string[];
  /** Only files with this base name; undefined: all. */
  readonly file?: string;
  /** Last lines of each file. */
  readonly lines: number;
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
    readonly ok: boolean;
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

export interface WaitRequest {
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
  diff(): DiffView;
  update(request: UpdateRequest): Promise<UpdateView>;
  command(request: CommandRequest): Promise<CommandView>;
  define(request: DefineRequest): Promise<DefineView>;
  delete(request: DeleteRequest): Promise<CommandView>;
  why(service: string): WhyView | undefined;
  logs(request: LogsRequest): LogsView;
  /** What happened after the event number `after`, oldest first. */
  events(after: number): {
    readonly events: readonly (Event & { readonly id: number })[];
    readonly last: number;
  };
  /** Calls back at each new event until the answer is called. */
  onEvent(listener: (event: Event & { readonly id: number }) => void): () => void;
  wait(request: WaitRequest): Promise<WaitView | undefined>;
  version(): VersionView;
  doctor(): DoctorView;
  shutdown(options: { readonly stopServices: boolean; readonly by: string }): void;
}

export function configError(problem: Problem): ConfigError {
  return {
    file: problem.file ?? null,
    line: problem.line ?? null,
    column: problem.column ?? null,
    path: problem.path ?? null,
    message: problem.message,
    code: problem.code,
    severity: problem.severity,
    hint: problem.hint ?? null,
  };
}
