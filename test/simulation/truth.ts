/** What is really the case, and what was really asked for? Kept beside the daemons, from the outside. */
import type { Intent } from '../../src/model/memory.ts';
import type { RunId, RunKey, ServiceName } from '../../src/model/names.ts';
import type { Outcome } from '../../src/model/observed.ts';
import type { ProbeKind } from '../../src/model/probe.ts';
import type { Dependency, Desired, DesiredState, ServiceSpec } from '../../src/model/spec.ts';

/** The life of one run as the kernel saw it. Times are those of the machine. */
export interface RunTruth {
  readonly key: RunKey;
  /** Number of the daemon that started it; {@link NOBODY} for one that came by a mishap. */
  readonly daemon: number;
  readonly startedAt: number;
  /** The definition in force when it was started. */
  readonly spec: ServiceSpec;
  readonly digest: string;
  readonly pardon: number;
  /** The first step of its stop, by whichever daemon. */
  stopAt: number | undefined;
  /** False: it ended before it reached its container. */
  everRan: boolean;
  /** A daemon died when it was about to stop it: nobody can know whether it did. */
  unsure: boolean;
  /** When SIGKILL was last sent. */
  killedAt: number | undefined;
  /** The first time. */
  killedFrom: number | undefined;
  /** When its stop command was known by its daemon to have failed, and no signal followed yet. */
  commandFailedAt: number | undefined;
  end: { readonly at: number; readonly outcome: Outcome; readonly seen: boolean } | undefined;
  /** What its probes answered to the present daemon. */
  answers: Partial<Record<ProbeKind, Answers>>;
  /** It was told to be stopped because of that. */
  unfit: boolean;
  /** When the last of its processes ended. */
  emptyAt: number | undefined;
}

/** No daemon has this number. */
export const NOBODY = 0;

/** A definition of a run, and since when it is in force. */
interface Known {
  readonly spec: ServiceSpec;
  readonly from: number;
}

/** `passed`: since when its verdict is good. Times are those of the machine. */
export interface Answers {
  readonly daemon: number;
  readonly successes: number;
  readonly failures: number;
  readonly passed: number | undefined;
  readonly at: number;
}

/** The end of an attempt that never became a run. */
export interface Refusal {
  readonly key: RunKey;
  readonly daemon: number;
  readonly at: number;
}

export class Truth {
  /** What the last reading of the present daemon wants. */
  inForce: Map<ServiceName, Desired> = new Map();
  readonly intents = new Map<ServiceName, Intent>();
  /** Removed services that may be stopped: their removal was small enough, or confirmed. */
  readonly mayGo = new Set<ServiceName>();
  /** Of these the file came back, and the approval is still written down: it counts again if its daemon dies so. */
  readonly cameBack = new Set<ServiceName>();
  /** Removed services that are held back, and it is on disk that they are: only a person or their file changes that. */
  readonly heldBack = new Set<ServiceName>();
  readonly runs = new Map<RunId, RunTruth>();
  readonly refusals: Refusal[] = [];
  /** Disabled when everything was told to start: what had completed before has completed for as long as nobody does. */
  readonly unstarted = new Set<ServiceName>();
  /** Services of which a pre_start hook has failed. */
  readonly unprepared = new Set<ServiceName>();
  /** Every definition that was ever in force, by service and hash, and from when on; oldest first. */
  readonly definitions = new Map<string, { readonly spec: ServiceSpec; readonly since: number }[]>();
  /** When the definition in force was last noted as that of its service's runs, by service and hash. */
  readonly appliedAt = new Map<string, number>();
  /** When a wait or a failure of the service was last lifted, or its memory lost. */
  readonly liftedAt = new Map<ServiceName, number>();
  /** When what is remembered of everything was last lost, wholly or in part. */
  memoryLostAt = Number.NEGATIVE_INFINITY;
  /** When the definitions that runs were started with were last lost. */
  definitionsLostAt = Number.NEGATIVE_INFINITY;
  /** When the whole state directory was last lost. */
  stateLostAt = Number.NEGATIVE_INFINITY;
  /** When a write into the state directory last failed. */
  writeFailedAt = Number.NEGATIVE_INFINITY;
  /** Just forgotten by the daemon: what is left of their intents is to be looked up. */
  readonly forgotten = new Set<ServiceName>();
  readonly forgottenAt = new Map<ServiceName, number>();
  clockForwardAt = Number.NEGATIVE_INFINITY;
  /** When a daemon was last kept from acting: it could not see, was told to hold, was refused, or died. */
  hinderedAt = Number.NEGATIVE_INFINITY;
  /** When the present daemon came. */
  bootedAt = Number.NEGATIVE_INFINITY;
  /** When a daemon last died, or left. */
  diedAt = Number.NEGATIVE_INFINITY;
  ending: { hurry: boolean } | undefined;
  #reading: Pick<DesiredState, 'readable' | 'files'> = { readable: true, files: 0 };

  intent(name: ServiceName): Intent {
    return this.intents.get(name) ?? {};
  }

  /** @param clockNow in the time of the daemon */
  isHeld(name: ServiceName, clockNow: number): boolean {
    const { held } = this.intent(name);
    return held !== undefined && (held.until === undefined || held.until > clockNow);
  }

  /** Its file is gone and nobody has approved that; an operator may stop it all the same. */
  isGuarded(name: ServiceName): boolean {
    return !this.inForce.has(name) && !this.mayGo.has(name) && this.intent(name).stopped === undefined;
  }

  /** How many instances are wanted; 0 when nothing is to run. */
  count(name: ServiceName): number {
    const desired = this.inForce.get(name);
    const intent = this.intent(name);
    if (desired?.kind !== 'defined' || intent.stopped !== undefined || !desired.spec.enabled) return 0;
    const count = intent.scale?.instances ?? desired.spec.instances;
    return desired.spec.process.schedule === null ? count : Math.min(1, count);
  }

  /** Is it of the newest definition, and no older than the last restart by hand? */
  isCurrent({ service, hash, generation }: RunKey): boolean {
    const desired = this.inForce.get(service);
    if (desired?.kind !== 'defined') return false;
    return hash === desired.hash && generation >= (this.intent(service).minGeneration ?? 0);
  }

  /** Do newer runs come before older ones go? */
  rolls(service: ServiceName): boolean {
    const desired = this.inForce.get(service);
    if (desired?.kind !== 'defined') return false;
    const { rollout, process } = desired.spec;
    return rollout.surge > 0 && process.schedule === null && process.type === 'service';
  }

  /** Runs of another type are there, or were a moment ago: then two at a time cannot be. */
  mixesTypes(service: ServiceName, now: number): boolean {
    return [...this.runs.values()].some(
      ({ key, spec, emptyAt }) =>
        key.service === service && spec.process.type !== 'service' && now - (emptyAt ?? now) < 5000,
    );
  }

  /** Since when the run is ready, as its probes told the present daemon; undefined: it is not. One for each definition. */
  readySince(run: RunTruth, daemon: number | undefined): readonly (number | undefined)[] {
    const since = this.#specsNow(run).map((known) => this.#readyBy(run, known, daemon));
    // Its daemon may not have written down that the startup probe was still to pass: then it counts as passed.
    if (run.daemon === daemon || run.answers.startup?.passed !== undefined) return since;
    const adopted = { ...run, spec: { ...run.spec, probes: { ...run.spec.probes, startup: null } } };
    const met = this.#specsNow(run).map(({ spec, from }) =>
      this.#readyBy(adopted, { spec: { ...spec, probes: { ...spec.probes, startup: null } }, from }, daemon),
    );
    return [...since, ...met.map((at) => (at === undefined ? at : Math.max(at, this.bootedAt)))];
  }

  #readyBy(run: RunTruth, { spec, from }: Known, daemon: number | undefined): number | undefined {
    const { answers, startedAt } = run;
    let since = startedAt;
    for (const kind of ['startup', 'readiness'] as const) {
      if (spec.probes[kind] === null) {
        // A probe that had not passed was taken out of the file: since then nothing is to be waited for.
        const asked = run.spec.probes[kind] !== null && answers[kind]?.passed === undefined;
        if (asked) since = Math.max(since, from);
        continue;
      }
      const known = answers[kind];
      if (known?.daemon !== daemon || known?.passed === undefined) {
        if (kind === 'readiness' || known === undefined) return undefined;
        // A startup probe that has passed remains so, whoever asked.
        if (known.passed === undefined) return undefined;
      }
      since = Math.max(since, known?.passed ?? since);
    }
    return since;
  }

  /** A probe of the run was answered. */
  answered(run: RunTruth, kind: ProbeKind, ok: boolean, daemon: number, now: number): void {
    const desired = this.inForce.get(run.key.service);
    const spec = desired?.kind === 'defined' && desired.hash === run.key.hash ? desired.spec : run.spec;
    const probe = spec.probes[kind];
    const before = run.answers[kind];
    const known = before?.daemon === daemon ? before : { successes: 0, failures: 0, passed: undefined };
    const kept = kind === 'startup' ? before?.passed : known.passed;
    const successes = ok ? known.successes + 1 : 0;
    const failures = ok ? 0 : known.failures + 1;
    const isGood = ok && successes >= (probe?.success_threshold ?? 1);
    const isBad = !ok && failures >= (probe?.failure_threshold ?? 1);
    const passed = isBad ? undefined : (kept ?? (isGood ? now : undefined));
    run.answers = { ...run.answers, [kind]: { daemon, successes, failures, passed, at: now } };
  }

  /** Has a probe of the run failed as often in a row as it takes, by any definition of it, or by every? */
  failures(
    { key, answers, spec }: RunTruth,
    kind: ProbeKind,
  ): { readonly may: boolean; readonly must: boolean } {
    const specs = this.definitions.get(`${key.service} ${key.hash}`) ?? [{ spec }];
    const failures = answers[kind]?.failures ?? 0;
    const limits = specs.map((each) => each.spec.probes[kind]?.failure_threshold);
    return {
      may: limits.some((limit) => limit !== undefined && failures >= limit),
      must: limits.every((limit) => limit !== undefined && failures >= limit),
    };
  }

  /** How a service stands that another depends on, in the words of `depends_on`; undefined: as it should. */
  unmet(name: ServiceName, condition: Dependency, isAlive: (run: RunTruth) => boolean): boolean {
    const runs = [...this.runs.values()].filter(({ key }) => key.service === name);
    const desired = this.inForce.get(name);
    // What has a schedule is never complete.
    const isJob = desired?.kind === 'defined' && desired.spec.process.schedule !== null;
    const pardon = this.intent(name).pardon ?? 0;
    const isEnded = (run: RunTruth | undefined): boolean =>
      run?.end !== undefined &&
      !isAlive(run) &&
      run.startedAt > this.memoryLostAt &&
      run.pardon === pardon &&
      this.isCurrent(run.key) &&
      this.endedBy(run) !== 'stop' &&
      !(isFailure(run.end.outcome) && (run.end.seen || isOom(run.end.outcome)));
    const slots = Array.from({ length: this.count(name) }, (_, slot) => slot);
    // A version that has ended may stand beside an older one that serves on.
    const isFilled = (slot: number): boolean => runs.some((run) => run.key.slot === slot && isAlive(run));
    // One that came beside it by a mishap does not say how the place ended.
    const startedRuns = runs.filter(({ daemon }) => daemon !== NOBODY);
    const isOver =
      !isJob &&
      slots.length > 0 &&
      slots.every((slot) => !isFilled(slot) && isEnded(startedRuns.findLast(({ key }) => key.slot === slot)));
    if (condition === 'completed') return !isOver;
    if (condition === 'started') return !isOver && !runs.some(isAlive);
    return !runs.some((run) => isAlive(run) && this.isReady(run));
  }

  /** Probes may change while a run goes on. Of a definition that is not in force any more, more than one may be known. */
  #specsNow(run: RunTruth): readonly Known[] {
    const { specs } = this.settingsOf(run);
    const known = this.definitions.get(`${run.key.service} ${run.key.hash}`) ?? [];
    return (specs.length === 0 ? [run.spec] : specs).map((spec) => ({
      spec,
      from: known.find((each) => each.spec === spec)?.since ?? run.startedAt,
    }));
  }

  /** Nobody knows what a run has to be asked of which the definition was lost. */
  #isUnknown({ key, startedAt }: RunTruth): boolean {
    const desired = this.inForce.get(key.service);
    if (desired?.kind === 'defined' && desired.hash === key.hash) return false;
    const applied = this.appliedAt.get(`${key.service} ${key.hash}`) ?? startedAt;
    return Math.max(applied, startedAt) <= this.definitionsLostAt;
  }

  /** As far as its probes told any daemon. */
  isReady(run: RunTruth): boolean {
    if (this.#isUnknown(run)) return false;
    const { startup, readiness } = run.answers;
    // A startup probe that nobody remembers counts as passed.
    const isAdopted = run.daemon === NOBODY || run.startedAt <= this.diedAt;
    return this.#specsNow(run).some(
      ({ spec: { probes } }) =>
        (isAdopted || probes.startup === null || startup?.passed !== undefined) &&
        (probes.readiness === null || readiness?.passed !== undefined),
    );
  }

  /** A run of this definition that did not come up: the reason to give up a roll-out. */
  hasFailedToComeUp(service: ServiceName, now: number): boolean {
    const desired = this.inForce.get(service);
    if (desired?.kind !== 'defined') return false;
    const { timeout } = desired.spec.rollout;
    const ended = [...this.runs.values()].some(
      (run) =>
        run.key.service === service &&
        run.key.hash === desired.hash &&
        (run.end !== undefined ||
          run.unfit ||
          this.failures(run, 'startup').may ||
          this.failures(run, 'liveness').may ||
          this.clockForwardAt >= run.startedAt ||
          now - run.startedAt >= timeout - 60),
    );
    return (
      ended ||
      this.refusals.some(({ key }) => key.service === service && key.hash === desired.hash) ||
      this.unprepared.has(service)
    );
  }

  /** The number that was scaled to is dropped by the daemon itself once the file says something else. */
  followScale(name: ServiceName, kept: Intent): void {
    const { scale: _, ...rest } = this.intent(name);
    this.intents.set(name, kept.scale === undefined ? rest : { ...rest, scale: kept.scale });
  }

  /** Was it over before its stop began? When both happened at about the same time, nobody can tell. */
  endedBy({ stopAt, end, spec }: RunTruth): 'itself' | 'stop' | 'unsure' {
    if (stopAt === undefined) return 'itself';
    if (end === undefined || stopAt < end.at) return 'stop';
    if (!endsWithMain(spec, end.outcome)) return this.hinderedAt >= end.at ? 'unsure' : 'stop';
    return stopAt <= end.at + HEARSAY || this.hinderedAt >= end.at ? 'unsure' : 'itself';
  }

  /** Why a run may be stopped now, in the words of the lifecycle lines; none: it is to be left alone. */
  causes(run: RunTruth, duplicate: boolean, now: number): readonly string[] {
    const { service, slot, hash, generation } = run.key;
    const desired = this.inForce.get(service);
    const intent = this.intent(service);
    const causes: string[] = [];
    if (this.ending !== undefined) causes.push('shutdown');
    if (run.end !== undefined) causes.push('main_exited');
    if (duplicate) causes.push('duplicate');
    if (desired === undefined && this.mayGo.has(service)) causes.push('file_removed');
    if (intent.stopped !== undefined) causes.push('stop_requested');
    if (desired === undefined || desired.kind === 'broken') return causes;
    if (!desired.spec.enabled) causes.push('disabled');
    const scaled = intent.scale?.instances ?? desired.spec.instances;
    const most = desired.spec.process.schedule === null ? scaled : Math.min(1, scaled);
    if (slot >= most) causes.push('scaled_down');
    if (hash !== desired.hash || generation < (intent.minGeneration ?? 0)) {
      causes.push(`reload_retire_generation_${generation}`);
    } else if ((this.rolls(service) || this.#isAdded(run)) && this.hasFailedToComeUp(service, now)) {
      causes.push('rollout_failed');
    }
    if (this.failures(run, 'startup').may) causes.push('startup_failed');
    if (this.failures(run, 'liveness').may) causes.push('liveness_failed');
    const { schedule } = desired.spec.process;
    if (schedule !== null) {
      if (run.spec.process.schedule === null || this.#mayBeTakenForNoJob(run)) causes.push('schedule_added');
      const limits = [schedule.max_time_per_run, run.spec.process.schedule?.max_time_per_run ?? null];
      const known = limits.flatMap((limit) => limit ?? []);
      const most = known.length === 0 ? null : Math.min(...known);
      if (most !== null && now - run.startedAt >= most - 1000) causes.push('max_time_per_run');
      if (most !== null && this.clockForwardAt >= run.startedAt) causes.push('max_time_per_run');
      if (schedule.overlap === 'replace') causes.push('schedule_replaced');
    }
    return causes;
  }

  /** Its place came with its definition: none of those of which runs go on had so many. */
  #isAdded({ key: { service, slot } }: RunTruth): boolean {
    return [...this.runs.values()]
      .filter(({ key, end }) => key.service === service && end === undefined && !this.isCurrent(key))
      .every(({ key, spec }) => key.slot < slot && spec.instances <= slot);
  }

  /**
   * A daemon is about to follow this reading.
   */
  reload(reading: DesiredState, only: ReadonlySet<string> | undefined, seen: Seen, now: number): void {
    const next = new Map<ServiceName, Desired>();
    for (const [name, desired] of only === undefined ? [] : this.inForce) {
      if (!only?.has(name)) next.set(name, desired);
    }
    for (const [name, desired] of reading.services) {
      if (only?.has(name) ?? true) next.set(name, unlessBroken(this.inForce.get(name), desired));
    }
    for (const [name, desired] of next) this.#enters(name, desired, now);
    for (const name of this.inForce.keys()) if (!next.has(name)) this.lift(name, now);
    this.inForce = next;
    this.#reading = reading;
    this.judgeRemovals(seen);
  }

  /** Its daemon forgets it, and what is left of its intent is `kept`: that it was stopped must be, by then or later. */
  forget(name: ServiceName, kept: Intent): void {
    const { stopped } = this.intent(name);
    this.intents.set(name, stopped === undefined ? kept : { ...kept, stopped });
  }

  /** Somebody has confirmed that all are gone of which no file is there: what was asked of them counts no more. */
  confirm(): void {
    for (const [name, { stopped: _, ...intent }] of this.intents) {
      if (!this.inForce.has(name)) this.intents.set(name, intent);
    }
  }

  lift(name: ServiceName, now: number): void {
    this.liftedAt.set(name, now);
  }

  /** The daemon notes the definition in force as the one that the service's runs of its hash have. */
  applies(service: ServiceName, now: number): void {
    const desired = this.inForce.get(service);
    if (desired?.kind !== 'defined') return;
    // A daemon may begin in the very millisecond in which the one before it died: what it notes is not lost with that.
    this.appliedAt.set(`${service} ${desired.hash}`, Math.max(now, this.diedAt + A_MOMENT));
  }

  /**
   * What a run may be stopped with now: the definition in force where that still says the same, otherwise what was
   * noted last about it. `sure`: nothing else will do, whatever was lost.
   */
  settingsOf({ key, startedAt }: RunTruth): {
    readonly specs: readonly ServiceSpec[];
    readonly sure: boolean;
  } {
    const { service, hash } = key;
    const desired = this.inForce.get(service);
    if (desired?.kind === 'defined' && desired.hash === hash) return { specs: [desired.spec], sure: true };
    const known = this.definitions.get(`${service} ${hash}`) ?? [];
    const applied = this.appliedAt.get(`${service} ${hash}`) ?? startedAt;
    // What was noted last may have died with its daemon; what the run was started with was on disk before.
    const from = applied > this.diedAt ? applied : startedAt;
    const specs = known
      .filter((_, index) => (known[index + 1]?.since ?? Number.POSITIVE_INFINITY) >= from)
      .map(({ spec }) => spec);
    return { specs, sure: false };
  }

  /** The runs of one place, oldest first. */
  runsOf(service: ServiceName, slot: number): readonly RunTruth[] {
    return [...this.runs.values()].filter((run) => run.key.service === service && run.key.slot === slot);
  }

  /** That its definition had got a schedule could not be written down before its daemon died. */
  #mayBeTakenForNoJob({ key, startedAt }: RunTruth): boolean {
    const known = this.definitions.get(`${key.service} ${key.hash}`) ?? [];
    const before = known.findLastIndex((each) => each.spec.process.schedule === null);
    const { since = Number.POSITIVE_INFINITY } = known[before + 1] ?? {};
    return before >= 0 && this.writeFailedAt >= since && this.diedAt >= startedAt;
  }

  #enters(name: ServiceName, desired: Desired, now: number): void {
    if (this.mayGo.delete(name)) this.cameBack.add(name);
    this.heldBack.delete(name);
    // What was stopped is still, when its file was away for less than a day; no history goes on for that long.
    const { goneAt: _, ...intent } = this.intent(name);
    if (this.intents.has(name)) this.intents.set(name, intent);
    const before = this.inForce.get(name);
    if (desired.kind !== 'defined') return;
    if (before?.kind !== 'defined' || before.digest !== desired.digest) this.lift(name, now);
    const known = this.definitions.get(`${name} ${desired.hash}`) ?? [];
    if (known.at(-1)?.spec === desired.spec) return;
    this.definitions.set(`${name} ${desired.hash}`, [...known, { spec: desired.spec, since: now }]);
  }

  /** Says `may go` only where there is no doubt about it that the guard has nothing against it. */
  judgeRemovals(seen: Seen): void {
    const gone = [...seen.known].filter((name) => !this.inForce.has(name) && !this.mayGo.has(name));
    if (gone.length === 0 || !this.#reading.readable || this.#reading.files === 0) return;
    const removed = gone.filter((name) => seen.running.has(name)).length;
    const wanted = [...this.inForce.keys()].filter((name) => seen.blind || seen.running.has(name)).length;
    const allowed = Math.max(1, Math.floor(((removed + wanted) * MAX_PERCENT) / 100));
    if (removed > allowed) return;
    for (const name of gone) if (!this.heldBack.has(name)) this.mayGo.add(name);
  }
}

function unlessBroken(before: Desired | undefined, now: Desired): Desired {
  const isBroken = now.kind === 'broken' || now.problems.length > 0;
  return isBroken && before?.kind === 'defined' ? before : now;
}

/** How it ended decides for good: it is not run again by itself. */
export function runsOnce({ process, restart_policy }: ServiceSpec): boolean {
  return process.schedule === null && (process.type === 'oneshot' || restart_policy.policy === 'never');
}

/** Whether a run is over when its main process has ended so, whatever else of it still lives. */
export function endsWithMain({ process: { exit_on } }: ServiceSpec, outcome: Outcome): boolean {
  return exit_on === 'main' || (exit_on === 'auto' && isFailure(outcome));
}

export function isFailure(outcome: Outcome): boolean {
  return outcome.kind === 'signaled' || (outcome.kind === 'exited' && outcome.code !== 0);
}

/** That its memory did not suffice is seen by a daemon too that is not its parent. */
function isOom(outcome: Outcome): boolean {
  return outcome.kind === 'signaled' && outcome.oom;
}

/** Between an end and the daemon's hearing of it. Milliseconds. */
const HEARSAY = 500;

/** Less than the clock can tell. Milliseconds. */
const A_MOMENT = 0.5;

export interface Seen {
  readonly known: ReadonlySet<ServiceName>;
  readonly running: ReadonlySet<ServiceName>;
  /** The daemon may count services as running that do not. */
  readonly blind: boolean;
}

/** `prune.max_percent` in every simulation. */
export const MAX_PERCENT = 30;
