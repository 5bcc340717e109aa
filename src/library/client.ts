/** What can a program ask of a daemon, and what does it get? */

import type { DiffView, OnFailure, PlanRequest, UpdateView } from '../api/changes.ts';
import type {
  CommandResult,
  LogStream,
  LogsView,
  ServiceView,
  StatusView,
  VersionView,
  WaitRequest,
  WaitView,
  WhyView,
} from '../api/contract.ts';
import type { DefineView } from '../api/definition.ts';
import type { HistoryView } from '../api/deploys.ts';
import type { ServiceStats } from '../api/stats.ts';
import type { SyncView } from '../api/sync.ts';
import type { NumberedEvent } from '../model/action.ts';
import type { EventsOptions } from './follow-events.ts';
import type { ServiceRequest } from './service-request.ts';

export interface SyncOptions extends OutcomeOptions {
  readonly prune?: boolean;
  /** Only says what would change. */
  readonly dryRun?: boolean;
  /** What becomes of the rest when a service fails; as `sync.on_failure` says unless told otherwise. */
  readonly onFailure?: OnFailure;
}

export interface CallOptions {
  /** Ends the call: it is rejected with the code `aborted`. What was asked for may be done all the same. */
  readonly signal?: AbortSignal;
}

export interface OutcomeOptions extends CallOptions {
  /** How long the outcome is waited for; 0: not at all. 60 s unless said otherwise. Milliseconds. */
  readonly wait?: number;
}

export interface UpdateOptions extends OutcomeOptions {
  /** Only these; all unless said otherwise. */
  readonly services?: readonly string[];
  /** Also removals that the prune guard holds back. */
  readonly prune?: boolean;
  /** What becomes of the rest when a service fails. */
  readonly onFailure?: OnFailure;
  /** Do exactly this or nothing; from the answer of `diff`. */
  readonly plan?: PlanRequest;
}

export interface RollbackOptions extends OutcomeOptions {
  /** An id, the beginning of one, `latest` or `previous`. */
  readonly id?: string;
  readonly prune?: boolean;
}

export interface LogsOptions extends CallOptions {
  /** All unless said otherwise. */
  readonly services?: string | readonly string[];
  /** Last lines of each file; 100 unless said otherwise. */
  readonly lines?: number;
  /** Both included. */
  readonly since?: Date;
  readonly until?: Date;
  /** A regular expression of JavaScript; its flags do not count. */
  readonly grep?: string | RegExp;
  readonly stream?: LogStream;
  /** Only the files that this instance has alone. */
  readonly instance?: number;
  /** Only files with this base name. */
  readonly file?: string;
}

export interface GoalOptions extends CallOptions {
  /** `ready` unless said otherwise. */
  readonly for?: WaitRequest['for'];
  /** 60 s unless said otherwise. Milliseconds. */
  readonly timeout?: number;
}

export interface HistoryOptions extends CallOptions {
  /** 20 unless said otherwise. */
  readonly limit?: number;
}

export interface ResumeOptions extends OutcomeOptions {
  readonly prune?: boolean;
}

export interface KillOptions extends OutcomeOptions {
  readonly stopServices?: boolean;
}

/**
 * One daemon, asked over its socket or its URL. Every call is a connection of its own, so nothing is open in between.
 * Whatever does not come about is thrown as a `ProcessmasterError`.
 */
export interface Client {
  /** Starts a daemon in the background, as `pmctl run` does, unless one answers. */
  ensureDaemon(options?: CallOptions): Promise<VersionView>;
  version(options?: CallOptions): Promise<VersionView>;
  /** Starts services that were stopped. */
  start(services: string | readonly string[], options?: OutcomeOptions): Promise<readonly CommandResult[]>;
  /** Writes the file of a new service and starts it, as `pmctl run` does. */
  start(service: ServiceRequest, options?: OutcomeOptions): Promise<DefineView>;
  /** They stay stopped until they are started, also when the daemon is. */
  stop(services: string | readonly string[], options?: OutcomeOptions): Promise<readonly CommandResult[]>;
  restart(services: string | readonly string[], options?: OutcomeOptions): Promise<readonly CommandResult[]>;
  reload(services: string | readonly string[], options?: OutcomeOptions): Promise<readonly CommandResult[]>;
  scale(
    services: string | readonly string[],
    instances: number,
    options?: OutcomeOptions,
  ): Promise<readonly CommandResult[]>;
  /** Ends services and removes their files. */
  delete(services: string | readonly string[], options?: OutcomeOptions): Promise<readonly CommandResult[]>;
  status(options?: CallOptions): Promise<StatusView>;
  /** The services of the status. */
  list(options?: CallOptions): Promise<readonly ServiceView[]>;
  stats(service?: string, options?: CallOptions): Promise<readonly ServiceStats[]>;
  /** The last lines of logs. */
  logs(options?: LogsOptions): Promise<LogsView>;
  /** What happens, oldest first: `for await (const event of client.events())`. Comes back after a lost connection. */
  events(options?: EventsOptions): AsyncGenerator<NumberedEvent, void, void>;
  /** What following the files would change. */
  diff(options?: CallOptions): Promise<DiffView>;
  /** Follows the files as they are now. What came of each service is in the answer. */
  update(options?: UpdateOptions): Promise<UpdateView>;
  /** The states that were applied, newest first; 20 unless said otherwise. */
  history(options?: HistoryOptions): Promise<HistoryView>;
  /** Goes back to a state that was applied; the last one that converged unless one is named. Freezes it. */
  rollback(options?: RollbackOptions): Promise<UpdateView>;
  /** Follows the files again after a rollback. */
  resume(options?: ResumeOptions): Promise<UpdateView>;
  /** Brings the checkout that the files are part of to the newest commit, and follows it if it is right. */
  sync(options?: SyncOptions): Promise<SyncView>;
  why(service: string, options?: CallOptions): Promise<WhyView>;
  /** Whether the service got there in time. */
  wait(service: string, options?: GoalOptions): Promise<WaitView>;
  /** Ends the daemon, and waits until it is gone; its services go on unless `stopServices`, or nobody could adopt them. */
  killDaemon(options?: KillOptions): Promise<void>;
  /** Ends everything that is under way. */
  close(): void;
}
