/** Which service files are there in a simulation, and what do they say? */
import { createHash } from 'node:crypto';
import type { HookName } from '../../src/model/action.ts';
import type { ServiceName, SpecHash } from '../../src/model/names.ts';
import type { ProbeKind, ProbeSpec } from '../../src/model/probe.ts';
import type { Signal } from '../../src/model/signals.ts';
import type {
  Defined,
  Dependency,
  HookSpec,
  ProcessSpec,
  RestartPolicy,
  ScheduleSpec,
  ServiceSpec,
} from '../../src/model/spec.ts';

/** What a file says, as far as histories vary it. Times are milliseconds. */
export interface FileText {
  readonly name: ServiceName;
  readonly description: string;
  readonly enabled: boolean;
  /** The program: another version is another definition (class roll). */
  readonly version: number;
  readonly type: ProcessSpec['type'];
  readonly exitOn: ProcessSpec['exit_on'];
  readonly stopSignal: Signal;
  readonly stopGrace: number;
  readonly stopCommand: boolean;
  readonly instances: number;
  readonly maxPids: number | null;
  readonly policy: RestartPolicy['policy'];
  readonly backoff: number;
  readonly maxBackoff: number;
  readonly jitter: number;
  readonly stableAfter: number;
  readonly maxRestarts: number;
  readonly window: number;
  readonly retryAfter: number | null;
  readonly surge: number;
  readonly overlap: number;
  readonly rolloutTimeout: number;
  readonly minReady: number;
  readonly onFailure: 'keep_old' | 'replace';
  readonly probes: Readonly<Record<ProbeKind, ProbeText | null>>;
  readonly dependsOn: Readonly<Record<ServiceName, Dependency>>;
  /** Timeouts of the hooks; null: there is none. */
  readonly hooks: Readonly<Record<HookName, number | null>>;
  readonly schedule: ScheduleText | null;
}

export interface ProbeText {
  readonly how: 'exec' | 'http';
  readonly interval: number;
  readonly timeout: number;
  readonly failures: number;
  readonly successes: number;
  readonly delay: number;
}

export interface ScheduleText {
  readonly cron: string;
  readonly overlap: 'skip' | 'queue' | 'replace';
  readonly missed: 'skip' | 'once';
  readonly jitter: number;
  readonly maxTime: number | null;
}

/** What a file says about all that it does not mention. */
export const QUIET = {
  surge: 0,
  overlap: 0,
  rolloutTimeout: 60_000,
  minReady: 0,
  onFailure: 'keep_old',
  probes: { startup: null, readiness: null, liveness: null },
  dependsOn: {},
  hooks: { pre_start: null, post_start: null, pre_stop: null, post_stop: null },
  schedule: null,
} as const;

/** What has a schedule runs one at a time, and to its end; and whoever is asked has the time to answer. */
export function consistent(text: FileText): FileText {
  const asked = Object.values(text.probes).some((probe) => probe !== null);
  const patient = asked ? { ...text, rolloutTimeout: Math.max(text.rolloutTimeout, PATIENCE) } : text;
  if (patient.schedule === null) return patient;
  return { ...patient, instances: Math.min(1, patient.instances), type: 'oneshot' };
}

/** Longer than a run without faults can take to be ready, by its probes. Milliseconds. */
const PATIENCE = 150_000;

/** A one-shot is another program than a service of the same name and version. */
export function programOf({ name, version, type }: Pick<FileText, 'name' | 'version' | 'type'>): string {
  return `/srv/${name}-${version}${type === 'oneshot' ? '-once' : ''}`;
}

/** What the configuration makes of the file. */
export function definedBy(text: FileText): Defined {
  const spec = specOf(text);
  const { process } = spec;
  return {
    kind: 'defined',
    name: text.name,
    file: `/etc/config.d/${text.name}.yaml`,
    spec,
    hash: digestOf([spec.name, process.command, process.type]) as SpecHash,
    digest: digestOf(spec),
    secrets: new Map(),
    credentials: null,
    positions: new Map(),
    problems: [],
  };
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}

function specOf(text: FileText): ServiceSpec {
  return {
    name: text.name,
    description: text.description,
    labels: {},
    enabled: text.enabled,
    process: processOf(text),
    instances: text.instances,
    rollout: {
      surge: text.surge,
      overlap: text.overlap,
      timeout: text.rolloutTimeout,
      min_ready: text.minReady,
      on_failure: text.onFailure,
    },
    port: null,
    pid_file: null,
    restart_policy: {
      policy: text.policy,
      restart_backoff: text.backoff,
      max_backoff: text.maxBackoff,
      jitter: text.jitter,
      stable_after: text.stableAfter,
      tolerance: { max_restarts: text.maxRestarts, duration: text.window, retry_after: text.retryAfter },
      success_exit_codes: [0],
      crash_on_start: 'restart',
    },
    probes: {
      startup: probeOf(text, 'startup'),
      readiness: probeOf(text, 'readiness'),
      liveness: probeOf(text, 'liveness'),
    },
    depends_on: text.dependsOn,
    hooks: {
      pre_start: hookOf(text, 'pre_start'),
      post_start: hookOf(text, 'post_start'),
      pre_stop: hookOf(text, 'pre_stop'),
      post_stop: hookOf(text, 'post_stop'),
    },
    watch: null,
    resources: {
      max_cpu: null,
      max_memory: null,
      memory_high: null,
      max_swap: null,
      max_pids: text.maxPids,
      cpu_weight: null,
      io_weight: null,
    },
    logs: {
      stdout: `/var/log/${text.name}/stdout.log`,
      stderr: `/var/log/${text.name}/stderr.log`,
      hints: [],
      stop_command_stdout: null,
      stop_command_stderr: null,
      rotation_mode: 'time',
      rotation_frequency: 'daily',
      rotation_max_age: null,
      rotation_size: 10_485_760,
      rotation_backups: 10,
      compress: false,
      forward: false,
      markers: false,
    },
  };
}

function processOf(text: FileText): ProcessSpec {
  const program = programOf(text);
  return {
    command: [program],
    args: [],
    working_directory: '/srv',
    env: {},
    env_files: [],
    required_env: [],
    inherit_env: false,
    user: null,
    group: null,
    supplementary_groups: null,
    umask: null,
    nice: null,
    rlimits: {},
    oom_score_adjust: null,
    no_new_privileges: false,
    stop_signal: text.stopSignal,
    stop_command: text.stopCommand ? ['/srv/stop', program] : null,
    stop_grace: text.stopGrace,
    reload_signal: null,
    reload_command: null,
    exit_on: text.exitOn,
    type: text.type,
    schedule: scheduleOf(text),
  };
}

function probeOf(text: FileText, kind: ProbeKind): ProbeSpec | null {
  const probe = text.probes[kind];
  if (probe === null) return null;
  const url = ['http://127.0.0.1:80', text.name, '$' + '{instance}', '$' + '{generation}', kind].join('/');
  return {
    how:
      probe.how === 'exec'
        ? { exec: ['/srv/probe', programOf(text)] }
        : { http: { url, method: 'GET', headers: {}, status: [{ from: 200, to: 399 }] } },
    interval: probe.interval,
    timeout: probe.timeout,
    failure_threshold: probe.failures,
    success_threshold: probe.successes,
    initial_delay: probe.delay,
  };
}

function hookOf(text: FileText, hook: HookName): HookSpec | null {
  const timeout = text.hooks[hook];
  return timeout === null ? null : { command: ['/srv/hook', programOf(text)], timeout };
}

function scheduleOf({ schedule }: FileText): ScheduleSpec | null {
  if (schedule === null) return null;
  const { cron, overlap, missed, jitter, maxTime } = schedule;
  return {
    ...{ cron, overlap, missed, jitter, max_time_per_run: maxTime },
    ...{ timezone: 'UTC', not_before: null, not_after: null },
  };
}
