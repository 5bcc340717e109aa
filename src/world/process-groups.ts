/** How do runs live where no cgroups can be had? As sessions, and it is said what that cannot promise. */
import { type RunId, type RunKey, type ServiceName, startOfRun } from '../model/names.ts';
import type { MainProcess, Members, Observed, ObservedRun, Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import type { Signal } from '../model/signals.ts';
import type { Credentials, Resources } from '../model/spec.ts';
import { notEmpty, pathOf, stillAlive, unreadable, unrecorded, weaker } from './containment-trouble.ts';
import { describeProcess } from './describe-process.ts';
import { inWords } from './errno.ts';
import { ExitRecords } from './exit-records.ts';
import { KeptRecords } from './kept-records.ts';
import { foreignListener } from './listening-ports.ts';
import { RECORD_MARKER } from './lost-records.ts';
import { signalMain } from './main-signal.ts';
import { makeDirectories } from './make-directories.ts';
import { hearAgain } from './notify-fifo.ts';
import { OwnRuns } from './own-runs.ts';
import { bootId, environmentOf, newSessionMark, type ProcessStat, processesAs } from './procfs.ts';
import { RecentProcesses } from './recent-processes.ts';
import { type RunRecord, RunRecords } from './run-records.ts';
import { RunSessions } from './run-sessions.ts';
import { SessionBeside } from './session-beside.ts';
import { ProcessTable, usageOf } from './session-members.ts';
import { signalSession } from './session-signals.ts';
import { lockState, NO_LOCK, runsDirectory, type StateLock } from './state-lock.ts';
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
  Started,
  Usage,
  UserOf,
} from './world.ts';

export interface ProcessGroupOptions {
  readonly stateDirectory: string;
  readonly clock: Clock;
  /** Why there are no cgroups; null when nobody wanted them. */
  readonly because: string | null;
  /** Where is recorded how programs end whose launch asks for it; null or absent: nowhere. */
  readonly exits?: string | null;
  /** False: others may use the same directory. Only for tests. Default: true. */
  readonly lock?: boolean;
}

/** @returns `refused`: another daemon has this state directory, or it cannot be written */
export function openProcessGroups(
  options: ProcessGroupOptions,
): { readonly containment: Containment } | { readonly refused: Problem } {
  const directory = runsDirectory(options.stateDirectory);
  try {
    makeDirectories(directory, 0o700);
  } catch (error) {
    const message = `${directory} cannot be made: ${inWords(error)}`;
    return { refused: { code: 'state-unwritable', severity: 'error', message } };
  }
  let boot: string;
  try {
    boot = bootId();
  } catch (error) {
    return { refused: unreadable('/proc/sys/kernel/random/boot_id', error) };
  }
  const lock = options.lock === false ? NO_LOCK : lockState(options.stateDirectory);
  if ('code' in lock) return { refused: lock };
  const records = new RunRecords(directory);
  return { containment: new ProcessGroups(options, { records, boot, lock }) };
}

class ProcessGroups implements Containment {
  readonly kind = 'process_group';
  readonly shortcomings: readonly Problem[];
  readonly #clock: Clock;
  readonly #records: RunRecords;
  readonly #boot: string;
  readonly #sessions: RunSessions;
  readonly #own: OwnRuns;
  readonly #beside: SessionBeside;
  readonly #exits: ExitRecords;
  readonly #watches: Watchlist;
  readonly #kept: KeptRecords;
  readonly #foundGone = new Map<RunId, number>();
  /** Runs of which somebody was seen: what a lost record does not say any more. */
  readonly #lived = new Set<RunId>();
  readonly #processes: RecentProcesses;
  #wake: (service: ServiceName) => void = () => undefined;

  constructor(
    options: ProcessGroupOptions,
    {
      records,
      boot,
      lock,
    }: { readonly records: RunRecords; readonly boot: string; readonly lock: StateLock },
  ) {
    this.#clock = options.clock;
    this.#boot = boot;
    this.#records = records;
    this.#sessions = new RunSessions(this.#records, this.#boot);
    this.#processes = new RecentProcesses(options.clock);
    this.shortcomings = [weaker(options.because)];
    const wake = (service: ServiceName) => this.#wake(service);
    this.#own = new OwnRuns({ clock: options.clock, wake });
    this.#beside = new SessionBeside({
      ...{ clock: options.clock, wake },
      ...{ records: this.#records, boot: this.#boot },
    });
    this.#watches = new Watchlist(options.clock, wake);
    this.#exits = new ExitRecords(options.exits ?? null);
    this.#kept = new KeptRecords({ records, exits: this.#exits, lock });
  }

  services(): readonly ServiceName[] | { readonly unseen: Problem } {
    const seen = this.#kept.whole(() => this.#records.services());
    return 'unseen' in seen ? seen : seen.answer;
  }

  look(service: ServiceName, _known: KnownMain): Observed {
    const seen = this.#kept.whole(() => {
      this.#beside.sweep(service);
      return this.#records.runs(service).map((key) => this.#lookAt(key));
    });
    if ('unseen' in seen) return { kind: 'unseen', problem: { ...seen.unseen, service } };
    return { kind: 'seen', runs: seen.answer };
  }

  /** The record comes first, so that a daemon that dies in between leaves a run that can be found by its marker. */
  start(key: RunKey, launch: Launch): Started | Problem {
    const failed = this.#records.write(key, null);
    if (failed !== undefined) return unrecorded(key, failed);
    this.#processes.forget();
    const place = { cgroupProcs: null, judge: this.#judgeOf(key, launch.record === true) };
    const environment = { ...launch.environment, [RECORD_MARKER]: this.#records.path(key) };
    const started = this.#exits.recording(key.id, launch, (record) =>
      this.#own.start(key, { ...launch, environment }, { record, ...place }),
    );
    if ('code' in started) {
      this.#records.remove(key);
      this.#records.forget(key.service);
      return started;
    }
    // Without its pid on disk the run can still be found, more slowly, by its marker.
    this.#records.write(key, { ...started, boot: this.#boot, mark: newSessionMark(started.pid) });
    return started;
  }

  /** It lives as long as the run: it must not hold what that was started with. */
  #judgeOf({ id }: RunKey, isRecorded: boolean): (seen: Outcome) => Outcome {
    return (seen) => this.#exits.outcome(id, isRecorded, seen);
  }

  runInside(key: RunKey, launch: Launch, done: (outcome: Outcome) => void): Problem | undefined {
    const { service } = key;
    const seen = this.#kept.whole(() => this.#records.runs(service));
    if ('unseen' in seen) return { ...seen.unseen, service };
    if (!seen.answer.some((run) => run.id === key.id)) {
      return { code: 'start-failed', severity: 'error', message: `run ${key.id} is gone`, service };
    }
    this.#processes.forget();
    return this.#own.command(launch, null, done);
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
    this.#processes.forget();
    return signalSession(this.#sessions.of(key), signal);
  }

  signalMain(key: RunKey, main: Started | null, signal: Signal): Problem | undefined {
    const members = this.members(key);
    // The first process of a recorded run is a shell that hears nothing.
    if (!this.#exits.has(key.id)) return signalMain(main, members, signal);
    const program = this.#exits.program(key.id, members);
    return signalMain(null, program === undefined ? [] : [program], signal);
  }

  kill(key: RunKey): Problem | undefined {
    this.#processes.forget();
    return signalSession(this.#sessions.of(key), 'SIGKILL');
  }

  remove(key: RunKey): Problem | undefined {
    try {
      const alive = this.#members(key, this.#own.main(key.id)).map(({ pid }) => pid);
      if (alive.length > 0) return stillAlive(key, alive, 'EBUSY');
    } catch (error) {
      return { ...unreadable(pathOf(error), error), service: key.service };
    }
    const failed = this.#records.remove(key);
    if (failed !== undefined) return unrecorded(key, failed);
    this.#forgetRun(key.id);
    return undefined;
  }

  forget(service: ServiceName): Problem | undefined {
    const failed = this.#records.forget(service);
    return failed === undefined ? undefined : notEmpty(service, failed, this.#beside.isBusy(service));
  }

  members(key: RunKey): readonly number[] {
    try {
      return this.#processes
        .table('members')
        .members(this.#sessions.of(key))
        .map(({ pid }) => pid);
    } catch {
      return [];
    }
  }

  describe(pid: number): string {
    return describeProcess(pid);
  }

  environment(key: RunKey, who?: Credentials | null): Readonly<Record<string, string>> | undefined {
    const main = this.#exits.program(key.id, processesAs(this.members(key), who));
    return main === undefined ? undefined : environmentOf(main);
  }

  limit(service: ServiceName, resources: Resources): readonly Problem[] {
    return Object.entries(resources).flatMap(([key, value]) => {
      if (value === null) return [];
      const message = `${key} cannot be applied: limits need a writable cgroup2 file system`;
      return [{ code: 'limit-unapplied', severity: 'warning', message, service } as const];
    });
  }

  usage(key: RunKey): Usage {
    try {
      return usageOf(this.#processes.table('figures').members(this.#sessions.of(key)));
    } catch {
      return usageOf([]);
    }
  }

  figures(key: RunKey): Figures {
    return { residentBytes: this.usage(key).memoryBytes, io: null };
  }

  portHolder(port: number, services: readonly ServiceName[]): string | undefined {
    return foreignListener(port, () => {
      try {
        const table = new ProcessTable();
        const seen = this.#kept.whole(() => services.flatMap((service) => this.#records.runs(service)));
        const runs = 'unseen' in seen ? [] : seen.answer;
        return new Set(runs.flatMap((key) => table.members(this.#sessions.of(key))).map(({ pid }) => pid));
      } catch {
        return new Set();
      }
    });
  }

  /** SIGSTOP would be seen by parents, and no moment is known at which a process stands still. */
  freezer(): null {
    return null;
  }

  onChange(wake: (service: ServiceName) => void): void {
    this.#wake = wake;
  }

  believe(userOf: UserOf): void {
    this.#kept.believe(userOf);
  }

  keepPlace(): Problem | undefined {
    return this.#kept.keepPlace();
  }

  close(): void {
    this.#wake = () => undefined;
    this.#watches.close();
    this.#beside.close();
    this.#own.close();
    this.#kept.close();
  }

  /** All processes are looked at only when the main process cannot vouch for the run. */
  #lookAt(key: RunKey): ObservedRun {
    const own = this.#own.main(key.id);
    const record = this.#records.read(key);
    const main = own ?? this.#adoptedMain(key, record);
    const isAlive = main.is === 'running' || this.#members(key, main).length > 0;
    const members: Members = { is: isAlive ? 'some' : 'none' };
    // No event tells of the end of a process that is not our child.
    if (isAlive && own?.is !== 'running') {
      this.#watches.poll(key, main.is === 'running' ? 'main' : 'some', () => this.#pulse(key));
    }
    if (isAlive) this.#lived.add(key.id);
    // A daemon may have died before it noted the process, which may have recorded its end all the same.
    const isSeen = own !== undefined || this.#lived.has(key.id) || main.is === 'ended';
    const everRan = isSeen || this.#records.isNoted(key);
    return { key, startedAt: startOfRun(key.id), main, members, everRan, adopted: own === undefined };
  }

  #adoptedMain(key: RunKey, record: RunRecord | null): MainProcess {
    if (record !== null && this.#sessions.leads(record)) return { is: 'running', pid: record.pid };
    const recorded = this.#exits.read(key.id, this.#clock.now());
    if (recorded !== undefined) return { is: 'ended', ...recorded };
    if (record === null) return { is: 'unknown' };
    const at = this.#foundGone.get(key.id) ?? this.#clock.now();
    this.#foundGone.set(key.id, at);
    return { is: 'ended', outcome: { kind: 'unknown', oom: false }, at };
  }

  /**
   * Many runs that end together are looked up in one table, if it was made after the main process had ended: whoever
   * was not there then has no parent that could bring it in later.
   */
  #members(key: RunKey, main: MainProcess | undefined): readonly ProcessStat[] {
    const ended = main?.is === 'ended' ? main.at : Number.POSITIVE_INFINITY;
    this.#processes.forgetBefore(ended);
    return this.#processes.table('members').members(this.#sessions.of(key));
  }

  /** Differs whenever a look would tell something else. */
  #pulse(key: RunKey): string {
    const record = this.#records.read(key);
    if (record !== null && this.#sessions.leads(record)) return 'main';
    return this.members(key).length > 0 ? 'some' : 'none';
  }

  #forgetRun(run: RunId): void {
    this.#own.forget(run);
    this.#sessions.forget(run);
    this.#watches.forget(run);
    this.#exits.remove(run);
    this.#foundGone.delete(run);
    this.#lived.delete(run);
  }
}
