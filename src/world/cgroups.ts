/** How do runs live in cgroups? One each: the tree itself is the record of what runs. */
import fs from 'node:fs';
import {
  isServiceName,
  parseRunDirectory,
  type RunId,
  type RunKey,
  runDirectory,
  type ServiceName,
  startOfRun,
} from '../model/names.ts';
import type { MainProcess, Members, Observed, ObservedRun, Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import type { Signal } from '../model/signals.ts';
import type { Resources } from '../model/spec.ts';
import { type Base, type BaseOptions, openBase } from './cgroup-base.ts';
import {
  childCgroups,
  isGone,
  isPopulated,
  keyedNumber,
  processesIn,
  readControl,
  removeCgroup,
} from './cgroup-files.ts';
import { enableControllers, isEnabled, writeLimits } from './cgroup-limits.ts';
import { killCgroup, signalCgroup, thaw } from './cgroup-signals.ts';
import { systemClock } from './clock.ts';
import { stillAlive, unreadable } from './containment-trouble.ts';
import { describeProcess } from './describe-process.ts';
import { inWords } from './errno.ts';
import { foreignListener } from './listening-ports.ts';
import { OwnRuns } from './own-runs.ts';
import { environmentOf, isAlive, processStat, residentBytes } from './procfs.ts';
import { Watchlist } from './watchlist.ts';
import type { Clock, Containment, KnownMain, Launch, Started, Usage } from './world.ts';

export interface CgroupOptions extends BaseOptions {
  readonly clock?: Clock;
}

/**
 * @returns `unavailable`: this host or this user cannot have cgroups, and process groups may do instead; `refused`:
 * another daemon rules this tree, and nothing may be done instead
 */
export function openCgroups(
  options: CgroupOptions,
): { readonly containment: Containment } | { readonly unavailable: Problem } | { readonly refused: Problem } {
  const base = openBase(options);
  return 'services' in base ? { containment: new Cgroups(base, options.clock ?? systemClock()) } : base;
}

/** The runs in a tree that is open already; see {@link openCgroups}. */
export class Cgroups implements Containment {
  readonly kind = 'cgroup';
  readonly shortcomings: readonly Problem[];
  readonly #root: string;
  readonly #leave: () => void;
  /** Memory is counted for each run where the kernel can, to tell OOM kills apart. */
  readonly #countsMemory: boolean;
  readonly #clock: Clock;
  readonly #own: OwnRuns;
  readonly #watches: Watchlist;
  /** When the main process of an adopted run was first found gone; milliseconds. */
  readonly #foundGone = new Map<RunId, number>();
  #wake: (service: ServiceName) => void = () => undefined;

  constructor(base: Base, clock: Clock) {
    this.#root = base.services;
    this.#leave = base.leave;
    this.#countsMemory = isEnabled(base.services, 'memory');
    this.shortcomings = base.shortcomings;
    this.#clock = clock;
    const wake = (service: ServiceName) => this.#wake(service);
    this.#own = new OwnRuns({ clock, wake });
    this.#watches = new Watchlist(clock, wake);
  }

  services(): readonly ServiceName[] | { readonly unseen: Problem } {
    try {
      return childCgroups(this.#root).filter(isServiceName);
    } catch (error) {
      return { unseen: unreadable(this.#root, error) };
    }
  }

  look(service: ServiceName, known: KnownMain): Observed {
    const directory = this.#serviceDirectory(service);
    try {
      const keys = childCgroups(directory).flatMap((name) => parseRunDirectory(service, name) ?? []);
      const runs = keys.flatMap((key) => this.#lookAt(key, known) ?? []);
      this.#forgetOthers(service, new Set(runs.map((run) => run.key.id)));
      return { kind: 'seen', runs };
    } catch (error) {
      return { kind: 'unseen', problem: { ...unreadable(directory, error), service } };
    }
  }

  start(key: RunKey, launch: Launch): Started | Problem {
    const service = this.#serviceDirectory(key.service);
    const directory = this.#directory(key);
    let fresh = false;
    try {
      fresh = this.#makeService(service);
      fs.mkdirSync(directory);
    } catch (error) {
      if (fresh) removeCgroup(service);
      return {
        code: 'start-failed',
        severity: 'error',
        message: `${directory} cannot be made: ${inWords(error)}`,
      };
    }
    const judge = (outcome: Outcome) => withOom(outcome, directory);
    const joined = () => everUsed(directory);
    const started = this.#own.start(key, launch, { cgroupProcs: `${directory}/cgroup.procs`, joined, judge });
    if ('code' in started) {
      removeCgroup(directory);
      if (fresh) removeCgroup(service);
    }
    return started;
  }

  runInside(key: RunKey, launch: Launch, done: (outcome: Outcome) => void): Problem | undefined {
    return this.#own.command(launch, `${this.#directory(key)}/cgroup.procs`, done);
  }

  signal(key: RunKey, signal: Signal): Problem | undefined {
    const directory = this.#directory(key);
    const problem = signalCgroup(directory, signal, this.#own.livePid(key.id));
    thaw(this.#serviceDirectory(key.service), directory);
    return problem;
  }

  kill(key: RunKey): Problem | undefined {
    return killCgroup(this.#directory(key), this.#own.livePid(key.id));
  }

  remove(key: RunKey): Problem | undefined {
    const directory = this.#directory(key);
    const pid = this.#own.livePid(key.id);
    const failed = pid === undefined ? removeCgroup(directory) : 'EBUSY';
    if (failed !== undefined) return stillAlive(key, this.members(key), failed);
    this.#forgetRun(key.id);
    return undefined;
  }

  forget(service: ServiceName): void {
    try {
      fs.rmdirSync(this.#serviceDirectory(service));
    } catch {
      // Gone already, or something of somebody else is in it: neither is ours to remove.
    }
  }

  members(key: RunKey): readonly number[] {
    try {
      return processesIn(this.#directory(key))
        .map((pid) => ({ pid, ticks: processStat(pid)?.startTicks ?? Number.POSITIVE_INFINITY }))
        .sort((a, b) => a.ticks - b.ticks || a.pid - b.pid)
        .map(({ pid }) => pid);
    } catch {
      return [];
    }
  }

  describe(pid: number): string {
    return describeProcess(pid);
  }

  environment(key: RunKey): Readonly<Record<string, string>> | undefined {
    const [oldest] = this.members(key);
    return oldest === undefined ? undefined : environmentOf(oldest);
  }

  limit(service: ServiceName, resources: Resources): readonly Problem[] {
    const directory = this.#serviceDirectory(service);
    try {
      this.#makeService(directory);
    } catch (error) {
      return [{ ...unreadable(directory, error), code: 'limit-unapplied', severity: 'warning', service }];
    }
    return writeLimits(directory, resources).map((problem) => ({ ...problem, service }));
  }

  usage(key: RunKey): Usage {
    const directory = this.#directory(key);
    const current = readControl(directory, 'memory.current');
    return {
      cpuMicroseconds: keyedNumber(directory, 'cpu.stat', 'usage_usec'),
      memoryBytes: current === undefined ? this.#resident(key) : Number(current),
    };
  }

  portHolder(port: number, service: ServiceName): string | undefined {
    return foreignListener(port, () => {
      try {
        return new Set(processesIn(this.#serviceDirectory(service)));
      } catch {
        return new Set();
      }
    });
  }

  onChange(wake: (service: ServiceName) => void): void {
    this.#wake = wake;
  }

  close(): void {
    this.#wake = () => undefined;
    this.#watches.close();
    this.#own.close();
    const services = this.services();
    for (const service of 'unseen' in services ? [] : services) this.forget(service);
    this.#leave();
  }

  /** True if it was not there before. */
  #makeService(directory: string): boolean {
    if (fs.existsSync(directory)) return false;
    fs.mkdirSync(directory, { recursive: !fs.existsSync(this.#root) });
    if (this.#countsMemory) enableControllers(directory, ['memory']);
    return true;
  }

  #serviceDirectory(service: ServiceName): string {
    return `${this.#root}/${service}`;
  }

  #directory(key: RunKey): string {
    return `${this.#root}/${key.service}/${runDirectory(key)}`;
  }

  /** undefined: its cgroup is gone. */
  #lookAt(key: RunKey, known: KnownMain): ObservedRun | undefined {
    const directory = this.#directory(key);
    const own = this.#own.main(key.id);
    let members = this.#members(directory);
    // Whoever may still live without a parent that tells us is watched; a change before the watch was set is seen
    // by looking again.
    const watched = members?.is === 'some' && own?.is !== 'running';
    if (watched && this.#watches.watchFile(key, `${directory}/cgroup.events`))
      members = this.#members(directory);
    if (members === undefined) return undefined;
    // The launcher of a run that was started a moment ago joins the cgroup as its last step.
    if (own?.is === 'running' && members.is === 'none') members = { is: 'some' };
    const everRan = own !== undefined || members.is !== 'none' || everUsed(directory);
    const main = own ?? this.#adoptedMain(key, known, members);
    return { key, startedAt: startOfRun(key.id), main, members, everRan, adopted: own === undefined };
  }

  #members(directory: string): Members | undefined {
    try {
      return { is: isPopulated(directory) ? 'some' : 'none' };
    } catch (error) {
      return isGone(error) ? undefined : { is: 'unseen', problem: unreadable(directory, error) };
    }
  }

  /** The pid alone proves nothing: it may be somebody else's by now. */
  #adoptedMain(key: RunKey, known: KnownMain, members: Members): MainProcess {
    const main = known(key.id);
    if (main === null || members.is === 'unseen') return { is: 'unknown' };
    const all = isAlive(main.pid, main.ticks) ? this.members(key) : [];
    if (all.includes(main.pid)) {
      // The kernel reports when a cgroup becomes empty, not when one of its processes ends; where there is but one,
      // both are the same.
      if (all.length > 1) this.#watches.poll(key, 'true', () => String(isAlive(main.pid, main.ticks)));
      return { is: 'running', pid: main.pid };
    }
    const at = this.#foundGone.get(key.id) ?? this.#clock.now();
    this.#foundGone.set(key.id, at);
    const outcome: Outcome = { kind: 'unknown', oom: oomKills(this.#directory(key)) };
    return { is: 'ended', outcome, at };
  }

  #resident(key: RunKey): number | null {
    const sizes = this.members(key).flatMap((pid) => residentBytes(pid) ?? []);
    return sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Runs whose cgroup somebody removed by hand leave nothing behind here. */
  #forgetOthers(service: ServiceName, existing: ReadonlySet<RunId>): void {
    this.#own.keepOnly(service, existing);
    for (const run of this.#watches.watched(service)) if (!existing.has(run)) this.#forgetRun(run);
  }

  #forgetRun(run: RunId): void {
    this.#own.forget(run);
    this.#watches.forget(run);
    this.#foundGone.delete(run);
  }
}

/** Whoever was in it has used processor time; what cannot be read is taken for used. */
function everUsed(directory: string): boolean {
  return (keyedNumber(directory, 'cpu.stat', 'usage_usec') ?? 1) > 0;
}

/** SIGKILL may come from anybody; the cgroup counts how often it was the OOM killer. */
function withOom(outcome: Outcome, directory: string): Outcome {
  if (outcome.kind !== 'signaled' || outcome.signal !== 'SIGKILL') return outcome;
  return { ...outcome, oom: oomKills(directory) };
}

function oomKills(directory: string): boolean {
  return (keyedNumber(directory, 'memory.events', 'oom_kill') ?? 0) > 0;
}
