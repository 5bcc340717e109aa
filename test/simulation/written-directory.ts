/** The same directory as YAML files, read by the real configuration: slower, so only a share of the histories use it. */
import { posix } from 'node:path';
import { ServiceDirectory } from '../../src/config/load.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { ProbeKind } from '../../src/model/probe.ts';
import type { HookSpec } from '../../src/model/spec.ts';
import type { Failure, FileStatus, Files, Users } from '../../src/world/world.ts';
import type { MemoryFiles } from '../twins/memory-files.ts';
import type { Directory, Reader } from './directory.ts';
import { definedBy, type FileText, programOf, type ScheduleText } from './service-file.ts';

const CONFIG = '/etc/config.d';

export function writtenReader(directory: Directory, state: MemoryFiles, users: Users): Reader {
  const services = new ServiceDirectory({
    files: new WrittenFiles(directory, state),
    users,
    host: { cpus: 2, zone: 'UTC' },
    settings: {
      file: null,
      config_directory: CONFIG,
      state_directory: '/state',
      service_defaults: {},
      vars: {},
    },
    environment: {},
    cwd: '/',
  });
  return { read: () => services.load('later'), keep: (inForce) => services.keepGood(inForce) };
}

/** Below the configuration directory the files of the simulation, everywhere else the state of the daemon. */
class WrittenFiles implements Files {
  readonly #directory: Directory;
  readonly #state: MemoryFiles;

  constructor(directory: Directory, state: MemoryFiles) {
    this.#directory = directory;
    this.#state = state;
  }

  status(path: string): FileStatus | Failure {
    if (!isConfiguration(path)) return this.#state.status(path);
    const base = { uid: 0, gid: 0 };
    if (path === CONFIG) return { ...base, kind: 'directory', size: 0, mode: 0o755, version: 'directory' };
    const text = this.#text(path);
    if (typeof text !== 'string') return text;
    return { ...base, kind: 'file', size: text.length, mode: 0o644, version: text };
  }

  list(path: string): readonly string[] | Failure {
    if (!isConfiguration(path)) return this.#state.list(path);
    const { condition, files } = this.#directory;
    if (condition === 'unreadable') return { failed: 'EACCES' };
    return condition === 'empty' ? [] : [...files.keys()].map((name) => `${name}.yaml`).sort();
  }

  read(path: string, limit: number): string | Failure {
    return isConfiguration(path) ? this.#text(path) : this.#state.read(path, limit);
  }

  replace(path: string, text: string): Failure | undefined {
    return this.#state.replace(path, text);
  }

  settle(): Promise<void> {
    return this.#state.settle();
  }

  remove(path: string): Failure | undefined {
    return this.#state.remove(path);
  }

  executable(): boolean {
    return true;
  }

  #text(path: string): string | Failure {
    const { condition, files } = this.#directory;
    if (condition === 'unreadable') return { failed: 'EACCES' };
    const file = files.get(posix.basename(path, '.yaml') as ServiceName);
    if (file === undefined || condition === 'empty') return { failed: 'ENOENT' };
    return file.broken ? `${yaml(file.text)}process: twice\n` : yaml(file.text);
  }
}

function isConfiguration(path: string): boolean {
  return path === CONFIG || path.startsWith(`${CONFIG}/`);
}

function yaml(text: FileText): string {
  const program = programOf(text);
  return `description: ${JSON.stringify(text.description)}
enabled: ${text.enabled}
process:
  command: [${program}]
  working_directory: /srv
  type: ${text.type}
${text.schedule === null ? '' : `  schedule: ${scheduleText(text.schedule)}\n`}  exit_on: ${text.exitOn}
  stop_signal: ${text.stopSignal}
  stop_grace: ${text.stopGrace}ms
${text.stopCommand ? `  stop_command: [/srv/stop, ${program}]\n` : ''}instances: ${text.instances}
${text.maxPids === null ? '' : `resources:\n  max_pids: ${text.maxPids}\n`}restart_policy:
  policy: ${text.policy}
  restart_backoff: ${text.backoff}ms
  max_backoff: ${text.maxBackoff}ms
  jitter: ${text.jitter}
  stable_after: ${text.stableAfter}ms
  tolerance:
    max_restarts: ${text.maxRestarts}
    duration: ${text.window}ms
    retry_after: ${text.retryAfter === null ? 'never' : `${text.retryAfter}ms`}
${lifecycle(text)}`;
}

function scheduleText({ cron, overlap, missed, jitter, maxTime }: ScheduleText): string {
  const most = maxTime === null ? {} : { max_time_per_run: `${maxTime}ms` };
  return JSON.stringify({ cron, timezone: 'UTC', overlap, missed, jitter: `${jitter}ms`, ...most });
}

/** JSON is YAML. */
function lifecycle(text: FileText): string {
  const spec = definedBy(text).spec;
  const ms = (time: number): string => `${time}ms`;
  const probes = Object.entries(text.probes).flatMap(([kind, probe]) => {
    const how = spec.probes[kind as ProbeKind]?.how;
    if (probe === null || how === undefined) return [];
    const asked = 'exec' in how ? { exec: how.exec } : 'http' in how ? { http: { url: how.http.url } } : {};
    const times = {
      interval: ms(probe.interval),
      timeout: ms(probe.timeout),
      initial_delay: ms(probe.delay),
    };
    const thresholds = { failure_threshold: probe.failures, success_threshold: probe.successes };
    return [[kind, { ...asked, ...times, ...thresholds }]];
  });
  const hooks = Object.entries(spec.hooks).flatMap(([name, hook]: [string, HookSpec | null]) =>
    hook === null ? [] : [[name, { command: hook.command, timeout: ms(hook.timeout) }]],
  );
  const rollout = {
    surge: text.surge,
    overlap: ms(text.overlap),
    timeout: ms(text.rolloutTimeout),
    min_ready: ms(text.minReady),
    on_failure: text.onFailure,
  };
  const keys = {
    rollout,
    probes: Object.fromEntries(probes),
    depends_on: text.dependsOn,
    hooks: Object.fromEntries(hooks),
  };
  return Object.entries(keys)
    .filter(([, value]) => Object.keys(value).length > 0)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');
}
