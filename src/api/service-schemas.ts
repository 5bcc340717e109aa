/** What does an answer look like that tells of services, as a schema? Held against the types by the compiler. */
import type { Problem } from '../model/problem.ts';
import type { HoldView, ScaleView } from './changes.ts';
import type {
  Drift,
  ExitView,
  InstanceView,
  ProbeView,
  ScheduleView,
  ServiceState,
  ServiceView,
} from './contract.ts';
import {
  component,
  type FieldsOf,
  flag,
  list,
  map,
  nullable,
  number,
  object,
  optional,
  text,
  time,
  whole,
  words,
} from './schema-of.ts';
import type { ServiceStats, StatsView } from './stats.ts';

const state = words<ServiceState>({
  running: true,
  starting: true,
  stopping: true,
  stopped: true,
  backoff: true,
  failed: true,
  completed: true,
  scheduled: true,
  held: true,
  waiting: true,
  unknown: true,
});

const drift = words<Drift>({
  none: true,
  pending: true,
  invalid: true,
  held: true,
  stopped: true,
  scaled: true,
  removed: true,
});

export const severity = words<'error' | 'warning'>({ error: true, warning: true });

export const problem = component(
  'Problem',
  object<Problem>({
    code: text<Problem['code']>('Stable; docs/problems.md explains each.'),
    severity,
    message: text(),
    file: optional(text()),
    line: optional(whole()),
    column: optional(whole()),
    path: optional(text('The key, as in the file.')),
    hint: optional(text()),
    service: optional(text()),
    passing: optional(words<true>({ true: true })),
  }),
);

const probe = object<ProbeView>({
  kind: words<ProbeView['kind']>({ startup: true, readiness: true, liveness: true }),
  ok: nullable(flag()),
  detail: text(),
  at: nullable(time()),
  failures: whole('In a row.'),
  threshold: whole('So many are one too many.'),
});

export const instance = component(
  'Instance',
  object<InstanceView>({
    instance: whole(),
    generation: nullable(whole()),
    run_id: nullable(text()),
    state,
    pid: nullable(whole()),
    pids: list(whole()),
    started_at: nullable(time()),
    uptime_ms: nullable(number()),
    cpu_percent: nullable(number('Of one core.')),
    memory_bytes: nullable(number()),
    restarts: whole(),
    adopted: flag('It was started by an earlier daemon.'),
    reason: text(),
    ready: flag(),
    port: nullable(whole()),
    probes: list(probe),
  }),
);

export const exit = component(
  'Exit',
  object<ExitView>({
    instance: whole(),
    code: nullable(whole()),
    signal: nullable(text()),
    oom: flag(),
    at: time(),
    by: words<ExitView['by']>({ itself: true, stop: true, policy: true }),
    because: optional(text()),
    uptime_ms: number(),
    reason: text(),
    log: optional(list(text())),
  }),
);

const schedule = object<ScheduleView>({
  cron: text(),
  next: list(time()),
  next_at: nullable(time()),
  last_run_at: nullable(time()),
  last_result: nullable(text()),
  skipped: object<ScheduleView['skipped']>({ missed: whole(), running: whole() }),
});

export const scaleFields: FieldsOf<ScaleView> = {
  instances: whole('How many run because a command says so.'),
  file: whole('How many the file says.'),
  by: text(),
  at: time(),
};

const holdFields: FieldsOf<HoldView> = {
  by: text(),
  at: time(),
  reason: optional(text()),
  until: optional(time('It ends by itself then; without it only by a release.')),
};

export const service = component(
  'Service',
  object<ServiceView>({
    name: text(),
    description: text(),
    labels: map(text()),
    enabled: flag(),
    state,
    ready: whole(),
    desired: whole(),
    generation: whole(),
    restarts: whole(),
    drift,
    reason: text(),
    instances: list(instance),
    last_exit: nullable(exit),
    scaled: optional(object<ScaleView>(scaleFields)),
    held: optional(object<HoldView>(holdFields)),
    schedule: nullable(schedule),
    file: nullable(text()),
    id: text('The same as name.'),
    isRunning: flag(),
    pid: nullable(whole()),
    startTime: nullable(time()),
    uptime: nullable(number('Milliseconds.')),
    restartCount: whole(),
    healthCheckFailures: whole(),
    lastHealthCheck: nullable(time()),
  }),
);

export const stats = component(
  'Stats',
  object<StatsView>({
    services: list(
      object<ServiceStats>({
        name: text(),
        status: state,
        pid: nullable(whole()),
        uptime: nullable(number('Milliseconds.')),
        restartCount: whole(),
        cpu: nullable(number()),
        memoryRss: nullable(number()),
        memoryHeap: nullable(number('Bytes, as the service itself tells it.')),
        memory: nullable(number()),
        mode: words<ServiceStats['mode']>({ fork: true, cluster: true }),
        instances: whole(),
        running: whole(),
        processes: whole(),
        ioRead: nullable(number()),
        ioWritten: nullable(number()),
      }),
    ),
  }),
);
