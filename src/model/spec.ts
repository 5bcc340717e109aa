/** What does a service file say once every default is filled in and every unit is parsed? */
import type { ServiceName, SpecHash } from './names.ts';
import type { Problem } from './problem.ts';
import type { Signal } from './signals.ts';

/**
 * The normalised definition of one service: plain JSON, free of secrets, with the keys of the YAML file, so that a
 * path in a diff is a path in the file. Durations are milliseconds, sizes bytes, CPU thousandths of a core.
 */
export interface ServiceSpec {
  readonly name: ServiceName;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  readonly process: ProcessSpec;
  readonly instances: number;
  /** TCP port, exported as PORT. */
  readonly port: number | null;
  readonly pid_file: string | null;
  readonly restart_policy: RestartPolicy;
  readonly resources: Resources;
  readonly logs: LogPaths;
}

export interface ProcessSpec {
  /** argv; a command given as a string has become `/bin/sh -c <string>`. Never empty. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** Absolute. */
  readonly working_directory: string;
  readonly env: Readonly<Record<string, EnvValue>>;
  readonly env_files: readonly EnvFile[];
  readonly required_env: readonly string[];
  readonly inherit_env: boolean | readonly string[];
  readonly user: string | null;
  readonly group: string | null;
  readonly supplementary_groups: readonly string[] | null;
  /** For example 0o027. */
  readonly umask: number | null;
  readonly nice: number | null;
  readonly rlimits: Readonly<Record<string, Rlimit>>;
  readonly oom_score_adjust: number | null;
  readonly no_new_privileges: boolean;
  readonly stop_signal: Signal;
  readonly stop_command: readonly string[] | null;
  /** Milliseconds between the stop signal and cgroup.kill. */
  readonly stop_grace: number;
  readonly exit_on: 'auto' | 'main' | 'empty';
  readonly type: 'service' | 'oneshot';
}

/** A plain value, or a secret of which only a digest is kept here. */
export type EnvValue = string | { readonly secret: string; readonly digest: string };

/** A dotenv file: its content counts as a change, so the digest of each value stands for it. */
export interface EnvFile {
  readonly path: string;
  readonly values: Readonly<Record<string, string>>;
}

/** prlimit(1): a number, or null for unlimited. */
export interface Rlimit {
  readonly soft: number | null;
  readonly hard: number | null;
}

export interface RestartPolicy {
  readonly policy: 'always' | 'on_failure' | 'never';
  readonly restart_backoff: number;
  readonly max_backoff: number;
  /** Share of the delay that chance may add: 0 to 1. */
  readonly jitter: number;
  readonly stable_after: number;
  readonly tolerance: {
    readonly max_restarts: number;
    readonly duration: number;
    /** Milliseconds after which a failed instance is tried again; null for never. */
    readonly retry_after: number | null;
  };
  readonly success_exit_codes: readonly number[];
}

/** null means no limit (`max` in the cgroup file). */
export interface Resources {
  /** Thousandths of a core. */
  readonly max_cpu: number | null;
  readonly max_memory: number | null;
  readonly memory_high: number | null;
  readonly max_swap: number | null;
  readonly max_pids: number | null;
  /** 1 to 10000, as in cpu.weight. */
  readonly cpu_weight: number | null;
  /** 1 to 10000, as in io.weight. */
  readonly io_weight: number | null;
}

/** All absolute. */
export interface LogPaths {
  readonly stdout: string;
  readonly stderr: string;
  readonly hints: readonly string[];
  readonly stop_command_stdout: string | null;
  readonly stop_command_stderr: string | null;
}

/** Values that must never be printed: the name of a variable and what it is set to. */
export type SecretEnvironment = ReadonlyMap<string, string>;

/** The user that a service runs as, resolved on this host. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  /** null: the complete list of the user as the system's databases say (initgroups(3)). */
  readonly groups: readonly number[] | null;
  readonly user: string;
  readonly home: string;
  readonly shell: string;
}

/** One service as the directory wants it. */
export type Desired =
  | {
      readonly kind: 'defined';
      readonly name: ServiceName;
      /** The file that defines it, as shown to people. */
      readonly file: string;
      readonly spec: ServiceSpec;
      readonly hash: SpecHash;
      /** Digest over the whole spec, live fields included. */
      readonly digest: string;
      readonly secrets: SecretEnvironment;
      readonly credentials: Credentials | null;
      /** Position of each key path of the file, for `diff`. */
      readonly positions: ReadonlyMap<string, Position>;
      /** Not empty: this is the last good definition of a file that is broken now. */
      readonly problems: readonly Problem[];
    }
  | {
      /** The file is broken and no good version of it is known: what runs stays, nothing is started. */
      readonly kind: 'broken';
      readonly name: ServiceName;
      readonly file: string;
      readonly problems: readonly Problem[];
    };

export type Defined = Extract<Desired, { kind: 'defined' }>;

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The whole directory, read at one moment. */
export interface DesiredState {
  readonly services: ReadonlyMap<ServiceName, Desired>;
  readonly problems: readonly Problem[];
  /** Number of service files seen. */
  readonly files: number;
  /** False: the directory could not be read; `services` is what was known before. */
  readonly readable: boolean;
}
