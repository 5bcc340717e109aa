/** Which definition does a complete, checked tree describe? */
import { resolve } from 'node:path';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { LogsSpec, ProcessSpec, Resources, Rlimit, ServiceSpec } from '../model/spec.ts';
import { fillIn, needsStart, writeTemplate } from '../model/template.ts';
import { isOfProcess } from '../world/process-path.ts';
import { argv } from './argv.ts';
import { emptyCommands } from './empty-commands.ts';
import type { WrittenEnvironment } from './environment.ts';
import type { CompleteService } from './generated/types.ts';
import { dependenciesOf, LifeReader } from './life.ts';
import type { ServicePort } from './probe-questions.ts';
import { probesOf } from './probes.ts';
import { type Origin, problemAt } from './raw-tree.ts';
import { rolloutOf } from './rollout.ts';

export interface Surroundings {
  readonly name: ServiceName;
  /** Directory of the service file, absolute: relative paths start here. */
  readonly directory: string;
  readonly stateDirectory: string;
  readonly origin: Origin;
  /** For `instances: auto`. */
  readonly cpus: number;
}

/** A definition as far as its own text tells; the files and users that it names are still to be looked at. */
export interface Draft {
  /** `process.env` and `env_files` are still empty. */
  readonly spec: ServiceSpec;
  readonly environment: WrittenEnvironment;
}

/** Everything that units and structure were already checked for. */
export function normalise(
  service: CompleteService,
  at: Surroundings,
): { readonly draft: Draft } | { readonly problems: readonly Problem[] } {
  const { process } = service;
  const directory = writeTemplate([{ text: at.directory }]);
  const workingDirectory = resolve(directory, process.working_directory ?? '.');
  const logs = logsSpec(service, workingDirectory, at);
  const port = (service.port ?? null) as ServicePort;
  const { probes, problems: unasked } = probesOf(service.probes, port, at.origin);
  const life = new LifeReader(at.origin);
  const schedule = life.schedule(process.schedule);
  const hooks = life.hooks(service.hooks);
  const watch = life.watch(service.watch, homeOf(workingDirectory));
  const problems = [
    ...emptyCommands(service, at.origin),
    ...unasked,
    ...life.problems,
    ...('problems' in logs ? logs.problems : []),
  ];
  if ('problems' in logs || problems.length > 0) return { problems };
  const instances = typeof service.instances === 'number' ? service.instances : at.cpus;
  const rollout = rolloutOf(service.rollout, { port, instances, process: { type: process.type, schedule } });
  const { max_backoff = service.restart_policy.restart_backoff, ...policy } = service.restart_policy;
  const spec: ServiceSpec = {
    name: at.name,
    description: service.description,
    labels: { ...service.labels },
    enabled: service.enabled,
    process: processSpec(process, workingDirectory, schedule),
    instances,
    rollout,
    port,
    pid_file: service.pid_file === undefined ? null : resolve(at.directory, service.pid_file),
    restart_policy: {
      policy: policy.policy,
      restart_backoff: policy.restart_backoff,
      max_backoff,
      jitter: policy.jitter,
      stable_after: policy.stable_after,
      tolerance: {
        max_restarts: policy.tolerance.max_restarts,
        duration: policy.tolerance.duration,
        retry_after: policy.tolerance.retry_after ?? null,
      },
      success_exit_codes: policy.success_exit_codes,
      crash_on_start: policy.crash_on_start,
    },
    probes,
    depends_on: dependenciesOf(service.depends_on),
    hooks,
    watch,
    resources: resources(service.resources),
    logs: logs.spec,
  };
  return { draft: { spec, environment: writtenEnvironment(process, at.directory) } };
}

function processSpec(
  process: CompleteService['process'],
  workingDirectory: string,
  schedule: ProcessSpec['schedule'],
): ProcessSpec {
  const args = process.args as readonly string[];
  return {
    command: argv(process.command, args),
    args,
    working_directory: workingDirectory,
    env: {},
    env_files: [],
    required_env: process.required_env,
    inherit_env: process.inherit_env,
    user: process.user ?? null,
    group: process.group ?? null,
    supplementary_groups: process.supplementary_groups ?? null,
    umask: process.umask ?? null,
    nice: process.nice ?? null,
    rlimits: rlimits(process.rlimits),
    oom_score_adjust: process.oom_score_adjust ?? null,
    no_new_privileges: process.no_new_privileges,
    stop_signal: process.stop_signal,
    stop_command: process.stop_command === undefined ? null : argv(process.stop_command),
    stop_grace: process.stop_grace,
    reload_signal: process.reload_signal ?? null,
    reload_command: process.reload_command === undefined ? null : argv(process.reload_command),
    exit_on: process.exit_on,
    type: process.type,
    schedule,
  };
}

function rlimits(written: CompleteService['process']['rlimits']): Readonly<Record<string, Rlimit>> {
  const limits = Object.entries(written).map(([name, limit]) => {
    const both = typeof limit === 'object' && limit !== null ? limit : { soft: limit, hard: limit };
    return [name, { soft: both.soft, hard: both.hard }] as const;
  });
  return Object.fromEntries(limits);
}

function resources(written: CompleteService['resources']): Resources {
  return {
    max_cpu: written.max_cpu,
    max_memory: written.max_memory,
    memory_high: written.memory_high,
    max_swap: written.max_swap,
    max_pids: written.max_pids,
    cpu_weight: written.cpu_weight ?? null,
    io_weight: written.io_weight ?? null,
  };
}

/** Absolute paths of files. Services of one directory must not write into each other's logs unless their files say so. */
function logsSpec(
  service: CompleteService,
  workingDirectory: string,
  { name, stateDirectory, origin }: Surroundings,
): { readonly spec: LogsSpec } | { readonly problems: readonly Problem[] } {
  const known = homeOf(workingDirectory);
  const moving = known === undefined;
  const home = known ?? '/';
  const fallback =
    service.process.working_directory !== undefined && !moving ? home : resolve(stateDirectory, 'logs', name);
  const { stdout, stderr, hints, stop_command_stdout, stop_command_stderr, ...rules } = service.logs;
  const problems = [
    ...Object.entries({ stdout, stderr, stop_command_stdout, stop_command_stderr }).map(
      ([key, path]) => [['logs', key], path] as const,
    ),
    ...hints.map((path, index) => [['logs', 'hints', index], path] as const),
  ].flatMap(([at, path]): Problem[] => {
    const says = path === undefined ? undefined : logRefusal(path, home, moving);
    return says === undefined ? [] : [problemAt(origin, at, { code: 'value-invalid', says })];
  });
  if (problems.length > 0) return { problems };
  return {
    spec: {
      stdout: stdout === undefined ? resolve(fallback, 'stdout.log') : resolve(home, stdout),
      stderr: stderr === undefined ? resolve(fallback, 'stderr.log') : resolve(home, stderr),
      hints: hints.map((path) => resolve(home, path)),
      stop_command_stdout: stop_command_stdout === undefined ? null : resolve(home, stop_command_stdout),
      stop_command_stderr: stop_command_stderr === undefined ? null : resolve(home, stop_command_stderr),
      ...rules,
    },
  };
}

/** Why a path is none of a log. */
function logRefusal(path: string, home: string, moving: boolean): string | undefined {
  if (moving && !path.startsWith('/')) {
    return 'must be absolute, because process.working_directory is known only when a process starts';
  }
  const place = resolve(home, path);
  return isOfProcess(place) ? `${place} is no file of its own; a log is a regular file` : undefined;
}

/** Undefined while it depends on what is known only when a process starts. */
function homeOf(workingDirectory: string): string | undefined {
  return needsStart(workingDirectory)
    ? undefined
    : fillIn(workingDirectory, { instance: 0, generation: 0, port: 0 });
}

function writtenEnvironment(process: CompleteService['process'], directory: string): WrittenEnvironment {
  const env = Object.entries(process.env).map(([name, value]) => {
    if (typeof value !== 'object') return [name, value] as const;
    return [name, 'file' in value ? { file: resolve(directory, value.file) } : value] as const;
  });
  return {
    env: Object.fromEntries(env),
    env_files: process.env_files.map((path) => resolve(directory, path)),
  };
}
