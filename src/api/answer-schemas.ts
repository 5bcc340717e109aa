/** What do the other answers look like, as schemas? Held against the types by the compiler. */
import type { NumberedEvent } from '../model/action.ts';
import { fieldChange, frozen, held } from './change-schemas.ts';
import type {
  DoctorView,
  HealthView,
  LogFile,
  LogLine,
  LogsView,
  StatusView,
  VersionView,
  WaitView,
  WhyView,
} from './contract.ts';
import {
  component,
  either,
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
import { exit, problem, service } from './service-schemas.ts';

export const status = component(
  'Status',
  object<StatusView>({
    services: list(service),
    problems: list(problem),
    prune: nullable(held),
    frozen: optional(nullable(frozen)),
  }),
);

export const why = component(
  'Why',
  object<WhyView>({
    service,
    because: list(text()),
    exits: list(exit),
    changes: list(fieldChange),
    problems: list(problem),
    stderr_tail: list(text()),
    stderr_since: optional(time()),
  }),
);

const logFields: FieldsOf<LogFile> = {
  service: text(),
  stream: words<LogFile['stream']>({ stdout: true, stderr: true, hint: true }),
  path: text(),
  instance: nullable(whole()),
  uid: optional(whole()),
};

export const logFieldsOfView: FieldsOf<LogsView> = {
  files: list(object<LogFile>(logFields)),
  logs: list(object<LogLine>({ ...logFields, line: text(), time: nullable(time()) })),
  problems: list(problem),
};

export const logs = component('Logs', object<LogsView>(logFieldsOfView));

export const event = component(
  'Event',
  object<NumberedEvent>({
    id: whole('Counts up.'),
    at: number('Milliseconds since 1970.'),
    name: text(),
    service: optional(text<NonNullable<NumberedEvent['service']>>()),
    run_id: optional(text()),
    actor: optional(text()),
    fields: map(either(text(), number())),
  }),
);

export const version = component(
  'Version',
  object<VersionView>({
    name: words<VersionView['name']>({ processmaster: true }),
    version: text(),
    protocol: whole(),
    pid: whole(),
    started_at: time(),
    config_directory: text(),
    containment: text(),
  }),
);

export const doctor = component(
  'Doctor',
  object<DoctorView>({
    checks: list(
      object<DoctorView['checks'][number]>({
        name: text(),
        ok: flag('False for a failure alone.'),
        level: words<DoctorView['checks'][number]['level']>({ fine: true, note: true, failure: true }),
        detail: text(),
        hint: optional(text()),
      }),
    ),
  }),
);

export const health = component(
  'Health',
  object<HealthView>({
    status: words<HealthView['status']>({ healthy: true, degraded: true }),
    timestamp: time(),
    uptime: number('Seconds.'),
    processes: object<HealthView['processes']>({ total: whole(), running: whole(), details: list(service) }),
  }),
);

export const waited = component('Wait', object<WaitView>({ met: flag(), service }));
