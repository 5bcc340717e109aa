/** What does a program get that imports this package? */
export type {
  ChangeResult,
  DiffView,
  FailureView,
  FrozenView,
  HeldRemovals,
  OnFailure,
  PlanRequest,
  UnderWayResult,
  UpdateView,
} from '../api/changes.ts';
export type {
  CommandResult,
  ExitView,
  InstanceView,
  LogFile,
  LogLine,
  LogStream,
  LogsView,
  ServiceState,
  ServiceView,
  StatusView,
  VersionView,
  WaitView,
  WhyView,
} from '../api/contract.ts';
export type { DefineView } from '../api/definition.ts';
export type { HistoryEntry, HistoryView } from '../api/deploys.ts';
export type { ServiceStats } from '../api/stats.ts';
export type { SyncView } from '../api/sync.ts';
export type { NumberedEvent } from '../model/action.ts';
export type { Problem, ProblemCode } from '../model/problem.ts';
export type {
  CallOptions,
  Client,
  GoalOptions,
  HistoryOptions,
  KillOptions,
  LogsOptions,
  OutcomeOptions,
  ResumeOptions,
  RollbackOptions,
  SyncOptions,
  UpdateOptions,
} from './client.ts';
export { connect } from './connect.ts';
export type { ConnectOptions } from './daemon-address.ts';
export type { EmbeddedSettings, LogEntry, ProcessmasterOptions } from './embedding-options.ts';
export type { EventsOptions } from './follow-events.ts';
export type { ServiceDefinition, Services } from './given-services.ts';
export { type CloseOptions, type EmbeddedEventsOptions, Processmaster } from './processmaster.ts';
export { ProcessmasterError } from './processmaster-error.ts';
export type { ServiceRequest } from './service-request.ts';
