/** Which options does each call of a client take? */
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
import type { KeysOf } from './known-keys.ts';

const CALL: KeysOf<CallOptions> = { signal: true };
const OUTCOME: KeysOf<OutcomeOptions> = { ...CALL, wait: true };
const RESUME: KeysOf<ResumeOptions> = { ...OUTCOME, prune: true };
const UPDATE: KeysOf<UpdateOptions> = { ...RESUME, services: true, onFailure: true, plan: true };
const SYNC: KeysOf<SyncOptions> = { ...RESUME, dryRun: true, onFailure: true };
const ROLLBACK: KeysOf<RollbackOptions> = { ...RESUME, id: true };
const KILL: KeysOf<KillOptions> = { ...OUTCOME, stopServices: true };
const HISTORY: KeysOf<HistoryOptions> = { ...CALL, limit: true };
const GOAL: KeysOf<GoalOptions> = { ...CALL, for: true, timeout: true };
const EVENTS: KeysOf<EventsOptions> = { ...CALL, after: true, services: true, patience: true, onGap: true };
const LOGS: KeysOf<LogsOptions> = {
  ...{ signal: true, services: true, lines: true, since: true, until: true },
  ...{ grep: true, stream: true, instance: true, file: true },
};

export const KNOWN = {
  ...{ call: CALL, outcome: OUTCOME, resume: RESUME, update: UPDATE, sync: SYNC, rollback: ROLLBACK },
  ...{ kill: KILL, history: HISTORY, goal: GOAL, events: EVENTS, logs: LOGS },
} as const;
