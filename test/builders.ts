/** Nouns with every default filled in, so that a test shows only what matters to it. */
import type { Intent, Memory, RunMemory, SlotMemory, StopProgress } from '../src/model/memory.ts';
import { NO_MEMORY, NO_RUN, NO_SLOT } from '../src/model/memory.ts';
import { type RunId, type RunKey, runId, type ServiceName, type SpecHash } from '../src/model/names.ts';
import type { MainProcess, Members, Observed, ObservedRun, Outcome } from '../src/model/observed.ts';
import type { Problem } from '../src/model/problem.ts';
import type { Credentials, Defined, ScheduleSpec, ServiceSpec } from '../src/model/spec.ts';
import type { Situation } from '../src/reconcile/situation.ts';

/** The moment at which most tests happen. Milliseconds since 1970. */
export const NOW = 1_800_000_000_000;

/** Any part of a tree; a list is given as a whole. */
export type Part<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Part<T[K]> | undefined }
    : T;

export const WEB = name('web');

export function name(text: string): ServiceName {
  return text as ServiceName;
}

/** One letter stands for a whole hash: `hash('a')`. */
export function hash(letter: string): SpecHash {
  return letter.repeat(12) as SpecHash;
}

export function problem(changes: Partial<Problem> = {}): Problem {
  return { code: 'start-failed', severity: 'error', message: 'it did not work', ...changes };
}

export function credentials(changes: Partial<Credentials> = {}): Credentials {
  return { uid: 33, gid: 33, groups: null, user: 'www', home: '/srv', shell: '/bin/sh', ...changes };
}

export function spec(changes: Part<ServiceSpec> = {}): ServiceSpec {
  return merge(SPEC, changes) as ServiceSpec;
}

const SPEC: ServiceSpec = {
  name: WEB,
  description: '',
  labels: {},
  enabled: true,
  process: {
    command: ['web-server'],
    args: [],
    working_directory: '/srv/web',
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
    stop_signal: 'SIGTERM',
    stop_command: null,
    stop_grace: 30_000,
    reload_signal: null,
    reload_command: null,
    exit_on: 'auto',
    type: 'service',
    schedule: null,
  },
  instances: 1,
  rollout: { surge: 0, overlap: 0, timeout: 60_000, min_ready: 0, on_failure: 'keep_old' },
  port: null,
  pid_file: null,
  restart_policy: {
    policy: 'always',
    restart_backoff: 1000,
    max_backoff: 1000,
    jitter: 0,
    stable_after: 5000,
    tolerance: { max_restarts: 3, duration: 60_000, retry_after: null },
    success_exit_codes: [0],
    crash_on_start: 'restart',
  },
  probes: { startup: null, readiness: null, liveness: null },
  depends_on: {},
  hooks: { pre_start: null, post_start: null, pre_stop: null, post_stop: null },
  watch: null,
  resources: {
    max_cpu: null,
    max_memory: null,
    memory_high: null,
    max_swap: null,
    max_pids: null,
    cpu_weight: null,
    io_weight: null,
  },
  logs: {
    stdout: '/srv/web/stdout.log',
    stderr: '/srv/web/stderr.log',
    hints: [],
    stop_command_stdout: null,
    stop_command_stderr: null,
    rotation_mode: 'time',
    rotation_frequency: 'daily',
    rotation_max_age: 30 * 24 * 3_600_000,
    rotation_size: 10 * 1024 * 1024,
    rotation_backups: 10,
    compress: false,
    forward: false,
    markers: false,
  },
};

export interface DefinedChanges extends Partial<Omit<Defined, 'kind' | 'spec' | 'hash' | 'positions'>> {
  readonly spec?: Part<ServiceSpec>;
  /** One letter: {@link hash}. */
  readonly hash?: string;
  /** Lines by key path. */
  readonly lines?: Readonly<Record<string, number>>;
}

/** A definition; its digest follows from what it says, its hash is `a` unless told. */
export function defined(changes: DefinedChanges = {}): Defined {
  const { spec: part, hash: letter, lines, ...rest } = changes;
  const own = rest.name ?? WEB;
  const whole = spec({ ...part, name: own });
  return {
    kind: 'defined',
    name: own,
    file: `config.d/${own}.yaml`,
    spec: whole,
    hash: hash(letter ?? 'a'),
    digest: `digest of ${JSON.stringify(whole)}`,
    secrets: new Map(),
    credentials: null,
    positions: new Map(Object.entries(lines ?? {}).map(([path, line]) => [path, { line, column: 3 }])),
    problems: [],
    ...rest,
  };
}

/** Nothing but times. */
export function schedule(cron: string, changes: Partial<ScheduleSpec> = {}): ScheduleSpec {
  return {
    cron,
    timezone: 'UTC',
    overlap: 'skip',
    missed: 'skip',
    jitter: 0,
    not_before: null,
    not_after: null,
    max_time_per_run: null,
    ...changes,
  };
}

export interface RunChanges {
  readonly service?: ServiceName;
  readonly slot?: number;
  readonly generation?: number;
  /** One letter: {@link hash}. */
  readonly hash?: string;
  /** How long before {@link NOW} it was started. Milliseconds. */
  readonly age?: number;
  readonly main?: MainProcess;
  readonly members?: Members | Members['is'];
  readonly everRan?: boolean;
  readonly adopted?: boolean;
}

/** A run that serves, started an hour ago. */
export function run(changes: RunChanges = {}): ObservedRun {
  const { members = 'some', age = 3_600_000, slot = 0 } = changes;
  return {
    key: runKey(changes),
    startedAt: NOW - age,
    main: changes.main ?? { is: 'running', pid: 100 + slot },
    members: typeof members === 'string' ? membersOf(members) : members,
    everRan: changes.everRan ?? true,
    adopted: changes.adopted ?? false,
  };
}

export function runKey(changes: RunChanges = {}): RunKey {
  const { service = WEB, slot = 0, generation = 1, age = 3_600_000 } = changes;
  const id = runId(NOW - age, `run${slot}`);
  return { service, slot, generation, hash: hash(changes.hash ?? 'a'), id };
}

/** A run of which nothing is left. */
export function over(outcome: Outcome, changes: RunChanges = {}): ObservedRun {
  return run({ members: 'none', main: { is: 'ended', outcome, at: NOW }, ...changes });
}

/** A run whose first process has ended while others of it live. */
export function mainEnded(outcome: Outcome, changes: RunChanges = {}): ObservedRun {
  return run({ main: { is: 'ended', outcome, at: NOW }, ...changes });
}

export function exited(code: number): Outcome {
  return { kind: 'exited', code };
}

export function seen(...runs: readonly ObservedRun[]): Observed {
  return { kind: 'seen', runs };
}

export function unseen(): Observed {
  return { kind: 'unseen', problem: problem({ code: 'observe-failed', message: 'EMFILE' }) };
}

export function slot(changes: Partial<SlotMemory> = {}): SlotMemory {
  return { ...NO_SLOT, ...changes };
}

export function memory(changes: Partial<Memory> = {}): Memory {
  return { ...NO_MEMORY, ...changes };
}

/** The memory of a service whose runs are being stopped, or were noticed otherwise. */
export function runsRemembered(
  ...entries: readonly (readonly [ObservedRun, Partial<RunMemory>])[]
): Readonly<Record<RunId, RunMemory>> {
  return Object.fromEntries(entries.map(([{ key }, part]) => [key.id, { ...NO_RUN, ...part }]));
}

export function stopProgress(changes: Partial<StopProgress> = {}): StopProgress {
  return { reason: 'stop_requested', since: NOW, grace: 30_000, step: 'signal', killedAt: null, ...changes };
}

export interface SituationChanges extends Partial<Omit<Situation, 'memory' | 'applied'>> {
  readonly memory?: Partial<Memory>;
  readonly applied?: Readonly<Record<string, ServiceSpec>>;
  readonly runs?: readonly ObservedRun[];
  readonly intent?: Intent;
}

/**
 * A service that one file defines, as it was applied, with the given runs. Without `memory`, the newest generation is
 * the one of the newest run; without `applied`, the definition itself was applied.
 */
export function situation(changes: SituationChanges = {}): Situation {
  const { runs = [], memory: part, applied, ...rest } = changes;
  const desired = 'desired' in changes ? changes.desired : defined();
  const specs = applied ?? (desired?.kind === 'defined' ? { [desired.hash]: desired.spec } : {});
  return {
    name: WEB,
    intent: {},
    observed: seen(...runs),
    ending: undefined,
    inFlight: new Set<string>(),
    dependencies: [],
    dependents: [],
    now: NOW,
    chance: 0,
    ...rest,
    desired,
    memory: memory(part),
    applied: new Map(Object.entries(specs).map(([key, value]) => [longHash(key), value])),
  };
}

function longHash(key: string): SpecHash {
  return key.length === 1 ? hash(key) : (key as SpecHash);
}

function membersOf(is: Members['is']): Members {
  return is === 'unseen' ? { is, problem: problem({ code: 'observe-failed' }) } : { is };
}

function merge(base: unknown, part: unknown): unknown {
  if (!isTree(base) || !isTree(part)) return part;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(part)) {
    if (value !== undefined) merged[key] = key in base ? merge(base[key], value) : value;
  }
  return merged;
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
