/** Can a tree of cgroups be had on this host, and is it ours alone? */
import fs from 'node:fs';
import { posix } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { writeControl } from './cgroup-files.ts';
import { enableControllers, missingLimits, writeLimits } from './cgroup-limits.ts';
import { beginToJoin, joinAlone, type Mark, tooShort } from './cgroup-lock.ts';
import {
  baseDirectory,
  directoryOf,
  isPlainName,
  mayHandOn,
  parseMountinfo,
  parseOwnCgroup,
} from './cgroup-mount.ts';
import { codeOf, inWords, isShortage } from './errno.ts';
import { leavePlace } from './former-place.ts';
import { makeDirectories } from './make-directories.ts';
import { seenProc } from './procfs.ts';
import { lockState } from './state-lock.ts';
import type { Shortcoming } from './world.ts';

export interface BaseOptions {
  /** A directory of a cgroup2 file system in which the tree is made; null: found by /proc/self/mountinfo. */
  readonly root?: string | null;
  readonly name: string;
  /** Of the daemon and all services together: thousandths of a core, bytes, bytes; null for none. */
  readonly limits?: {
    readonly cpu: number | null;
    readonly memory: number | null;
    readonly swap: number | null;
  };
  /** False: the daemon does not move into the tree, and others may use it too. Only for tests. Default: true. */
  readonly lock?: boolean;
  /** No two daemons may have the same, whatever their trees; absent: none is held. */
  readonly stateDirectory?: string;
  /** What {@link approachBase} answered, once it is over. */
  readonly approach?: Approach | undefined;
}

/** A daemon on its way into the tree. */
export interface Approach {
  /** The cgroup directory in which this process was started; undefined when it cannot be seen. */
  readonly home: string | undefined;
  /** Closed by {@link openBase}; see {@link beginToJoin}. */
  readonly mark: number | undefined;
}

export interface Base {
  /** Absolute directory `<base>/services`. */
  readonly services: string;
  readonly shortcomings: readonly Shortcoming[];
  /** At the end of this process: removes the tree where nothing is left in it. */
  readonly leave: () => void;
}

/** `unavailable`: not on this host, or not for this user. `refused`: another daemon has it, or it cannot be found out now. */
export type OpenedBase = Base | { readonly unavailable: Problem } | { readonly refused: Problem };

/** CGROUP2_SUPER_MAGIC of statfs(2). */
const CGROUP2 = 0x63677270;

/**
 * Begins what takes longest of {@link openBase}, for who has something else to do meanwhile.
 * @returns undefined: there is nothing to begin with
 */
export async function approachBase(
  options: Pick<BaseOptions, 'root' | 'name'>,
): Promise<Approach | undefined> {
  const place = isPlainName(options.name) ? locate(options) : undefined;
  if (place === undefined || !('base' in place)) return undefined;
  const { base, home } = place;
  try {
    makeDirectories(`${base}/daemon`);
  } catch {
    // openBase says why.
    return undefined;
  }
  const joined = await beginToJoin(`${base}/daemon`);
  return { home, mark: joined?.mark };
}

/** Makes `<base>/daemon` and `<base>/services`, moves the daemon in, and enables the controllers that limits need. */
export function openBase(options: BaseOptions): OpenedBase {
  if (!isPlainName(options.name)) {
    return unavailable(
      `${JSON.stringify(options.name)} cannot be the name of a cgroup: one plain name is needed`,
    );
  }
  const place = locate(options);
  if (!('base' in place)) return place;
  const { base } = place;
  const { home } = options.approach ?? place;
  let mark: number | undefined;
  const tree: Tree = { base, daemon: `${base}/daemon`, services: `${base}/services` };
  const { daemon, services } = tree;
  const locks = options.lock !== false;
  try {
    const entered = locks ? enter(tree, home) : { mark: undefined };
    if ('code' in entered)
      return entered.code === 'containment-weak' ? { unavailable: entered } : { refused: entered };
    mark = entered.mark;
    // Only now: a daemon that left meanwhile may have removed them.
    makeDirectories(daemon);
    makeDirectories(services);
  } catch (error) {
    const message = `the cgroup ${base} cannot be made: ${inWords(error)}`;
    return isShortage(error) ? { refused: tooShort(message) } : unavailable(`${message}${advice(error)}`);
  } finally {
    if (options.approach?.mark !== undefined) fs.closeSync(options.approach.mark);
  }
  const go = () => {
    if (locks && home !== undefined && !isBelow(home, base)) leave(tree, home);
    if (mark !== undefined) fs.closeSync(mark);
    mark = undefined;
  };
  const claimed = claimState(options.stateDirectory);
  if ('code' in claimed) {
    go();
    return { refused: claimed };
  }
  for (const cgroup of [posix.dirname(base), base, services]) {
    if (mayHandOn(cgroup, home)) enableControllers(cgroup);
  }
  const { cpu, memory, swap } = options.limits ?? { cpu: null, memory: null, swap: null };
  const limits = { max_cpu: cpu, max_memory: memory, max_swap: swap };
  return {
    services,
    shortcomings: [...writeLimits(base, limits).map(ofAll), ...missingLimits(services)],
    leave: () => {
      const { stateDirectory } = options;
      // As long as nobody else can have the tree.
      if (stateDirectory !== undefined) leavePlace({ stateDirectory, services });
      go();
      claimed.unlock();
    },
  };
}

/**
 * A state directory that cannot be written (a full disk) holds no daemon up: the tree tells it what runs, and nobody else
 * has that.
 */
function claimState(directory: string | undefined): { readonly unlock: () => void } | Problem {
  const nothing = { unlock: () => undefined };
  if (directory === undefined) return nothing;
  const lock = lockState(directory);
  return 'code' in lock && lock.code !== 'daemon-running' ? nothing : lock;
}

/** Absolute directories. */
interface Tree {
  readonly base: string;
  readonly daemon: string;
  readonly services: string;
}

/** How often a daemon that leaves may remove the tree while this one enters it. */
const ENTRANCES = 3;

function enter({ daemon }: Tree, home: string | undefined): Problem | Mark {
  for (let attempt = 1; ; attempt++) {
    makeDirectories(daemon);
    const joined = joinAlone(daemon, home);
    if ('mark' in joined || attempt === ENTRANCES || fs.existsSync(daemon)) return joined;
  }
}

/**
 * Goes back to where the process came from and removes the tree. Nothing is forced: where anything of a service is left
 * it stays as it is, and where another daemon has entered meanwhile, its part stays.
 */
function leave({ base, daemon, services }: Tree, home: string): void {
  try {
    fs.rmdirSync(services);
    if (writeControl(home, 'cgroup.procs', String(process.pid)) !== undefined) return;
    for (const directory of [daemon, base]) fs.rmdirSync(directory);
  } catch {
    // Something is left, or somebody else was quicker.
  }
}

/** A daemon that was started from within the tree cannot leave it. */
function isBelow(directory: string, base: string): boolean {
  return `${directory}/`.startsWith(`${base}/`);
}

interface Place {
  readonly base: string;
  /** The cgroup directory that this process is in now; undefined when it cannot be seen. */
  readonly home: string | undefined;
}

type Nowhere = { readonly unavailable: Problem } | { readonly refused: Problem };

function locate(options: Pick<BaseOptions, 'root' | 'name'>): Place | Nowhere {
  try {
    return located(options, seenProc('self/mountinfo') ?? '', seenProc('self/cgroup') ?? '');
  } catch (error) {
    const message = `where the cgroups are cannot be found out: ${inWords(error)}`;
    return isShortage(error) ? { refused: tooShort(message) } : unavailable(message);
  }
}

/** The contents of these files in /proc/self. */
function located(
  options: Pick<BaseOptions, 'root' | 'name'>,
  mountinfo: string,
  cgroup: string,
): Place | { readonly unavailable: Problem } {
  const mount = parseMountinfo(mountinfo);
  const own = parseOwnCgroup(cgroup);
  const home = mount === undefined || own === undefined ? undefined : directoryOf(mount, own);
  const { root, name } = options;
  if (root !== undefined && root !== null) {
    if (!isCgroup2(root)) return unavailable(`cgroup_root ${root} is no directory of a cgroup2 file system`);
    return { base: posix.join(root, name), home };
  }
  if (mount === undefined || own === undefined)
    return unavailable('no cgroup2 file system is mounted on this host');
  if (!mount.writable) return unavailable(`the cgroup2 file system at ${mount.point} is mounted read-only`);
  const isRoot = process.geteuid?.() === 0;
  const base = baseDirectory({ mount, own, name, isRoot });
  if (base === undefined)
    return unavailable(`the cgroup of this daemon, ${own}, is not visible at ${mount.point}`);
  return { base, home };
}

function isCgroup2(directory: string): boolean {
  try {
    return fs.statfsSync(directory).type === CGROUP2;
  } catch {
    return false;
  }
}

function advice(error: unknown): string {
  const denied = ['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error)) && process.geteuid?.() !== 0;
  return denied ? '; only root, or a unit with Delegate=yes, may make cgroups here' : '';
}

function unavailable(message: string): { readonly unavailable: Problem } {
  return { unavailable: { code: 'containment-weak', severity: 'error', message } };
}

/** The limits of the whole tree have keys of their own in the master file. */
function ofAll(problem: Problem): Problem {
  const message = problem.message
    .replace('max_cpu', 'cgroup_cpu_max')
    .replace('max_memory', 'cgroup_memory_max')
    .replace('max_swap', 'cgroup_memory_swap_max');
  return { ...problem, message };
}
