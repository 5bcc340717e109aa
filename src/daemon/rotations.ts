/** When is each log rotated, and what becomes of the rotated files? */
import { dirname, join } from 'node:path';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { DesiredState } from '../model/spec.ts';
import { overBudget } from '../policy/log-budget.ts';
import { isSameLog, type LogToKeep, logsToKeep } from '../policy/logs-to-keep.ts';
import { contentBegan, judgeRotation, nextPruning, pruned, uncompressed } from '../policy/rotation.ts';
import { placement } from '../policy/rotation-names.ts';
import type { ZoneRules } from '../policy/time-zone.ts';
import type { Growth, LogCare } from '../world/log-care.ts';
import type { Rotated } from '../world/log-rotation.ts';
import type { Surroundings } from '../world/rotated-files.ts';
import type { Clock, Containment } from '../world/world.ts';
import { brokenOf, clashOf, goneOf, isRotated, type Kept, letGo, remembered } from './kept-log.ts';
import { Compressing } from './log-compressing.ts';
import { LogMemory } from './log-memory.ts';
import { LogSpace } from './log-space.ts';
import type { Wrote } from './state-problems.ts';
import { LONGEST_SLEEP, Turns } from './turns.ts';

export interface RotationTools {
  readonly care: LogCare;
  readonly clock: Clock;
  /** That of the host. */
  readonly zone: ZoneRules;
  readonly freezer: Containment['freezer'];
  /** Bytes that all rotated files may take together; null: any number. */
  readonly maxTotalSize: number | null;
  readonly complain: (problem: Problem) => void;
  readonly wrote: Wrote;
  /** Something is well again. */
  readonly tell: (message: string) => void;
}

/** What failed is tried again after this time. Milliseconds. */
const RETRY = 30_000;

/** A boot has better things to do at first. Milliseconds. */
const CALM = 2000;

/** At the end of a period all logs are due at once; copying waits for the disk. */
const LANES = 4;

/** At the end, a rotation that is under way may finish within this time; else the next daemon does. Milliseconds. */
const LAST_ROTATIONS = 2000;

export class Rotations {
  readonly #tools: RotationTools;
  readonly #kept = new Map<string, Kept>();
  readonly #space: LogSpace;
  readonly #turns: Turns<Kept>;
  /** Made when it is asked for. */
  #byService: Map<ServiceName, Kept[]> | undefined;
  readonly #compressing: Compressing;
  readonly #memory: LogMemory;
  #arranged: DesiredState['services'] | undefined;
  #isClosed = false;

  constructor(tools: RotationTools) {
    this.#tools = tools;
    this.#space = new LogSpace(tools);
    this.#memory = new LogMemory({ ...tools, logs: () => remembered([...this.#kept.values()]) });
    this.#compressing = new Compressing({
      ...tools,
      isRotated,
      complain: (log, problem) => this.#complain(this.#kept.get(log.place), problem),
      ended: (place) => this.#want(place),
    });
    this.#turns = new Turns<Kept>({
      clock: tools.clock,
      lanes: LANES,
      items: () => this.#kept.values(),
      serve: (kept) => this.#serve(kept),
      // It is replaced when its rules change.
      current: ({ place }) => this.#kept.get(place),
    });
  }

  /** What an earlier daemon was doing is finished or undone; before any service is started. */
  resume(): void {
    for (const result of this.#tools.care.resume(placement)) {
      if ('code' in result) this.#tools.complain(result);
      else if (result.kind === 'finished') this.#tools.tell(`the rotation of ${result.log} was finished`);
    }
  }

  /** To be called with each new desired state. */
  arrange(desired: DesiredState): void {
    if (this.#isClosed || isUnchanged(this.#arranged, desired.services)) return;
    const { care, clock } = this.#tools;
    const wanted = logsToKeep(desired.services, care.placeOf);
    const soon = clock.wall() + CALM;
    const recalled = new Map<string, number>();
    for (const log of this.#arranged === undefined ? this.#memory.recall() : []) {
      if (wanted.has(log.place)) recalled.set(log.place, log.newest);
      else this.#kept.set(log.place, goneOf(log, soon));
    }
    this.#arranged = desired.services;
    this.#byService = undefined;
    for (const [place, kept] of this.#kept) if (!wanted.has(place) && !kept.isGone) letGo(kept, soon);
    for (const [place, log] of wanted) {
      const known = this.#kept.get(place);
      if (known?.isGone === false && isSameLog(known, log)) continue;
      known?.growth?.close();
      const kept: Kept = {
        emptied: 0,
        rotated: [],
        newest: recalled.get(place) ?? 0,
        isBusy: false,
        isWanted: false,
        ...known,
        ...log,
        // Who does not write there any more by his file may still do so with a process of before; who is gone has none.
        services: [...new Set([...(known?.isGone === false ? known.services : []), ...log.services])],
        isGone: false,
        growth: this.#growthOf(log),
        due: soon,
        trouble: known?.trouble,
      };
      this.#kept.set(place, kept);
    }
    this.#turns.go();
    this.#memory.changed();
    this.#space.watch([...wanted.values()].map(({ path }) => path));
  }

  /** One of its processes was started: its logs are there from now on. */
  started(service: ServiceName): void {
    // On the full second: what is started in a row is looked at in a row, and not each in its own wake-up.
    const soon = Math.ceil((this.#tools.clock.wall() + CALM) / 1000) * 1000;
    for (const kept of this.#of(service)) {
      if (kept.isGone) continue;
      kept.due = Math.min(kept.due, soon);
      kept.growth ??= this.#growthOf(kept);
      this.#turns.sooner(kept);
    }
  }

  /** What is wrong with logs, of whichever services. */
  get problems(): readonly Problem[] {
    return this.#space.problems;
  }

  /** What of the logs of a service is lost, or keeps them from being rotated. */
  warnings(service: ServiceName): readonly Problem[] {
    const logs = this.#of(service);
    const lost = this.#space.problemsOf(logs.map(({ path }) => path));
    const kept = logs.flatMap(({ trouble, place }) => [trouble, this.#compressing.problem(place)]);
    return [...lost, ...kept].flatMap((one) => (one === undefined ? [] : [{ ...one, service }]));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#space.close();
    this.#compressing.close();
    for (const { growth } of this.#kept.values()) growth?.close();
    let cut = () => {};
    const patience = new Promise<void>((resolve) => {
      cut = this.#tools.clock.after(LAST_ROTATIONS, resolve);
    });
    await Promise.race([Promise.all([this.#turns.close(), this.#tools.care.close()]), patience]);
    cut();
    this.#memory.close();
  }

  /** A watch on a file that is not there would have to look for it again and again. */
  #growthOf({ place, path, spec }: LogToKeep): Growth | undefined {
    if (spec.mode !== 'size' || !this.#tools.care.exists(path)) return undefined;
    return this.#tools.care.watchGrowth(path, spec.size, () => {
      // Told at once where it is too large already: before it is known here.
      this.#tools.clock.after(0, () => this.#want(place));
    });
  }

  /** Asked at each start and for each service in a status: it must not cost what all of them have. */
  #of(service: ServiceName): readonly Kept[] {
    if (this.#byService === undefined) {
      this.#byService = new Map();
      for (const kept of this.#kept.values()) {
        for (const each of kept.services) {
          const logs = this.#byService.get(each);
          if (logs === undefined) this.#byService.set(each, [kept]);
          else logs.push(kept);
        }
      }
    }
    return this.#byService.get(service) ?? [];
  }

  #want(place: string): void {
    const kept = this.#kept.get(place);
    if (kept !== undefined) this.#turns.want(kept);
  }

  async #serve(kept: Kept): Promise<void> {
    try {
      await this.#keepInOrder(kept);
    } catch (error) {
      // A mistake of ours is no reason to leave the services alone.
      this.#failed(kept, brokenOf(kept.path, error));
    }
  }

  async #keepInOrder(kept: Kept): Promise<void> {
    const { care, clock } = this.#tools;
    const now = clock.wall();
    kept.due = now + LONGEST_SLEEP;
    let around = await care.look(kept, isRotated);
    if (around === null) return kept.isGone ? this.#forget(kept) : undefined;
    if ('code' in around) return this.#failed(kept, around);
    if (kept.isGone) return this.#keepGone(kept, around, now);
    if (kept.clash !== null) return this.#failed(kept, clashOf(kept.path, kept.clash));
    const rotated = await this.#rotateIfDue(kept, around, now);
    if ('code' in rotated) return this.#failed(kept, rotated);
    if (rotated.kind === 'no-room') {
      // A full disk is no reason to keep what would be removed next anyway.
      const fewer = { ...kept.spec, backups: Math.max(0, kept.spec.backups - 1) };
      care.remove(kept, pruned(fewer, around.base, around.files, now));
      return this.#failed(kept, rotated.problem);
    }
    if (rotated.kind === 'rotated') {
      const again = await care.look(kept, isRotated);
      if (again === null || 'code' in again) return again === null ? undefined : this.#failed(kept, again);
      around = again;
    }
    const newest = around.files.reduce((found, { modified }) => Math.max(found, modified), 0);
    if (newest !== kept.newest) this.#memory.changed();
    kept.newest = newest;
    this.#cleanUp(kept, around, now);
  }

  /**
   * Somebody else may write there by now, and rotate: what was made after the last file of ours is not ours, nor is what
   * became a log itself.
   */
  #keepGone(kept: Kept, { base, active, files }: Surroundings, now: number): void {
    const { place, path, credentials } = kept;
    const isThere = this.#kept.get(place) === kept && this.#tools.care.placeOf(path, credentials) === place;
    if (!isThere) {
      this.#forget(kept);
      return;
    }
    // Compressed files have the time of the plain one in whole milliseconds.
    const isOurs = (file: { readonly name: string; readonly modified: number }) =>
      file.modified < kept.newest + 1 && this.#kept.get(join(dirname(place), file.name))?.isGone !== false;
    this.#cleanUp(kept, { base, active, files: files.filter(isOurs) }, now);
    if (kept.rotated.length === 0 && !this.#compressing.isBusy(place)) this.#forget(kept);
  }

  #forget(kept: Kept): void {
    if (this.#kept.get(kept.place) !== kept) return;
    this.#kept.delete(kept.place);
    this.#byService = undefined;
    this.#compressing.forget(kept.place);
    this.#memory.changed();
  }

  async #rotateIfDue(kept: Kept, around: Surroundings, now: number): Promise<Rotated | Problem> {
    const { active, files } = around;
    if (active === null) return { kind: 'nothing' };
    if (active.size === 0 || kept.emptied > now) kept.emptied = now;
    // A rotated file was written last when it was made.
    const times = [kept.emptied, active.born, ...files.map(({ modified }) => modified)];
    const since = contentBegan(times, now) ?? now;
    kept.emptied = Math.max(kept.emptied, since);
    const verdict = judgeRotation(kept.spec, { size: active.size, since }, now, this.#tools.zone);
    if (!verdict.due) {
      kept.due = Math.min(kept.due, verdict.wakeAt ?? kept.due);
      return { kind: 'nothing' };
    }
    const { path, credentials } = kept;
    // Whoever begins to write there while the bulk is copied has to stand still, too.
    const freezer = () => this.#tools.freezer((this.#kept.get(kept.place) ?? kept).services);
    const rotated = await this.#tools.care.rotate({
      path,
      credentials,
      target: verdict.target,
      naming: placement,
      freezer,
    });
    if ('code' in rotated || rotated.kind !== 'rotated') return rotated;
    kept.emptied = now;
    kept.due = 0;
    (this.#kept.get(kept.place) ?? kept).growth?.rotated();
    return rotated;
  }

  #cleanUp(kept: Kept, { base, files }: Surroundings, now: number): void {
    const { trouble } = kept;
    const gone = new Set(pruned(kept.spec, base, files, now));
    const problem = gone.size === 0 ? undefined : this.#tools.care.remove(kept, [...gone]);
    if (problem !== undefined) {
      this.#failed(kept, problem);
      return;
    }
    kept.rotated = files.filter(({ name }) => !gone.has(name));
    kept.due = Math.min(kept.due, nextPruning(kept.spec, base, kept.rotated) ?? kept.due);
    this.#keepWithinBudget();
    if (kept.trouble !== trouble) return;
    const [name] = uncompressed(kept.spec, base, kept.rotated);
    if (name === undefined) this.#compressing.forget(kept.place);
    const again = name === undefined ? null : this.#compressing.begin(kept, name);
    kept.due = Math.min(kept.due, again ?? kept.due);
    if (trouble === undefined) return;
    kept.trouble = undefined;
    if (!kept.isGone) this.#tools.tell(`${kept.path} is rotated again`);
  }

  #keepWithinBudget(): void {
    if (this.#tools.maxTotalSize === null) return;
    const all = [...this.#kept.values()];
    const users = all.map(({ services, place, rotated }) => ({
      name: services[0] ?? '',
      files: rotated.map((file) => ({ ...file, path: join(dirname(place), file.name) })),
    }));
    const going = new Set(overBudget(users, this.#tools.maxTotalSize));
    if (going.size === 0) return;
    for (const kept of all) {
      const names = kept.rotated.flatMap(({ name }) =>
        going.has(join(dirname(kept.place), name)) ? [name] : [],
      );
      if (names.length === 0) continue;
      const problem = this.#tools.care.remove(kept, names);
      if (problem !== undefined) this.#failed(kept, problem);
      kept.rotated = kept.rotated.filter(({ name }) => !names.includes(name));
    }
  }

  /** Told once, until it is well again. */
  #failed(kept: Kept, problem: Problem): void {
    kept.due = this.#tools.clock.wall() + (kept.isGone ? LONGEST_SLEEP : RETRY);
    const told = kept.trouble?.message === problem.message;
    kept.trouble = problem;
    if (!told) this.#complain(kept, problem);
  }

  #complain(kept: Kept | undefined, problem: Problem): void {
    const service = kept?.services[0];
    this.#tools.complain({ ...problem, ...(service === undefined ? {} : { service }) });
  }
}

/** An unchanged file gives the same definition again. */
function isUnchanged(before: DesiredState['services'] | undefined, now: DesiredState['services']): boolean {
  return before?.size === now.size && [...now].every(([name, service]) => before?.get(name) === service);
}
