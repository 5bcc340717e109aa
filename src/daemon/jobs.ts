/** Which scheduled services are due now? */
import type { DueRun, Memory } from '../model/memory.ts';
import type { RunId, ServiceName } from '../model/names.ts';
import type { Defined, Desired, DesiredState } from '../model/spec.ts';
import { type Cron, parseCron } from '../policy/cron.ts';
import { lifeOf } from '../policy/run-life.ts';
import { comingSlots, dueJob, isLapsed, lapsesAt, stillDue, withMissed } from '../policy/schedule.ts';
import { specOf } from '../reconcile/notice-exits.ts';
import type { Situation } from '../reconcile/situation.ts';
import { wantedOf } from '../reconcile/wanted.ts';
import type { Clock } from '../world/world.ts';
import type { Store } from './store.ts';
import { earliest, Wakes } from './wakes.ts';

export interface JobStep {
  readonly memory: Memory;
  /** Milliseconds since 1970. */
  readonly wakeAt: number | undefined;
  /** Something is to be started: the memory must be on disk before. */
  readonly fired: boolean;
}

/** More decisions at one moment than a schedule can need. */
const MOST_STEPS = 20;

export interface JobTools {
  readonly store: Store;
  readonly desired: DesiredState;
  readonly situation: (name: ServiceName) => Situation;
  readonly clock: Clock;
  readonly newRun: () => RunId;
}

export class Jobs {
  readonly wakes = new Wakes();
  readonly #zone: () => string;
  readonly #parsed = new Map<string, Cron>();

  /** @param zone IANA name of the zone of the host */
  constructor(zone: () => string) {
    this.#zone = zone;
  }

  /**
   * What is due by its schedule is written down first, in one go for all of it, and then started: a daemon that dies
   * in between finishes what was written, and nothing runs twice.
   * @returns something is to be started: the store must be written before
   */
  consider(names: Iterable<ServiceName>, { store, desired, situation, newRun, clock }: JobTools): boolean {
    let fired = false;
    for (const name of names) {
      const service = desired.services.get(name);
      const scheduled = service?.kind === 'defined' && service.spec.process.schedule !== null;
      if (!scheduled && store.memory(name).job === null) continue;
      // A schedule goes by the clock on the wall, also when that was set back; everything else by the time that passed.
      const wall = clock.wall();
      const step = this.step({ ...situation(name), now: wall }, newRun);
      store.setMemory(name, step.memory);
      fired ||= step.fired;
      this.wakes.set(name, step.wakeAt === undefined ? undefined : step.wakeAt - wall + clock.now());
    }
    return fired;
  }

  /**
   * What the schedule says now. While the service is stopped, held or disabled nothing is considered: what it misses
   * meanwhile counts as missed.
   * @param newRun makes the id of a run
   */
  step(situation: Situation, newRun: () => RunId): JobStep {
    const { desired, intent, now } = situation;
    let { memory } = situation;
    if (desired?.kind !== 'defined') {
      return {
        memory: memory.due === null ? memory : { ...memory, due: null },
        wakeAt: undefined,
        fired: false,
      };
    }
    const { schedule } = desired.spec.process;
    if (schedule === null) {
      const idle = memory.due === null && memory.job === null;
      return { memory: idle ? memory : { ...memory, due: null, job: null }, wakeAt: undefined, fired: false };
    }
    if (wantedOf(situation).kind !== 'run') {
      return {
        memory: memory.due === null ? memory : { ...memory, due: null },
        wakeAt: undefined,
        fired: false,
      };
    }
    const seen = situation.observed.kind === 'seen' ? situation.observed.runs : undefined;
    // Could not look: something may run, and nothing is started on its account.
    if (seen === undefined) return { memory, wakeAt: undefined, fired: false };
    memory = { ...memory, due: stillDue(memory.due, seen) };
    // What has ended is cleaned up by the decision that follows, and keeps nobody waiting.
    const busy = seen.some((run) => lifeOf(run, specOf(situation, run.key.hash)) !== 'over');
    let due: DueRun | null = memory.due;
    let fired = false;
    const isMade = seen.some(({ key }) => key.id === due?.run || key.id === due?.before);
    if (due !== null && !isMade && isLapsed(schedule, due, now)) {
      due = null;
      memory = { ...memory, due, job: memory.job && withMissed(memory.job) };
    }
    if (due !== null && seen.some((run) => run.key.id === due?.run)) {
      // A daemon died while it started it, and its launcher may be on its way still: it must not find its place again.
      due = { ...due, run: newRun(), before: due.run };
      fired = true;
      memory = { ...memory, due };
    }
    const triggers = intent.triggers ?? 0;
    // Nothing is remembered: whatever was asked for before is taken to have been done.
    if (memory.job === null) memory = { ...memory, triggered: triggers };
    if (memory.triggered < triggers && !busy && due === null) {
      due = { run: newRun(), slot: null };
      fired = true;
      memory = { ...memory, due, triggered: memory.triggered + 1 };
    }
    let wakeAt: number | undefined;
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const answer = dueJob({
        schedule,
        cron: this.#cron(desired),
        memory: memory.job,
        now,
        running: busy || due !== null,
        chance: situation.chance,
      });
      if (answer.memory !== memory.job) memory = { ...memory, job: answer.memory };
      wakeAt = answer.wakeAt;
      if (answer.decision.do === 'fire') {
        due = { run: newRun(), slot: answer.decision.slot };
        fired = true;
        memory = { ...memory, due };
      }
      if (wakeAt === undefined || wakeAt > now) break;
    }
    const lapse = due === null ? undefined : lapsesAt(schedule, due, now);
    return { memory, wakeAt: earliest(wakeAt, lapse), fired };
  }

  /** The next times of a schedule, milliseconds since 1970. */
  coming(desired: Defined, now: number, count: number): readonly number[] {
    const { schedule } = desired.spec.process;
    return schedule === null ? [] : comingSlots(schedule, this.#cron(desired), now, count);
  }

  /** The next time of a service that has a schedule, milliseconds since 1970; undefined: there is none. */
  next(desired: Desired | undefined, now: number): number | undefined {
    return desired?.kind === 'defined' ? this.coming(desired, now, 1)[0] : undefined;
  }

  #cron({ spec }: Defined): Cron {
    const { cron, timezone } = spec.process.schedule ?? { cron: '', timezone: null };
    const key = `${timezone ?? ''} ${cron}`;
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const parsed = parseCron(cron, timezone, this.#zone());
    // It was parsed when the file was read.
    if ('problem' in parsed) throw new Error(parsed.problem);
    this.#parsed.set(key, parsed);
    return parsed;
  }
}
