/** What differs between what is wanted and what is? `diff` describes the answer, the loop acts on it. */
import { type Memory, NO_SLOT, type SlotMemory } from '../model/memory.ts';
import { isSame } from '../model/same.ts';
import type { Defined } from '../model/spec.ts';
import { generationOf, isCurrent } from '../policy/generation.ts';
import { mayStart, pardoned, type StartAnswer } from '../policy/restart.ts';
import { type LivingRun, noticeExits } from './notice-exits.ts';
import type { Notice, Situation } from './situation.ts';
import { type Wanted, wantedOf } from './wanted.ts';

export type Fate =
  | { readonly fate: 'keep' }
  /** Its place is wanted, but with a newer definition: it is replaced when its turn comes. */
  | { readonly fate: 'outdated' }
  /** Nobody wants it: it is stopped now. */
  | { readonly fate: 'surplus'; readonly reason: string };

export type JudgedRun = LivingRun & Fate;

/** One wanted place without a run. */
export interface Vacancy {
  readonly slot: number;
  readonly answer: StartAnswer;
  readonly memory: SlotMemory;
}

export interface Judgement {
  readonly wanted: Wanted;
  readonly runs: readonly JudgedRun[];
  readonly vacancies: readonly Vacancy[];
  readonly generation: number;
  /** Live fields differ from what was applied last. */
  readonly live: boolean;
  readonly memory: Memory;
  readonly notices: readonly Notice[];
}

export function judge(situation: Situation): Judgement {
  const runs = situation.observed.kind === 'seen' ? situation.observed.runs : [];
  const noticed = noticeExits(situation, runs);
  const wanted = wantedOf(situation);
  const remembered = { ...noticed.memory, slots: pardonAll(noticed.memory.slots, situation, wanted) };
  if (wanted.kind !== 'run') {
    const fate: Fate =
      wanted.kind === 'none' ? { fate: 'surplus', reason: wanted.stopReason } : { fate: 'keep' };
    return {
      wanted,
      runs: noticed.living.map((living) => ({ ...living, ...fate })),
      vacancies: [],
      generation: noticed.memory.generation,
      live: false,
      memory: remembered,
      notices: foretold(noticed.notices, () => false),
    };
  }
  const { desired, count } = wanted;
  const generation = generationOf(desired.hash, noticed.memory, runs, situation.intent);
  const judged = judgeRuns(noticed.living, { ...situation, memory: noticed.memory }, desired, count);
  const memory = { ...remembered, generation, generationHash: desired.hash };
  return {
    wanted,
    runs: judged,
    vacancies: vacanciesOf(judged, memory, count, situation.now),
    generation,
    live:
      judged.some((run) => run.fate === 'keep' && run.life === 'alive') && isLiveStale(situation, desired),
    memory,
    notices: foretold(
      noticed.notices,
      (slot) => slot < count && mayStart(memory.slots[slot] ?? NO_SLOT, situation.now).say !== 'no',
    ),
  };
}

function judgeRuns(
  living: readonly LivingRun[],
  situation: Situation,
  desired: Defined,
  count: number,
): readonly JudgedRun[] {
  const taken = new Map<number, LivingRun>();
  // Newest first: should two runs fill one place, the newest current one keeps it.
  const byAge = [...living].sort((a, b) => (a.run.key.id < b.run.key.id ? 1 : -1));
  for (const one of byAge) {
    const current = isCurrent(one.run, desired.hash, situation.intent);
    if (one.life !== 'alive' || one.run.key.slot >= count) continue;
    const holder = taken.get(one.run.key.slot);
    const better = current && holder !== undefined && !isCurrent(holder.run, desired.hash, situation.intent);
    if (holder === undefined || better) taken.set(one.run.key.slot, one);
  }
  return living.map((one): JudgedRun => {
    if (one.life === 'leftovers') return { ...one, fate: 'surplus', reason: 'main_exited' };
    if (one.life !== 'alive') return { ...one, fate: 'keep' };
    if (one.run.key.slot >= count) return { ...one, fate: 'surplus', reason: 'scaled_down' };
    if (taken.get(one.run.key.slot) !== one) return { ...one, fate: 'surplus', reason: 'duplicate' };
    // A stop that has begun is carried through: the process may have shut half of itself down already.
    const stopping = situation.memory.runs[one.run.key.id]?.stop ?? null;
    if (stopping !== null && stopping.step !== 'due')
      return { ...one, fate: 'surplus', reason: stopping.reason };
    if (isCurrent(one.run, desired.hash, situation.intent)) return { ...one, fate: 'keep' };
    return { ...one, fate: 'outdated' };
  });
}

function vacanciesOf(
  runs: readonly JudgedRun[],
  memory: Memory,
  count: number,
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
    vacancies.push({ slot, memory: remembered, answer: mayStart(remembered, now) });
  }
  return vacancies;
}

/** A failure is forgiven by any edit, also while nothing is wanted; a completion only when something is to run. */
function pardonAll(slots: Memory['slots'], { desired, intent }: Situation, wanted: Wanted): Memory['slots'] {
  if (desired?.kind !== 'defined') return slots;
  const { spec, digest } = desired;
  // What is always restarted is never complete, whatever the policy said when it ended.
  const completes = spec.process.type === 'oneshot' || spec.restart_policy.policy !== 'always';
  const hash = completes ? desired.hash : 'no completion';
  return Object.fromEntries(
    Object.entries(slots).map(([slot, remembered]) => {
      const keeps = wanted.kind !== 'run' && remembered.end?.kind === 'completed';
      return [slot, keeps ? remembered : pardoned(remembered, hash, digest, intent.pardon ?? 0)];
    }),
  );
}

/** Each end is told with what follows from it: nothing where nothing is wanted any more. */
function foretold(notices: readonly Notice[], respawns: (slot: number) => boolean): readonly Notice[] {
  return notices.map((notice) =>
    notice.notice === 'exited' ? { ...notice, respawn: respawns(notice.run.slot) } : notice,
  );
}

function isLiveStale(situation: Situation, desired: Defined): boolean {
  const applied = situation.applied.get(desired.hash);
  return !isSame(applied, desired.spec);
}
