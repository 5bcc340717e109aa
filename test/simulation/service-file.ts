/** Which service files are there in a simulation, and what do they say? */
import { createHash } from 'node:crypto';
import type { ServiceName, SpecHash } from '../../src/model/names.ts';
import type { Signal } from '../../src/model/signals.ts';
import type { Defined, ProcessSpec, RestartPolicy, ServiceSpec } from '../../src/model/spec.ts';

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
}

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
    },
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
    exit_on: text.exitOn,
    type: text.type,
  };
}
