/** How do runs live in cgroups? One each: the tree itself is the record of what runs. */
import { parseRunDirectory, type RunId, type RunKey, type ServiceName, startOfRun } from '../model/names.ts';
import type { MainProcess, Members, Observed, ObservedRun, Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import type { Signal } from '../model/signals.ts';
import type { Credentials, Resources } from '../model/spec.ts';
import { AdoptedMains, cgroupOf } from './adopted-mains.ts';
import { type Base, type BaseOptions, openBase } from './cgroup-base.ts';
import { CgroupBeside } from './cgroup-beside.ts';
import {
  childCgroups,
  childCount,
  isGone,
  isPopulated,
  keyedNumber,
  readableProcesses,
  readControl,
  removeCgroup,
} from './cgroup-files.ts';
import { cgroupFreezer, type Freezer } from './cgroup-freeze.ts';
import { everUsed, seemsUsed, withOom } from './cgroup-history.ts';
import { ioOf } from './cgroup-io.ts';
import { writeLimits } from './cgroup-limits.ts';
import { killCgroup, signalCgroup, thaw } from './cgroup-signals.ts';
import { hasStray } from './cgroup-strays.ts';
import { CgroupTree } from './cgroup-tree.ts';
import { systemClock } from './clock.ts';
import { notEmpty, stillAlive, unreadable } from './containment-trouble.ts';
import { describeProcess } from './describe-process.ts';
import { ExitRecords } from './exit-records.ts';
import { foreignListener } from './listening-ports.ts';
import { signalMain } from './main-signal.ts';
import { hearAgain } from './notify-fifo.ts';
import { OwnRuns } from './own-runs.ts';
import { environmentOf, processesAs, processStat, residentBytes } from './procfs.ts';
import { Watchlist } from './watchlist.ts';
import type {
  Beside,
  BesideOutcome,
  Clock,
  Containment,
  Figures,
  KnownMain,
  Launch,
  Notify,
  Shortcoming,
  Started,
  Usage,
} from './world.ts';

export interface CgroupOptions extends BaseOptions {
  readonly clock?: Clock;
  /** Where is recorded how programs end whose launch asks for it; null or absent: nowhere. */
  readonly exits?: string | null;
}

/**
 * @returns `unavailable`: this host or this user cannot have cgroups, and process groups may do instead; `refused`:
 * another daemon rules this tree, and nothing may be done instead
 */
export function openCgroups(
  options: CgroupOptions,
):
  | { readonly containment: Containment; readonly services: string }
  | { readonly unavailable: Problem }
  | { readonly refused: Problem } {
  const base = openBase(options);
  if (!('services' in base)) return base;
  const containment = new Cgroups(base, options.clock ?? systemClock(), options.exits ?? null);
  return { containment, services: base.services };
}

/** The runs in a tree that is open already; see {@link openCgroups}. */
export class Cgroups implements Containment {
  readonly kind = 'cgroup';
  readonly shortcomings: readonly Shortcoming[];
  readonly #tree: CgroupTree;
  readonly #leave: () => void;
  readonly #own: OwnRuns;
  readonly #beside: CgroupBeside;
  readonly #exits: ExitRecords;
  readonly #watches: Watchlist;
  readonly #adopted: AdoptedMains;
  /** The runs of the services that have nothing else in their cgroup, as last listed. */
  readonly #found = new Map<ServiceName, readonly RunKey[]>();
  /** Runs whose main process has left its cgroup. */
  readonly #outside = new Set<RunId>();
  #wake: (service: ServiceName) => void = () => undefined;

  constructor(base: Base, clock: Clock, exits: string | null = null) {
    this.#tree = new CgroupTree(base.services);
    this.#leave = base.leave;
    this.shortcomings = base.shortcomings;
    const wake = (service: ServiceName) => this.#wake(service);
    this.#own = new OwnRuns({ clock, wake });
    this.#beside = new CgroupBeside(this.#tree, clock, wake);
    this.#watches = new Watchlist(clock, wake);
    this.#exits = new ExitRecords(exits);
    this.#exits.keepOnly(() => this.#tree.runs());
    const known = { tree: this.#tree, exits: this.#exits, watches: this.#watches };
    this.#adopted = new AdoptedMains({ ...known, clock });
  }

  services(): readonly ServiceName[] | { readonly unseen: Problem } {
    return this.#tree.services();
  }

  look(service: ServiceName, known: KnownMain): Observed {
    const directory = this.#tree.ofService(service);
    try {
      const runs = this.#lookAtSame(service, known) ?? this.#lookAtAll(service, known);
      this.#forgetOthers(service, new Set(runs.map((run) => run.key.id)));
      return { kind: 'seen', runs };
    } catch (error) {
      return { kind: 'unseen', problem: { ...unreadable(directory, error), service } };
    }
  }

  start(key: RunKey, launch: Launch): Started | Problem {
    const directory = this.#tree.ofRun(key);
    const made = this.#tree.make(key.service, directory);
    if ('code' in made) return made;
    const place = this.#placeOf(key, directory, launch.record === true);
    const started = this.#exits.recording(key.id, launch, (record) =>
      this.#own.start(key, launch, { record, ...place }),
    );
    if ('code' in started) made.undo();
    return started;
  }

  /** These functions live as long as the run: they must not hold what it was started with. */
  #placeOf(key: RunKey, directory: string, isRecorded: boolean) {
    return {
      cgroupProcs: `${directory}/cgroup.procs`,
      joined: () => seemsUsed(directory),
      judge: (seen: Outcome) => withOom(this.#exits.outcome(key.id, isRecorded, seen), directory),
    };
  }

  runInside(key: RunKey, launch: Launch, done: (outcome: Outcome) => void): Problem | undefined {
    return this.#own.command(launch, `${this.#tree.ofRun(key)}/cgroup.procs`, done);
  }

  runBeside(
    key: RunKey,
    what: string,
    launch: Launch,
    timeout: number,
    done: (outcome: BesideOutcome) => void,
  ): Beside | Problem {
    return this.#beside.run(key, what, launch, timeout, done);
  }

  hear(pid: number, notify: Notify): (() => void) | undefined {
    return hearAgain(pid, notify);
  }

  signal(key: RunKey, signal: Signal): Problem | undefined {
    const directory = this.#tree.ofRun(key);
    const problem = signalCgroup(directory, signal, this.#livePid(key.id));
    thaw(this.#tree.ofService(key.service), directory);
    return problem;
  }

  signalMain(key: RunKey, main: Started | null, signal: Signal): Problem | undefined {
    const members = this.members(key);
    // The first process of a recorded run is a shell that hears nothing.
    if (!this.#exits.has(key.id)) return signalMain(main, members, signal);
    const program = this.#exits.program(key.id, members);
    return signalMain(null, program === undefined ? [] : [program], signal);
  }

  kill(key: RunKey): Problem | undefined {
    return killCgroup(this.#tree.ofRun(key), this.#livePid(key.id));
  }

  remove(key: RunKey): Problem | undefined {
    const directory = this.#tree.ofRun(key);
    const pid = this.#livePid(key.id);
    const failed = pid === undefined ? removeCgroup(directory) : 'EBUSY';
    if (failed !== undefined) return stillAlive(key, this.members(key), failed);
    this.#forgetRun(key.id);
    return undefined;
  }

  forget(service: ServiceName): Problem | undefined {
    this.#found.delete(service);
    const failed = this.#tree.forget(service);
    return failed === undefined ? undefined : notEmpty(service, failed, this.#beside.isBusy(service));
  }

  members(key: RunKey): readonly number[] {
    const { pids } = readableProcesses(this.#tree.ofRun(key));
    const stray = this.#outside.has(key.id) ? this.#livePid(key.id) : undefined;
    return (stray === undefined ? pids : [...new Set([...pids, stray])])
      .map((pid) => ({ pid, ticks: processStat(pid)?.startTicks ?? Number.POSITIVE_INFINITY }))
      .sort((a, b) => a.ticks - b.ticks || a.pid - b.pid)
      .map(({ pid }) => pid);
  }

  describe(pid: number): string {
    return describeProcess(pid);
  }

  environment(key: RunKey, who?: Credentials | null): Readonly<Record<string, string>> | undefined {
    const main = this.#exits.program(key.id, processesAs(this.members(key), who));
    return main === undefined ? undefined : environmentOf(main);
  }

  limit(service: ServiceName, resources: Resources): readonly Problem[] {
    const directory = this.#tree.ofService(service);
    try {
      this.#tree.makeService(service);
    } catch (error) {
      return [{ ...unreadable(directory, error), code: 'limit-unapplied', severity: 'warning', service }];
    }
    return writeLimits(directory, resources).map((problem) => ({ ...problem, service }));
  }

  usage(key: RunKey): Usage {
    const directory = this.#tree.ofRun(key);
    const current = readControl(directory, 'memory.current');
    return {
      cpuMicroseconds: keyedNumber(directory, 'cpu.stat', 'usage_usec'),
      memoryBytes: current === undefined ? this.#resident(key) : Number(current),
    };
  }

  figures(key: RunKey): Figures {
    return { residentBytes: this.#resident(key), io: ioOf(this.#tree.ofRun(key)) };
  }

  portHolder(port: number, services: readonly ServiceName[]): string | undefined {
    const pidsOf = (service: ServiceName) => readableProcesses(this.#tree.ofService(service)).pids;
    return foreignListener(port, () => new Set(services.flatMap(pidsOf)));
  }

  freezer(services: readonly ServiceName[]): Freezer | null {
    const mainOf = (run: RunId) => this.#own.livePid(run) ?? this.#adopted.livePid(run);
    // Who is outside would write on, while everything relied on nobody writing.
    if (services.some((service) => hasStray(this.#tree, service, mainOf))) return null;
    return cgroupFreezer(services.map((service) => this.#tree.ofService(service)));
  }

  onChange(wake: (service: ServiceName) => void): void {
    this.#wake = wake;
  }

  close(): void {
    this.#wake = () => undefined;
    this.#watches.close();
    this.#beside.close();
    this.#own.close();
    this.#exits.close();
    const services = this.services();
    for (const service of 'unseen' in services ? [] : services) this.forget(service);
    this.#leave();
  }

  /**
   * What the look before found, if that is all there is still: the kernel counts the children of a cgroup, and as many
   * as there were, each of which is there, are the same ones. To list them costs as much as all the rest of a look.
   */
  #lookAtSame(service: ServiceName, known: KnownMain): readonly ObservedRun[] | undefined {
    const keys = this.#found.get(service);
    if (keys === undefined || keys.length !== childCount(this.#tree.ofService(service))) return undefined;
    const runs = keys.flatMap((key) => this.#lookAt(key, known) ?? []);
    // Who cannot be read may be a sign that nothing can: the listing says so of the whole service.
    const isSeen = runs.length === keys.length && runs.every(({ members }) => members.is !== 'unseen');
    return isSeen ? runs : undefined;
  }

  #lookAtAll(service: ServiceName, known: KnownMain): readonly ObservedRun[] {
    const names = childCgroups(this.#tree.ofService(service));
    this.#beside.sweep(service, names);
    const keys = names.flatMap((name) => parseRunDirectory(service, name) ?? []);
    // What is no run is swept, or somebody else's: both are to be looked for again.
    if (keys.length > 0 && keys.length === names.length) this.#found.set(service, keys);
    else this.#found.delete(service);
    return keys.flatMap((key) => this.#lookAt(key, known) ?? []);
  }

  /** undefined: its cgroup is gone. */
  #lookAt(key: RunKey, known: KnownMain): ObservedRun | undefined {
    const directory = this.#tree.ofRun(key);
    const own = this.#own.main(key.id);
    let members = this.#members(directory);
    // Whoever may still live without a parent that tells us is watched; a change before the watch was set is seen
    // by looking again.
    const watched = members?.is === 'some' && own?.is !== 'running';
    if (watched && this.#watches.watchFile(key, `${directory}/cgroup.events`))
      members = this.#members(directory);
    if (members === undefined) return undefined;
    const main =
      own === undefined ? this.#adopted.look(key, known, members) : this.#ownMain(key, own, members);
    const isOutside = main.is === 'running' && main.outside !== undefined;
    if (isOutside) this.#outside.add(key.id);
    else this.#outside.delete(key.id);
    // It is the run wherever it is: the launcher of one that was started a moment ago joins the cgroup as its last step.
    if (main.is === 'running' && members.is === 'none') members = { is: 'some' };
    const everRan = own !== undefined || members.is !== 'none' || everUsed(directory);
    return { key, startedAt: startOfRun(key.id), main, members, everRan, adopted: own === undefined };
  }

  #ownMain(key: RunKey, own: MainProcess, members: Members): MainProcess {
    const pid = own.is === 'running' && members.is === 'none' ? this.#own.livePid(key.id) : undefined;
    // To a cgroup that was never used its launcher is still on the way.
    const hasLeft = pid !== undefined && everUsed(this.#tree.ofRun(key));
    return hasLeft ? { is: 'running', pid, outside: cgroupOf(pid) } : own;
  }

  /** The main process while it lives, wherever it is; undefined: it has ended, or is known to be in the cgroup. */
  #livePid(run: RunId): number | undefined {
    return this.#own.livePid(run) ?? this.#adopted.strayed(run);
  }

  #members(directory: string): Members | undefined {
    try {
      return { is: isPopulated(directory) ? 'some' : 'none' };
    } catch (error) {
      return isGone(error) ? undefined : { is: 'unseen', problem: unreadable(directory, error) };
    }
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
    this.#exits.remove(run);
    this.#adopted.forget(run);
    this.#outside.delete(run);
  }
}
