/** What does a service file say once every default is filled in and every unit is parsed? */
import type { ServiceName, SpecHash } from './names.ts';
import type { ProbeSpec } from './probe.ts';
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
  /** `auto` has become the number of CPUs. */
  readonly instances: number;
  readonly rollout: RolloutSpec;
  /** TCP port, exported as PORT; `auto`: each instance gets one of the pool when it starts. */
  readonly port: number | 'auto' | null;
  readonly pid_file: string | null;
  readonly restart_policy: RestartPolicy;
  readonly probes: Probes;
  readonly depends_on: Readonly<Record<ServiceName, Dependency>>;
  readonly hooks: Hooks;
  readonly watch: Watch | null;
  readonly resources: Resources;
  readonly logs: LogsSpec;
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
  /** What `reload` does in place; both null: it is a rolling replacement. */
  readonly reload_signal: Signal | null;
  readonly reload_command: readonly string[] | null;
  readonly exit_on: 'auto' | 'main' | 'empty';
  readonly type: 'service' | 'oneshot';
  readonly schedule: ScheduleSpec | null;
}

/** Durations in milliseconds, instants in milliseconds since 1970. */
export interface ScheduleSpec {
  /** As `parseCron` reads it. */
  readonly cron: string;
  /** An IANA name; null for the zone of the host. */
  readonly timezone: string | null;
  /** A slot comes while a run is still going: drop it, run it afterwards (one at most), or end the run for it. */
  readonly overlap: 'skip' | 'queue' | 'replace';
  /** Slots passed while nobody looked: none of them is run, or one run stands for all of them. */
  readonly missed: 'skip' | 'once';
  /** A run starts up to this long after its slot, but always before the next one. */
  readonly jitter: number;
  /** Slots outside of these two, themselves included, do not exist. */
  readonly not_before: number | null;
  readonly not_after: number | null;
  readonly max_time_per_run: number | null;
}

/** How a new generation takes over from the old one; durations in milliseconds. */
export interface RolloutSpec {
  /** So many runs above `instances` at the same time; 0: an old run ends before its successor starts. */
  readonly surge: number;
  /** How long old and new run side by side after the new one is ready. */
  readonly overlap: number;
  /** A new run that is not ready by then has failed. */
  readonly timeout: number;
  /** How long a new run must have been ready before it counts. */
  readonly min_ready: number;
  /** A new generation failed: the old one stays, or goes all the same. */
  readonly on_failure: 'keep_old' | 'replace';
}

/** `${instance}`, `${generation}` and `${port}` in them are still to be filled in: see template.ts. */
export interface Probes {
  readonly startup: ProbeSpec | null;
  readonly readiness: ProbeSpec | null;
  readonly liveness: ProbeSpec | null;
}

/** What another service must be before this one starts. */
export type Dependency = 'started' | 'ready' | 'completed';

export interface Hooks {
  readonly pre_start: HookSpec | null;
  readonly post_start: HookSpec | null;
  readonly pre_stop: HookSpec | null;
  readonly post_stop: HookSpec | null;
}

export interface HookSpec {
  /** argv, never empty; a template as that of the process. */
  readonly command: readonly string[];
  /** Milliseconds. */
  readonly timeout: number;
}

/** Sources whose change restarts the service. */
export interface Watch {
  /** Absolute, at least one. */
  readonly paths: readonly string[];
  /** Patterns as in path-pattern.ts. */
  readonly ignore: readonly string[];
  /** Milliseconds without a further change. */
  readonly debounce: number;
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
  /** A run ends soon after a start that a change caused: as any other, or it stays down until the next change. */
  readonly crash_on_start: 'restart' | 'wait_for_change';
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
export interface LogsSpec {
  readonly stdout: string;
  readonly stderr: string;
  readonly hints: readonly string[];
  readonly stop_command_stdout: string | null;
  readonly stop_command_stderr: string | null;
  readonly rotation_mode: 'time' | 'size';
  readonly rotation_frequency: 'minutely' | 'hourly' | 'daily' | 'weekly' | 'monthly' | 'none';
  /** Milliseconds; null: rotated files stay, however old they are. */
  readonly rotation_max_age: number | null;
  /** Bytes. */
  readonly rotation_size: number;
  readonly rotation_backups: number;
  readonly compress: boolean;
  readonly forward: boolean;
  readonly markers: boolean;
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
  /**
   * Dotenv files and files of secrets that the service files name, also those whose definition cannot be followed, for
   * one of them may be missing. Absolute; absent where no files are read.
   */
  readonly named?: ReadonlySet<string>;
}
