/** What may this program ask of the outside? Every port here has a Linux side and a twin in test/simulation. */
import type { RunId, RunKey, ServiceName } from '../model/names.ts';
import type { Observed, Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import type { Signal } from '../model/signals.ts';
import type { Credentials, Resources, Rlimit } from '../model/spec.ts';

export interface Clock {
  /** Whole milliseconds since 1970. Within one process it never runs backwards, whatever is done to the clock. */
  now(): number;
  /** Calls `wake` once after `delay` milliseconds; the answer cancels it. */
  after(delay: number, wake: () => void): () => void;
}

export interface Random {
  /** 0 <= x < 1. */
  next(): number;
}

/** The code of a system call that failed: `ENOENT`, `EACCES`, … */
export interface Failure {
  readonly failed: string;
}

export interface FileStatus {
  readonly kind: 'file' | 'directory' | 'other';
  readonly size: number;
  /** Permission bits only. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Changes whenever the content may have changed: device, inode, size, mtime and ctime in one text. */
  readonly version: string;
}

export interface Files {
  /** Follows symbolic links. */
  status(path: string): FileStatus | Failure;
  /** Names in a directory, sorted. */
  list(directory: string): readonly string[] | Failure;
  /**
   * The whole text of a regular file of at most `limit` bytes. Never blocks on a fifo or device
   * (`failed: 'ENOTREG'`); a larger file answers `failed: 'EFBIG'`.
   */
  read(path: string, limit: number): string | Failure;
  /** Replaces a file as a whole: temporary file beside it, fsync if `durable`, rename. Makes missing parents (0700). */
  replace(path: string, text: string, options: { mode: number; durable: boolean }): Failure | undefined;
  remove(path: string): Failure | undefined;
  /** True if this path may be executed by the given user. */
  executable(path: string, credentials: Credentials | null): boolean;
}

export interface Group {
  readonly name: string;
  readonly gid: number;
}

/** The user database of the host. */
export interface Users {
  /** By name or decimal id; undefined when the host does not know it. */
  user(name: string): Credentials | undefined;
  group(name: string): Group | undefined;
  /** Who this daemon runs as. */
  readonly self: Credentials;
}

/** Everything needed to create one process; nothing is left to decide. */
export interface Launch {
  readonly argv: readonly string[];
  readonly workingDirectory: string;
  /** The complete environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** null: as the daemon. */
  readonly credentials: Credentials | null;
  readonly umask: number | null;
  readonly nice: number | null;
  readonly rlimits: Readonly<Record<string, Rlimit>>;
  readonly oomScoreAdjust: number | null;
  readonly noNewPrivileges: boolean;
  /** Open file descriptors of the daemon, or null for /dev/null. The caller closes them afterwards. */
  readonly stdout: number | null;
  readonly stderr: number | null;
}

export interface Started {
  readonly pid: number;
  /** Start time in clock ticks since boot; null where the host does not tell. */
  readonly ticks: number | null;
}

/** What the processes of a run use; null where the host does not tell. */
export interface Usage {
  readonly cpuMicroseconds: number | null;
  readonly memoryBytes: number | null;
}

/** The main process of a run as an earlier daemon noted it. */
export type KnownMain = (run: RunId) => { readonly pid: number; readonly ticks: number | null } | null;

/** Where runs live: one container each, a cgroup or (weaker) a session of processes. */
export interface Containment {
  readonly kind: 'cgroup' | 'process_group';
  /** What this host cannot do, for `doctor` and the log; fixed at start. */
  readonly shortcomings: readonly Problem[];
  /** Every service of which something is left, also those that no file names any more. */
  services(): readonly ServiceName[] | { readonly unseen: Problem };
  look(service: ServiceName, known: KnownMain): Observed;
  /** Makes the place of the run and starts its first process in it. On a Problem nothing is left behind. */
  start(key: RunKey, launch: Launch): Started | Problem;
  /** Runs a command inside the container of a run; `done` is called once when that command has ended. */
  runInside(key: RunKey, launch: Launch, done: (outcome: Outcome) => void): Problem | undefined;
  /** To every process of the run, and to those that appear meanwhile. */
  signal(key: RunKey, signal: Signal): Problem | undefined;
  /** SIGKILL to every process of the run at once. */
  kill(key: RunKey): Problem | undefined;
  /** Removes the empty container. */
  remove(key: RunKey): Problem | undefined;
  /** Removes what is left of a service without runs. */
  forget(service: ServiceName): void;
  /** Process ids, oldest first; empty when it could not be seen. */
  members(key: RunKey): readonly number[];
  /** For people: `811 node worker.js (uninterruptible)`. */
  describe(pid: number): string;
  /** The environment a process of the run was started with; undefined when it cannot be read. */
  environment(key: RunKey): Readonly<Record<string, string>> | undefined;
  /** Writes the limits of a whole service; what could not be applied comes back. */
  limit(service: ServiceName, resources: Resources): readonly Problem[];
  usage(key: RunKey): Usage;
  /** A process that listens on this TCP port and does not belong to `service`: its description. */
  portHolder(port: number, service: ServiceName): string | undefined;
  /** `wake` is told the name of a service of which something changed; never what. */
  onChange(wake: (service: ServiceName) => void): void;
  /** Ends all watching; leaves every process alone. */
  close(): void;
}

export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly users: Users;
  readonly containment: Containment;
}

/** True for the answer of a port that could not do what it was asked. */
export function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'failed' in value;
}
