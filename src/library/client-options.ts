/** Which options does each call of a client take, and which values? */
import type {
  CallOptions,
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
import type { EventsOptions } from './follow-events.ts';
import {
  COUNT,
  DATE,
  FLAG,
  FUNCTION,
  GOAL,
  MILLISECONDS,
  NAMES,
  OBJECT,
  ON_FAILURE,
  PATIENCE,
  PATTERN,
  SIGNAL,
  STREAM,
  TEXT,
} from './kinds.ts';
import type { KeysOf } from './known-keys.ts';

const CALL: KeysOf<CallOptions> = { signal: SIGNAL };
const OUTCOME: KeysOf<OutcomeOptions> = { ...CALL, wait: MILLISECONDS };
const RESUME: KeysOf<ResumeOptions> = { ...OUTCOME, prune: FLAG };
const UPDATE: KeysOf<UpdateOptions> = { ...RESUME, services: NAMES, onFailure: ON_FAILURE, plan: OBJECT };
const SYNC: KeysOf<SyncOptions> = { ...RESUME, dryRun: FLAG, onFailure: ON_FAILURE };
const ROLLBACK: KeysOf<RollbackOptions> = { ...RESUME, id: TEXT };
const KILL: KeysOf<KillOptions> = { ...OUTCOME, stopServices: FLAG };
const HISTORY: KeysOf<HistoryOptions> = { ...CALL, limit: COUNT };
const WAIT: KeysOf<GoalOptions> = { ...CALL, for: GOAL, timeout: MILLISECONDS };
const EVENTS: KeysOf<EventsOptions> = {
  ...CALL,
  ...{ after: COUNT, services: NAMES, patience: PATIENCE, onGap: FUNCTION },
};
const LOGS: KeysOf<LogsOptions> = {
  ...{ ...CALL, services: NAMES, lines: COUNT, since: DATE, until: DATE },
  ...{ grep: PATTERN, stream: STREAM, instance: COUNT, file: TEXT },
};

export const KNOWN = {
  ...{ call: CALL, outcome: OUTCOME, resume: RESUME, update: UPDATE, sync: SYNC, rollback: ROLLBACK },
  ...{ kill: KILL, history: HISTORY, goal: WAIT, events: EVENTS, logs: LOGS },
} as const;
