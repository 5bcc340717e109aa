/** How would a person write down a definition of which every default is filled in? */
import type { WrittenEnvironment } from '../../src/config/environment.ts';
import type { ProbeSpec } from '../../src/model/probe.ts';
import type { Rlimit, ServiceSpec } from '../../src/model/spec.ts';

/** What has to be in `vars:` for it. */
export const VARS = { dollar: '$' };

/** JSON is YAML; escaped where a file may not hold the character itself. */
export function asYaml(value: unknown): string {
  return JSON.stringify(without(value), null, 1).replace(/[\u007f-\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A service file that says the same. */
export function writtenSpec(spec: ServiceSpec, environment: WrittenEnvironment): string {
  const { process, restart_policy, rollout, resources, logs, probes, hooks, watch } = spec;
  const { schedule } = process;
  const { overlap, timeout, min_ready, ...roll } = rollout;
  const { restart_backoff, max_backoff, stable_after, tolerance, ...policy } = restart_policy;
  return asYaml({
    name: spec.name,
    description: spec.description,
    labels: spec.labels,
    enabled: spec.enabled,
    instances: spec.instances,
    port: spec.port,
    pid_file: spec.pid_file,
    depends_on: spec.depends_on,
    process: {
      ...process,
      command: all(process.command),
      args: all(process.args),
      working_directory: template(process.working_directory),
      env: Object.fromEntries(
        Object.entries(environment.env).map(([name, value]) => {
          if (typeof value === 'string') return [name, template(value)];
          return [name, 'file' in value ? { file: literal(value.file) } : value];
        }),
      ),
      env_files: environment.env_files.map(literal),
      user: process.user === null ? null : literal(process.user),
      group: process.group === null ? null : literal(process.group),
      supplementary_groups: process.supplementary_groups?.map(literal) ?? null,
      umask: process.umask === null ? null : `0o${process.umask.toString(8)}`,
      rlimits: Object.fromEntries(
        Object.entries(process.rlimits).map(([name, limit]) => [name, rlimit(limit)]),
      ),
      stop_command: process.stop_command === null ? null : all(process.stop_command),
      reload_command: process.reload_command === null ? null : all(process.reload_command),
      stop_grace: `${process.stop_grace}ms`,
      schedule:
        schedule === null
          ? null
          : {
              ...schedule,
              cron: literal(schedule.cron),
              timezone: schedule.timezone === null ? null : literal(schedule.timezone),
              jitter: `${schedule.jitter}ms`,
              not_before: instant(schedule.not_before),
              not_after: instant(schedule.not_after),
              max_time_per_run: milliseconds(schedule.max_time_per_run),
            },
    },
    rollout: { ...roll, overlap_ms: overlap, timeout_ms: timeout, min_ready_ms: min_ready },
    restart_policy: {
      ...policy,
      restart_backoff_ms: restart_backoff,
      max_backoff_ms: max_backoff,
      stable_after_ms: stable_after,
      tolerance: {
        max_restarts: tolerance.max_restarts,
        duration_ms: tolerance.duration,
        retry_after: milliseconds(tolerance.retry_after) ?? 'never',
      },
    },
    resources: {
      ...resources,
      max_cpu: resources.max_cpu === null ? 'max' : `${resources.max_cpu}m`,
      max_memory: resources.max_memory ?? 'max',
      memory_high: resources.memory_high ?? 'max',
      max_swap: resources.max_swap ?? 'max',
      max_pids: resources.max_pids ?? 'max',
    },
    logs: {
      ...logs,
      stdout: template(logs.stdout),
      stderr: template(logs.stderr),
      hints: logs.hints.map(literal),
      stop_command_stdout: logs.stop_command_stdout === null ? null : literal(logs.stop_command_stdout),
      stop_command_stderr: logs.stop_command_stderr === null ? null : literal(logs.stop_command_stderr),
      rotation_max_age: milliseconds(logs.rotation_max_age) ?? 'never',
    },
    probes: {
      startup: probe(probes.startup),
      readiness: probe(probes.readiness),
      liveness: probe(probes.liveness),
    },
    hooks: Object.fromEntries(
      Object.entries(hooks).map(([name, hook]) => {
        return [name, hook === null ? null : { command: all(hook.command), timeout_ms: hook.timeout }];
      }),
    ),
    watch: watch === null ? null : { paths: watch.paths, ignore: watch.ignore, debounce_ms: watch.debounce },
  });
}

function probe(spec: ProbeSpec | null): object | null {
  if (spec === null) return null;
  const { how, interval, timeout, initial_delay, ...counts } = spec;
  const times = { interval_ms: interval, timeout_ms: timeout, initial_delay_ms: initial_delay };
  return { ...question(how), ...times, ...counts };
}

function question(how: ProbeSpec['how']): object {
  if ('http' in how) {
    const { url, headers, status, method } = how.http;
    const names = Object.entries(headers).map(([name, value]) => [name, template(value)]);
    const ranges = status.map((one) => (typeof one === 'number' ? one : `${one.from}-${one.to}`));
    return { http: { url: template(url), method, headers: Object.fromEntries(names), status: ranges } };
  }
  if ('tcp' in how) {
    const { host, port } = how.tcp;
    return { tcp: { host: template(host), port: port === 'auto' ? '${port}' : port } };
  }
  if ('exec' in how) return { exec: all(how.exec) };
  return 'log' in how ? { log: literal(how.log) } : how;
}

/** From the notation of a definition to that of a file, which has no sign for a lonely dollar. */
function template(text: string): string {
  return text.replace(/\$\$\{|\$\{\$\}/g, (sign) => (sign === '${$}' ? '${vars.dollar}' : sign));
}

function all(texts: readonly string[]): readonly string[] {
  return texts.map(template);
}

/** A text in which nothing is filled in. */
function literal(text: string): string {
  return text.replaceAll('${', '${vars.dollar}{');
}

function rlimit({ soft, hard }: Rlimit): object {
  return { soft: soft ?? 'unlimited', hard: hard ?? 'unlimited' };
}

function milliseconds(value: number | null): string | null {
  return value === null ? null : `${value}ms`;
}

function instant(value: number | null): string | null {
  return value === null ? null : new Date(value).toISOString();
}

/** A key without a value is a mistake in a file. */
function without(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(without);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  return Object.fromEntries(kept.map(([key, inner]) => [key, without(inner)]));
}
