/** What may this program ask of the outside? Every port here has a Linux side and a twin in test/simulation. */
import type { RunId, RunKey, ServiceName } from '../model/names.ts';
import type { Observed, Outcome } from '../model/observed.ts';
import type { HttpQuestion, ProbeResult } from '../model/probe.ts';
import type { Problem } from '../model/problem.ts';
import type { Signal } from '../model/signals.ts';
import type { Credentials, Resources, Rlimit } from '../model/spec.ts';
import type { Freezer } from './cgroup-freeze.ts';

export interface Clock {
  /** Whole milliseconds since 1970. Within one process it never runs backwards, whatever is done to the clock. */
  now(): number;
  /** What the clock on the wall shows, also when it was set back: for what people arrange by it. */
  wall(): number;
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
  /**
   * Replaces a file as a whole: temporary file beside it, rename. Makes missing parents (0700). A symbolic link is
   * replaced itself.
   * @param options.owner whose the file is then, absent: the daemon's; `EPERM` when it may not be given away
   */
  replace(path: string, text: string, options: Replacement): Failure | undefined;
  /** For a `replace` with `spare`, also of a file that is not there yet; best effort. Absent: no room is kept. */
  keepRoom?(path: string): void;
  /** Resolves when what these files say is on disk, as far as the disk takes it. Holds nobody up, and never rejects. */
  settle(paths: readonly string[]): Promise<void>;
  remove(path: string): Failure | undefined;
  /** True if this path may be executed by the given user. */
  executable(path: string, credentials: Credentials | null): boolean;
}

export interface Replacement {
  readonly mode: number;
  readonly durable: Durability;
  /** Room is kept beside the file, so that it can be replaced on a full disk as well. */
  readonly spare?: true;
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * What a power cut leaves of a file that was replaced. `true`: the new text, from now on. `'content'`: the old one or the
 * new one. `false`: nothing is sure, since a file system may know the new name before the new text (rename(2) without
 * fsync(2)); it may be empty.
 */
export type Durability = boolean | 'content';

/** What only somebody needs who makes and removes files that belong to people. */
export interface FileMaking {
  /** Like `replace`, but never in the place of anything: `EEXIST` when the name is taken, also by a dangling link. */
  create(path: string, text: string, options: { mode: number; durable: Durability }): Failure | undefined;
  /** Where a symbolic link leads; undefined when the path is none. */
  linkTarget(path: string): string | undefined | Failure;
}

export interface Group {
  readonly name: string;
  readonly gid: number;
}

/** The user database of the host. */
export interface Users {
  /**
   * By name or decimal id; undefined when the host does not know it, a Failure, as words, when nobody can tell. An id
   * without an entry is a user with the group of the same number and no others.
   */
  user(name: string): Credentials | Failure | undefined;
  /** As {@link user}; an id without an entry is a group too. */
  group(name: string): Group | Failure | undefined;
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
  /**
   * True: how the program ends is written down where the containment was given a place for it, so that a later daemon
   * knows it too. For that a shell stays as the parent of the program, and is the first process of the run. An exit
   * with code 130 or 141 counts as SIGINT or SIGPIPE then: shells do not tell these apart.
   */
  readonly record?: boolean;
  /** Only for the first process of a run: how it says that it is ready. */
  readonly notify?: Notify;
}

export interface Notify {
  /** This descriptor, 3 or higher, is open for writing in the program. */
  readonly fd: number;
  /** Called once, when a newline was written there; not after the program has ended. */
  readonly heard: () => void;
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

/** What is looked up only for somebody who asks for statistics; null where the host does not tell. */
export interface Figures {
  /** Pages in memory of all processes of the run, shared ones counted for each of them. Bytes. */
  readonly residentBytes: number | null;
  /** Read from and written to block devices since the run was started, also by processes that are gone. Bytes. */
  readonly io: { readonly readBytes: number; readonly writtenBytes: number } | null;
}

/** The main process of a run as an earlier daemon noted it. */
export type KnownMain = (run: RunId) => { readonly pid: number; readonly ticks: number | null } | null;

export type BesideOutcome = Outcome | { readonly kind: 'timed_out' };

/** A command that runs beside a run. */
export interface Beside {
  /** Kills it with all that it started; its end is not told any more. */
  cancel(): void;
}

/** What a host cannot do. */
export type Shortcoming = Problem & {
  /** It matters only to services that ask for one of these. */
  readonly missing?: readonly (keyof Resources)[];
};

/** The user id that a service runs as by its definition; undefined: it is that of the daemon, or not known. */
export type UserOf = (service: ServiceName) => number | undefined;

/** Where runs live: one container each, a cgroup or (weaker) a session of processes. */
export interface Containment {
  readonly kind: 'cgroup' | 'process_group';
  /** What this host cannot do, for `doctor` and the log; fixed at start. */
  readonly shortcomings: readonly Shortcoming[];
  /** Every service of which something is left, also those that no file names any more. */
  services(): readonly ServiceName[] | { readonly unseen: Problem };
  look(service: ServiceName, known: KnownMain): Observed;
  /** Makes the place of the run and starts its first process in it. On a Problem nothing is left behind. */
  start(key: RunKey, launch: Launch): Started | Problem;
  /** Runs a command inside the container of a run; `done` is called once when that command has ended. */
  runInside(key: RunKey, launch: Launch, done: (outcome: Outcome) => void): Problem | undefined;
  /**
   * Runs a command for a run, under the limits of its service but not as a part of it: in a container of its own, also
   * before the run is there and after it has gone. Whatever the command leaves behind is killed as soon as it has
   * ended, and everything of it when `timeout` milliseconds are over, when it is cancelled and when this containment
   * closes. Like all containers it makes the place of the service, without limits where that was missing.
   * @param what one of the words that tell the commands of one run apart: `liveness`, `pre_start`
   * @param done called once, after this call has returned, when nothing of the command is left (or a second after it
   * was killed in vain); never after `cancel`
   * @returns a Problem when the command cannot be started, or one of the same run and word has not gone yet
   */
  runBeside(
    key: RunKey,
    what: string,
    launch: Launch,
    timeout: number,
    done: (outcome: BesideOutcome) => void,
  ): Beside | Problem;
  /**
   * Listens again to a run that an earlier daemon started with `notify`; what was said in between is heard now, what
   * that daemon heard is not.
   * @param pid of its main process, seen running just now
   * @returns what ends the listening; undefined when the program has no such descriptor any more
   */
  hear(pid: number, notify: Notify): (() => void) | undefined;
  /** To every process of the run, and to those that appear meanwhile. */
  signal(key: RunKey, signal: Signal): Problem | undefined;
  /** To the first process of the run alone; null: nobody remembers which that was, then to its oldest. */
  signalMain(key: RunKey, main: Started | null, signal: Signal): Problem | undefined;
  /** SIGKILL to every process of the run at once. */
  kill(key: RunKey): Problem | undefined;
  /** Removes the empty container. */
  remove(key: RunKey): Problem | undefined;
  /**
   * Removes what is left of a service without runs; a Problem: something is still in it. `passing`: a command that is
   * being ended, after which the service is due.
   */
  forget(service: ServiceName): Problem | undefined;
  /** Process ids, oldest first; empty when it could not be seen. */
  members(key: RunKey): readonly number[];
  /** For people: `811 node worker.js (uninterruptible)`. */
  describe(pid: number): string;
  /**
   * The environment that the program of the run was started with; undefined when it cannot be read.
   * @param credentials of the run, null: the daemon's own. Nobody else is believed: a process that runs as another user can
   *   have any environment. Absent: they are not known, and nothing but a guess depends on the answer
   */
  environment(key: RunKey, credentials?: Credentials | null): Readonly<Record<string, string>> | undefined;
  /** Writes the limits of a whole service; what could not be applied comes back. */
  limit(service: ServiceName, resources: Resources): readonly Problem[];
  usage(key: RunKey): Usage;
  figures(key: RunKey): Figures;
  /** A process that listens on this TCP port and belongs to none of these services: its description. */
  portHolder(port: number, services: readonly ServiceName[]): string | undefined;
  /** What makes all processes of these services stand still for a moment; null: nothing can here, or not all of them. */
  freezer(services: readonly ServiceName[]): Freezer | null;
  /** `wake` is told the name of a service of which something changed; never what. */
  onChange(wake: (service: ServiceName) => void): void;
  /**
   * To be called before the first look, and with each new desired state. Where only processes themselves can tell to
   * which run they belong, they are believed if they run as their service does. Absent: nobody has to be believed.
   */
  believe?(userOf: UserOf): void;
  /**
   * Makes again what keeps other daemons out, and what tells of runs, if somebody has removed it. To be called now and then.
   * @returns another daemon came in meanwhile, and has found the runs: as long as it lives none of them is seen here.
   * Absent: what keeps others out cannot be removed
   */
  keepPlace?(): Problem | undefined;
  /** Ends all watching and every command beside a run; leaves the runs alone. */
  close(): void;
}

/** Asks over the network. `done` is called once, within the timeout, unless the answer was cancelled. */
export interface Prober {
  http(question: HttpQuestion, timeout: number, done: (result: ProbeResult) => void): () => void;
  tcp(
    question: { readonly host: string; readonly port: number },
    timeout: number,
    done: (result: ProbeResult) => void,
  ): () => void;
  /** Bytes in an open log; a Problem when nobody can tell. */
  sizeOf(fd: number): number | Problem;
}

export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly users: Users;
  readonly containment: Containment;
  readonly prober: Prober;
  /** Why processes are created with a copy of this one's page tables, which takes longer; null: they are not. */
  readonly forking: () => string | null;
}

/** True for the answer of a port that could not do what it was asked. */
export function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'failed' in value;
}
