/** What differs between what is wanted and what is? `diff` describes the answer, the loop acts on it. */
import { isSettled, type Memory, NO_SLOT, type SlotEnd, type SlotMemory } from '../model/memory.ts';
import { isSame } from '../model/same.ts';
import type { Defined, ServiceSpec } from '../model/spec.ts';
import { generationOf, isCurrent } from '../policy/generation.ts';
import type { Health } from '../policy/probe.ts';
import { mayStart, pardoned, pauseAfterEnd } from '../policy/restart.ts';
import { overtime, stillDue } from '../policy/schedule.ts';
import { examine } from './health.ts';
import type { JudgedRun, Judgement, Vacancy } from './judgement.ts';
import { type LivingRun, noticeExits } from './notice-exits.ts';
import { placesKept, rejectionOf, wasBefore, wayOfReplacing } from './replace.ts';
import type { Notice, Situation } from './situation.ts';
import { type Wanted, wantedOf } from './wanted.ts';

export function judge(situation: Situation): Judgement {
  const runs = situation.observed.kind === 'seen' ? situation.observed.runs : [];
  const noticed = noticeExits(situation, runs);
  const wanted = wantedOf(situation);
  const examined = examine(noticed.living, noticed.memory.runs, situation.now, situation.intent.reloads ?? 0);
  const healthy = noticed.living.map((one) => ({ health: examined.health.get(one.run.key.id), ...one }));
  const remembered: Memory = {
    ...noticed.memory,
    // Its launcher may have come into its place since the schedule was asked.
    due: stillDue(noticed.memory.due, runs),
    runs: examined.runs,
    slots: unprepared(pardonAll(noticed.memory.slots, situation, wanted), situation, wanted),
  };
  if (wanted.kind !== 'run') {
    const judged = (one: (typeof healthy)[number]): JudgedRun =>
      wanted.kind === 'none'
        ? { fate: 'surplus', reason: wanted.stopReason, ...one }
        : { fate: 'keep', ...one };
    return {
      wanted,
      runs: healthy.map(judged),
      vacancies: [],
      generation: noticed.memory.generation,
      way: 'stop_first',
      rejected: null,
      live: false,
      memory: remembered,
      notices: foretold(noticed.notices, () => false),
    };
  }
  const { desired, count } = wanted;
  const generation = generationOf(desired.hash, noticed.memory, runs, situation.intent);
  const outdated = runs.filter((run) => !isCurrent(run, desired.hash, situation.intent));
  const way = wayOfReplacing(outdated, desired, situation);
  const placed = judgeRuns(healthy, { ...situation, memory: remembered }, { desired, count, way });
  const rejected = rejectionOf(placed, remembered, { desired, count }, generation, situation, way);
  const kept = placesKept(placed, rejected, desired, situation);
  const memory = { ...remembered, generation, generationHash: desired.hash, rejected };
  const judged = placed.map((one) => unfit(one, placed, kept, { ...situation, memory }));
  return {
    wanted,
    runs: judged,
    vacancies: vacanciesOf(judged, memory, desired, { count, kept }, situation.now),
    generation,
    way,
    rejected,
    live: isApplied(judged, situation, desired) && isLiveStale(situation, desired),
    memory,
    notices: foretold(
      noticed.notices,
      (slot) =>
        slot < Math.min(count, kept ?? count) &&
        desired.spec.process.schedule === null &&
        (rejected === null || !judged.some((run) => run.run.key.slot === slot && run.fate === 'outdated')) &&
        mayStart(memory.slots[slot] ?? NO_SLOT, situation.now).say !== 'no',
    ),
  };
}

/**
 * A run that is where it should be is ended all the same when it is not well, or when its time is over.
 * @param kept see {@link placesKept}
 */
function unfit(
  judged: JudgedRun,
  runs: readonly JudgedRun[],
  kept: number | undefined,
  { desired, memory, now }: Situation,
): JudgedRun {
  if (judged.fate === 'surplus' || judged.life !== 'alive' || desired?.kind !== 'defined') return judged;
  const { health, run, spec } = judged;
  const surplus = (reason: string): JudgedRun => ({ ...judged, fate: 'surplus', reason });
  const replaces = runs.some(
    (other) =>
      other.fate === 'outdated' &&
      other.life === 'alive' &&
      other.run.key.slot === run.key.slot &&
      !wasBefore(judged, other),
  );
  // Whoever was ready has come up in time, and serves.
  const adds = run.key.slot >= (kept ?? 0) && memory.runs[run.key.id]?.everReady !== true;
  if (kept !== undefined && judged.fate === 'keep' && (replaces || adds)) return surplus('rollout_failed');
  if (health?.started === 'failed') return surplus('startup_failed');
  if (health?.live === 'dead') return surplus('liveness_failed');
  const schedule = desired.spec.process.schedule;
  if (schedule === null || judged.fate !== 'keep') return judged;
  const max = spec?.process.schedule?.max_time_per_run ?? schedule.max_time_per_run;
  if (overtime(run.startedAt, now, max).say === 'over') return surplus('max_time_per_run');
  if (schedule.overlap === 'replace' && (memory.job?.queued ?? null) !== null) {
    return surplus('schedule_replaced');
  }
  return judged;
}

function judgeRuns(
  living: readonly (LivingRun & { readonly health: Health | undefined })[],
  situation: Situation,
  { desired, count, way }: { desired: Defined; count: number; way: Judgement['way'] },
): readonly JudgedRun[] {
  const current = (one: LivingRun) => isCurrent(one.run, desired.hash, situation.intent);
  // While one rolls, a place has room for a run of the newest definition and one of an older.
  const place = (one: LivingRun) => `${one.run.key.slot}${way === 'roll' && !current(one) ? ' older' : ''}`;
  // Of two older ones the one that has served for longest goes on: the other one was on its way to replace it.
  const serving = (one: LivingRun): number => {
    const { stop = null, readySince = null } = situation.memory.runs[one.run.key.id] ?? {};
    const isStopping = stop !== null && stop.step !== 'due';
    return isStopping ? Number.POSITIVE_INFINITY : (readySince ?? Number.MAX_VALUE);
  };
  const taken = new Map<string, LivingRun>();
  // Newest first: should two runs fill one place, the newest current one keeps it.
  const byAge = [...living].sort(newestFirst);
  for (const one of byAge) {
    if (one.life !== 'alive' || one.run.key.slot >= count) continue;
    const holder = taken.get(place(one));
    const better = holder !== undefined && current(one) && !current(holder);
    const serves = holder !== undefined && way === 'roll' && !current(one) && serving(one) <= serving(holder);
    if (holder === undefined || better || serves) taken.set(place(one), one);
  }
  return living.map((one): JudgedRun => {
    if (one.life === 'leftovers') return { fate: 'surplus', reason: 'main_exited', ...one };
    if (one.life !== 'alive') return { fate: 'keep', ...one };
    if (one.run.key.slot >= count) return { fate: 'surplus', reason: 'scaled_down', ...one };
    if (taken.get(place(one)) !== one) return { fate: 'surplus', reason: 'duplicate', ...one };
    // A stop that has begun is carried through: the process may have shut half of itself down already.
    const stopping = situation.memory.runs[one.run.key.id]?.stop ?? null;
    if (stopping !== null && stopping.step !== 'due')
      return { fate: 'surplus', reason: stopping.reason, ...one };
    // A job that runs is never replaced for a newer definition: the next run has it.
    const before = situation.applied.get(one.run.key.hash) ?? one.spec;
    const isJob = before === undefined || before.process.schedule !== null;
    // It was started to run all the time, and would keep every time of the schedule waiting.
    if (!isJob && desired.spec.process.schedule !== null) {
      return { fate: 'surplus', reason: 'schedule_added', ...one };
    }
    if (current(one) || (isJob && desired.spec.process.schedule !== null)) return { fate: 'keep', ...one };
    return { fate: 'outdated', ...one };
  });
}

/** By generation first: an id begins with a time, and the clock may have been set back between two starts. */
function newestFirst({ run: { key: a } }: LivingRun, { run: { key: b } }: LivingRun): number {
  return b.generation - a.generation || (a.id < b.id ? 1 : -1);
}

function vacanciesOf(
  runs: readonly JudgedRun[],
  memory: Memory,
  desired: Defined,
  { count, kept }: { readonly count: number; readonly kept: number | undefined },
  now: number,
): readonly Vacancy[] {
  const filled = new Set<number>();
  for (const { run, life } of runs) {
    if (life === 'alive' || life === 'leftovers') filled.add(run.key.slot);
  }
  const vacancies: Vacancy[] = [];
  for (let slot = 0; slot < count; slot++) {
    if (filled.has(slot)) continue;
    const remembered = memory.slots[slot] ?? NO_SLOT;
    const job = desired.spec.process.schedule !== null;
    const answer: Vacancy['answer'] = !job
      ? mayStart(remembered, now)
      : memory.due === null
        ? { say: 'scheduled' }
        : { say: 'now' };
    const ofRejected =
      kept === undefined ? undefined : answerOfRejected(slot, remembered, kept, desired, answer, now);
    vacancies.push({ slot, memory: remembered, answer: ofRejected ?? answer });
  }
  return vacancies;
}

/** What ran in the place cannot be had again (its secrets are not kept): only what was rejected could be started. */
function answerOfRejected(
  slot: number,
  memory: SlotMemory,
  kept: number,
  desired: Defined,
  answer: Vacancy['answer'],
  now: number,
): Vacancy['answer'] | undefined {
  const isOver = answer.say === 'no' && answer.retryAt === null;
  if (slot >= kept) return isOver ? undefined : { say: 'withheld' };
  const until = pauseAfterEnd(memory, desired.spec.restart_policy, now);
  return answer.say === 'now' && until !== undefined ? { say: 'rejected', until } : undefined;
}

/** A failure is forgiven by any edit, also while nothing is wanted; a completion only when something is to run. */
function pardonAll(slots: Memory['slots'], { desired, intent }: Situation, wanted: Wanted): Memory['slots'] {
  if (desired?.kind !== 'defined') return slots;
  const { spec, digest } = desired;
  return Object.fromEntries(
    Object.entries(slots).map(([slot, remembered]) => {
      const { end } = remembered;
      const keeps = wanted.kind !== 'run' && isSettled(end);
      const hash = end === null || mayEndSo(end, spec) ? desired.hash : 'no such end';
      return [slot, keeps ? remembered : pardoned(remembered, hash, digest, intent.pardon ?? 0)];
    }),
  );
}

/** What is always restarted is never complete, and a service that is restarted at all not for ever in doubt. */
function mayEndSo({ kind }: SlotEnd, { process, restart_policy: { policy } }: ServiceSpec): boolean {
  return process.type === 'oneshot' || (kind === 'completed' ? policy !== 'always' : policy === 'never');
}

/** A place is prepared for one start, and anew when it was not wanted meanwhile. */
function unprepared(
  slots: Memory['slots'],
  { memory, observed }: Situation,
  wanted: Wanted,
): Memory['slots'] {
  // A daemon that died right after a start had not written down that it used what was prepared.
  const unnoted = (observed.kind === 'seen' ? observed.runs : []).filter(
    ({ key }) => memory.runs[key.id] === undefined,
  );
  return Object.fromEntries(
    Object.entries(slots).map(([slot, remembered]) => {
      const isWanted = wanted.kind === 'run' && Number(slot) < wanted.count;
      const { preStart } = remembered;
      const isUsed =
        preStart?.state === 'passed' &&
        unnoted.some(({ key }) => key.slot === Number(slot) && key.generation === preStart.generation);
      const stale = preStart !== null && (isUsed || !isWanted);
      return [slot, stale ? { ...remembered, preStart: null } : remembered];
    }),
  );
}

/** Each end is told with what follows from it: nothing where nothing is wanted any more. */
function foretold(notices: readonly Notice[], respawns: (slot: number) => boolean): readonly Notice[] {
  return notices.map((notice) =>
    notice.notice === 'exited' ? { ...notice, respawn: respawns(notice.run.slot) } : notice,
  );
}

/** Something of it is in force: a run, or a schedule that was followed before. */
function isApplied(runs: readonly JudgedRun[], { applied }: Situation, desired: Defined): boolean {
  // A job of an older definition runs by that to its end.
  const isKept = ({ fate, life, run }: JudgedRun) =>
    fate === 'keep' && life === 'alive' && run.key.hash === desired.hash;
  if (runs.some(isKept)) return true;
  return desired.spec.process.schedule !== null && applied.has(desired.hash);
}

function isLiveStale(situation: Situation, desired: Defined): boolean {
  const applied = situation.applied.get(desired.hash);
  return !isSame(applied, desired.spec);
}
