/** How do runs live where no cgroups can be had? As sessions, and it is said what that cannot promise. */
import fs from 'node:fs';
import { join } from 'node:path';
import { type RunId, type RunKey, type ServiceName, startOfRun } from '../model/names.ts';
import type { MainProcess, Members, Observed, ObservedRun, Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import type { Signal } from '../model/signals.ts';
import type { Resources } from '../model/spec.ts';
import { stillAlive, unreadable } from './containment-trouble.ts';
import { describeProcess } from './describe-process.ts';
import { inWords } from './errno.ts';
import { foreignListener } from './listening-ports.ts';
import { OwnRuns } from './own-runs.ts';
import {
  bootId,
  environmentOf,
  isAlive,
  type ProcessStat,
  residentBytes,
  TICKS_PER_SECOND,
} from './procfs.ts';
import { type RunRecord, RunRecords } from './run-records.ts';
import { ProcessTable, type Session } from './session-members.ts';
import { signalSession } from './session-signals.ts';
import { lockFile } from './state-lock.ts';
import { Watchlist } from './watchlist.ts';
import type { Clock, Containment, KnownMain, Launch, Started, Usage } from './world.ts';

export interface ProcessGroupOptions {
  readonly stateDirectory: string;
  readonly clock: Clock;
  /** Why there are no cgroups; null when nobody wanted them. */
  readonly because: string | null;
  /** False: others may use the same directory. Only for tests. Default: true. */
  readonly lock?: boolean;
}

/** How long one look at all processes is good enough, in milliseconds. Members are asked for all in a row. */
const AGE_LIMIT = { figures: 500, members: 20 } as const;

/** @returns `refused`: another daemon has this state directory, or it cannot be written */
export function openProcessGroups(
  options: ProcessGroupOptions,
): { readonly containment: Containment } | { readonly refused: Problem } {
  const directory = join(options.stateDirectory, 'runs');
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    const message = `${directory} cannot be made: ${inWords(error)}`;
    return { refused: { code: 'state-unwritable', severity: 'error', message } };
  }
  if (options.lock === false) return { containment: new ProcessGroups(options, directory, () => undefined) };
  const lock = lockFile(join(directory, 'lock'));
  return 'code' in lock
    ? { refused: lock }
    : { containment: new ProcessGroups(options, directory, lock.unlock) };
}

class ProcessGroups implements Containment {
  readonly kind = 'process_group';
  readonly shortcomings: readonly Problem[];
  readonly #clock: Clock;
  readonly #records: RunRecords;
  readonly #boot = bootId();
  readonly #own: OwnRuns;
  readonly #watches: Watchlist;
  readonly #unlock: () => void;
  readonly #foundGone = new Map<RunId, number>();
  #figures: { readonly table: ProcessTable; readonly at: number } | undefined;
  #wake: (service: ServiceName) => void = () => undefined;

  constructor(options: ProcessGroupOptions, directory: string, unlock: () => void) {
    this.#clock = options.clock;
    this.#records = new RunRecords(directory);
    this.#unlock = unlock;
    this.shortcomings = [weaker(options.because)];
    const wake = (service: ServiceName) => this.#wake(service);
    this.#own = new OwnRuns({ clock: options.clock, wake });
    this.#watches = new Watchlist(options.clock, wake);
  }

  services(): readonly ServiceName[] | { readonly unseen: Problem } {
    try {
      return this.#records.services();
    } catch (error) {
      return { unseen: unreadable(pathOf(error), error) };
    }
  }

  look(service: ServiceName, _known: KnownMain): Observed {
    try {
      const runs = this.#records.runs(service).map((key) => this.#lookAt(key));
      const existing = new Set(runs.map((run) => run.key.id));
      this.#own.keepOnly(service, existing);
      for (const run of this.#watches.watched(service)) if (!existing.has(run)) this.#forgetRun(run);
      return { kind: 'seen', runs };
    } catch (error) {
      return { kind: 'unseen', problem: { ...unreadable(pathOf(error), error), service } };
    }
  }

  /** The record comes first, so that a daemon that dies in between leaves a run that can be found by its marker. */
  start(key: RunKey, launch: Launch): Started | Problem {
    const failed = this.#records.write(key, null);
    if (failed !== undefined) return this.#unrecorded(key, failed);
    this.#figures = undefined;
    const started = this.#own.start(key, launch, { cgroupProcs: null, judge: (outcome) => outcome });
    if ('code' in started) {
      this.#records.remove(key);
      this.#records.forget(key.service);
      return started;
    }
    // Without its pid on disk the run can still be found, more slowly, by its marker.
    this.#records.write(key, { ...started, boot: this.#boot });
    return started;
  }

  runInside(key: RunKey, launch: Launch, done: (outcome: Outcome) => void): Problem | undefined {
    if (!this.#records.runs(key.service).some((run) => run.id === key.id)) {
      return {
        code: 'start-failed',
        severity: 'error',
        message: `run ${key.id} is gone`,
        service: key.service,
      };
    }
    this.#figures = undefined;
    return this.#own.command(launch, null, done);
  }

  signal(key: RunKey, signal: Signal): Problem | undefined {
    this.#figures = undefined;
    return signalSession(this.#session(key), signal);
  }

  kill(key: RunKey): Problem | undefined {
    this.#figures = undefined;
    return signalSession(this.#session(key), 'SIGKILL');
  }

  remove(key: RunKey): Problem | undefined {
    try {
      const alive = this.#members(key, this.#own.main(key.id)).map(({ pid }) => pid);
      if (alive.length > 0) return stillAlive(key, alive, 'EBUSY');
    } catch (error) {
      return { ...unreadable(pathOf(error), error), service: key.service };
    }
    const failed = this.#records.remove(key);
    if (failed !== undefined) return this.#unrecorded(key, failed);
    this.#forgetRun(key.id);
    return undefined;
  }

  forget(service: ServiceName): void {
    this.#records.forget(service);
  }

  members(key: RunKey): readonly number[] {
    try {
      return this.#recentTable(AGE_LIMIT.members)
        .members(this.#session(key))
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
    return Object.entries(resources).flatMap(([key, value]) => {
      if (value === null) return [];
      const message = `${key} cannot be applied: limits need a writable cgroup2 file system`;
      return [{ code: 'limit-unapplied', severity: 'warning', message, service } as const];
    });
  }

  usage(key: RunKey): Usage {
    try {
      const members = this.#recentTable(AGE_LIMIT.figures).members(this.#session(key));
      if (members.length === 0) return { cpuMicroseconds: null, memoryBytes: null };
      const ticks = sum(members.map(({ cpuTicks }) => cpuTicks));
      return {
        cpuMicroseconds: (ticks * 1_000_000) / TICKS_PER_SECOND,
        memoryBytes: sum(members.map(({ pid }) => residentBytes(pid) ?? 0)),
      };
    } catch {
      return { cpuMicroseconds: null, memoryBytes: null };
    }
  }

  portHolder(port: number, service: ServiceName): string | undefined {
    return foreignListener(port, () => {
      try {
        const table = new ProcessTable();
        const own = this.#records.runs(service).flatMap((key) => table.members(this.#session(key)));
        return new Set(own.map(({ pid }) => pid));
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
    this.#unlock();
  }

  /** All processes are looked at only when the main process cannot vouch for the run. */
  #lookAt(key: RunKey): ObservedRun {
    const own = this.#own.main(key.id);
    const record = this.#records.read(key);
    const main = own ?? this.#adoptedMain(key, record);
    let members: Members = { is: 'some' };
    if (main.is !== 'running') {
      members = this.#members(key, main).length > 0 ? { is: 'some' } : { is: 'none' };
    }
    // No event tells of the end of a process that is not our child.
    if (members.is === 'some' && own?.is !== 'running') {
      this.#watches.poll(key, main.is === 'running' ? 'main' : 'some', () => this.#pulse(key));
    }
    const everRan = own !== undefined || record !== null || members.is === 'some';
    return { key, startedAt: startOfRun(key.id), main, members, everRan, adopted: own === undefined };
  }

  #adoptedMain(key: RunKey, record: RunRecord | null): MainProcess {
    if (record === null) return { is: 'unknown' };
    if (this.#lives(record)) return { is: 'running', pid: record.pid };
    const at = this.#foundGone.get(key.id) ?? this.#clock.now();
    this.#foundGone.set(key.id, at);
    return { is: 'ended', outcome: { kind: 'unknown', oom: false }, at };
  }

  /** Pids and start times of another boot mean nothing. */
  #lives(record: RunRecord): boolean {
    return record.boot === this.#boot && isAlive(record.pid, record.ticks);
  }

  #session(key: RunKey): Session {
    const record = this.#records.read(key);
    return { run: key.id, leader: record?.boot === this.#boot ? record : null };
  }

  /**
   * Many runs that end together are looked up in one table, if it was made after the main process had ended: whoever
   * was not there then has no parent that could bring it in later.
   */
  #members(key: RunKey, main: MainProcess | undefined): readonly ProcessStat[] {
    const ended = main?.is === 'ended' ? main.at : Number.POSITIVE_INFINITY;
    if (this.#figures === undefined || this.#figures.at <= ended) this.#figures = undefined;
    return this.#recentTable(AGE_LIMIT.members).members(this.#session(key));
  }

  /** Differs whenever a look would tell something else. */
  #pulse(key: RunKey): string {
    const record = this.#records.read(key);
    if (record !== null && this.#lives(record)) return 'main';
    return this.members(key).length > 0 ? 'some' : 'none';
  }

  #recentTable(age: number): ProcessTable {
    const now = this.#clock.now();
    if (this.#figures === undefined || now - this.#figures.at > age) {
      this.#figures = { table: new ProcessTable(), at: now };
    }
    return this.#figures.table;
  }

  #unrecorded(key: RunKey, failed: string): Problem {
    const message = `the record of run ${key.id} cannot be written: ${inWords(failed)}`;
    return { code: 'state-unwritable', severity: 'error', message, service: key.service };
  }

  #forgetRun(run: RunId): void {
    this.#own.forget(run);
    this.#watches.forget(run);
    this.#foundGone.delete(run);
  }
}

function weaker(because: string | null): Problem {
  const why = because === null ? 'containment is process_group' : because;
  const message = `${why}; runs are sessions of processes: one that leaves its session and clears its environment escapes, and no limits can be set`;
  return { code: 'containment-weak', severity: 'warning', message };
}

/** Either the records or /proc itself could not be listed. */
function pathOf(error: unknown): string {
  return error instanceof Error && 'path' in error ? String(error.path) : '/proc';
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
