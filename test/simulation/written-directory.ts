/** The same directory as YAML files, read by the real configuration: slower, so only a share of the histories use it. */
import { posix } from 'node:path';
import { ServiceDirectory } from '../../src/config/load.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { Failure, FileStatus, Files, Users } from '../../src/world/world.ts';
import type { MemoryFiles } from '../twins/memory-files.ts';
import type { Directory, Reader } from './directory.ts';
import { type FileText, programOf } from './service-file.ts';

const CONFIG = '/etc/config.d';

export function writtenReader(directory: Directory, state: MemoryFiles, users: Users): Reader {
  const services = new ServiceDirectory({
    files: new WrittenFiles(directory, state),
    users,
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
  return () => services.load();
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
  exit_on: ${text.exitOn}
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
`;
}
