/** Runs of an older definition still serve: has the newer one failed to take over, and which of them go next? */
import type { Exit, Memory, Rejection } from '../model/memory.ts';
import { NO_RUN, NO_SLOT } from '../model/memory.ts';
import type { ObservedRun } from '../model/observed.ts';
import type { Defined, ServiceSpec } from '../model/spec.ts';
import { describeExit } from '../policy/restart.ts';
import { mayRetire, PROOF_OF_LIFE } from '../policy/rollout.ts';
import { probesOf } from './health.ts';
import type { JudgedRun } from './judgement.ts';
import { specOf } from './notice-exits.ts';
import type { Situation } from './situation.ts';

/** `roll`: the newer run comes before the older one goes. `stop_first`: two at a time cannot be. */
export function wayOfReplacing(
  outdated: readonly ObservedRun[],
  desired: Defined,
  situation: Situation,
): 'roll' | 'stop_first' {
  const { rollout, process, watch } = desired.spec;
  // While one develops, the old run is of no use to anybody, and mostly in the way of the new one.
  if (rollout.surge === 0 || watch !== null) return 'stop_first';
  if (process.schedule !== null || process.type === 'oneshot') return 'stop_first';
  const typed = outdated.every(({ key }) => {
    const before: ServiceSpec | undefined = situation.applied.get(key.hash);
    return before === undefined || before.process.type === process.type;
  });
  return typed ? 'roll' : 'stop_first';
}

/** The rejection that is in force: an older one that still counts, or one that is due now. */
export function rejectionOf(
  runs: readonly JudgedRun[],
  memory: Memory,
  { desired, count }: { readonly desired: Defined; readonly count: number },
  generation: number,
  situation: Situation,
  way: 'roll' | 'stop_first',
): Rejection | null {
  const pardon = situation.intent.pardon ?? 0;
  const { rejected } = memory;
  const holds =
    rejected !== null &&
    rejected.generation === generation &&
    rejected.digest === desired.digest &&
    rejected.pardon === pardon;
  if (holds) return rejected;
  const outdated = runs.filter((run) => run.fate === 'outdated' && run.life === 'alive');
  if (outdated.length === 0) return null;
  const failed =
    way === 'roll'
      ? firstOf(outdated, (older) => failureBeside(older, runs, memory, desired, generation, situation.now))
      : (firstOf(
          runs.filter(({ run, fate, life }) => {
            return life === 'alive' && fate === 'keep' && run.key.generation === generation;
          }),
          // Whoever has served was in time, and is waited for.
          (fresh) =>
            memory.runs[fresh.run.key.id]?.everReady === true
              ? unfitness(fresh)
              : failureOf(fresh, memory, desired, situation.now),
        ) ?? failureAdded(placesFrom(placesOf(outdated, situation), count), memory, generation));
  return failed === undefined
    ? null
    : { generation, digest: desired.digest, pardon, at: situation.now, ...failed };
}

/**
 * How many places are left to what ran before, because the newer definition was rejected: as many as the definitions had
 * of which runs go on. The places above came with the rejected one.
 * @returns undefined: nothing was rejected, its failure is accepted, or nothing of what ran before is left
 */
export function placesKept(
  runs: readonly JudgedRun[],
  rejected: Rejection | null,
  desired: Defined,
  situation: Situation,
): number | undefined {
  if (rejected === null || desired.spec.rollout.on_failure !== 'keep_old') return undefined;
  const older = runs.filter(({ fate, life }) => fate === 'outdated' && life === 'alive');
  if (older.length === 0) return undefined;
  // Whoever scales now adds places that only the rejected definition could fill.
  const { scale } = situation.intent;
  const scaled = scale !== undefined && scale.at <= rejected.at ? scale.instances : 0;
  return Math.max(scaled, placesOf(older, situation));
}

/** How many places the definitions of these runs had; of one that is lost, nobody knows which came later. */
function placesOf(older: readonly JudgedRun[], situation: Situation): number {
  const had = older.map(({ run: { key } }) => {
    const spec = specOf(situation, key.hash);
    return Math.max(key.slot + 1, spec?.instances ?? Number.POSITIVE_INFINITY);
  });
  return Math.max(...had);
}

function placesFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: Math.max(0, count - first) }, (_, at) => first + at);
}

function firstOf<Item, Answer>(
  items: readonly Item[],
  ask: (item: Item) => Answer | undefined,
): Answer | undefined {
  for (const item of items) {
    const answer = ask(item);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** The run of the new definition in the place of an older one. */
export function successorIn(slot: number, runs: readonly JudgedRun[]): JudgedRun | undefined {
  return runs.find((run) => run.run.key.slot === slot && run.life === 'alive' && run.fate === 'keep');
}

/** A change was taken back: the run was there before the other one, which was started to replace it. */
export function wasBefore({ run }: JudgedRun, { run: other }: JudgedRun): boolean {
  return run.key.generation < other.key.generation;
}

/** What an earlier daemon knew about its probes counts no more, and they have not said enough to this one. */
export function isOpen(successor: JudgedRun, { runs }: Memory): boolean {
  const probes = probesOf(successor, runs[successor.run.key.id] ?? NO_RUN);
  const isUndecided = (kind: 'startup' | 'readiness'): boolean => {
    const probe = probes[kind];
    return (
      probe !== undefined &&
      probe.memory.passed === null &&
      probe.memory.failures < probe.spec.failure_threshold
    );
  };
  return successor.run.adopted && (isUndecided('startup') || isUndecided('readiness'));
}

/** What the probes have against a run of the new definition, however much time it has. */
function unfitness({ run, health }: JudgedRun): Pick<Rejection, 'reason' | 'run'> | undefined {
  const isUnfit = health?.started === 'failed' || health?.live === 'dead';
  return isUnfit ? { reason: health.because, run: run.key.id } : undefined;
}

/** Why a run of the new definition will not do. */
function failureOf(
  successor: JudgedRun,
  memory: Memory,
  desired: Defined,
  now: number,
): Pick<Rejection, 'reason' | 'run'> | undefined {
  const { key, startedAt } = successor.run;
  const unfit = unfitness(successor);
  if (unfit !== undefined) return unfit;
  const because = successor.health?.because ?? '';
  const readySince = memory.runs[key.id]?.readySince ?? null;
  const answer = mayRetire({ startedAt, readySince, because }, desired.spec.rollout, now);
  if (answer.say !== 'failed' || isOpen(successor, memory)) return undefined;
  return { reason: answer.reason, run: key.id };
}

function failureBeside(
  older: JudgedRun,
  runs: readonly JudgedRun[],
  memory: Memory,
  desired: Defined,
  generation: number,
  now: number,
): Pick<Rejection, 'reason' | 'run'> | undefined {
  const { slot } = older.run.key;
  const successor = successorIn(slot, runs);
  if (successor !== undefined) {
    return wasBefore(successor, older) ? undefined : failureOf(successor, memory, desired, now);
  }
  return failureIn(slot, memory, generation);
}

/** In places that came with the newer definition: nothing had to be stopped for what was tried there. */
function failureAdded(
  places: readonly number[],
  memory: Memory,
  generation: number,
): Pick<Rejection, 'reason' | 'run'> | undefined {
  return firstOf(places, (slot) => {
    const { exits, end } = memory.slots[slot] ?? NO_SLOT;
    // A one-shot may be done with its work; who has served is waited for, as where an older one was stopped first.
    if (end?.kind === 'completed' || hasServed(exits[0], memory)) return undefined;
    return failureIn(slot, memory, generation);
  });
}

/** It was ready, for as long as whoever has no probes has to live to count as that. */
function hasServed(exit: Exit | undefined, { runs }: Memory): boolean {
  if (exit === undefined || exit.run === null || exit.uptime < PROOF_OF_LIFE) return false;
  // Of one that ended before this look, it was asked when it did.
  return runs[exit.run]?.everReady ?? true;
}

/** Only a run of this generation that ended, or could not be started, leaves a wait or an end in the place. */
function failureIn(
  slot: number,
  memory: Memory,
  generation: number,
): Pick<Rejection, 'reason' | 'run'> | undefined {
  const remembered = memory.slots[slot] ?? NO_SLOT;
  if (remembered.generation !== generation) return undefined;
  if (remembered.next === null && remembered.end === null) return undefined;
  const [exit] = remembered.exits;
  // The host was short of something: that says nothing about the definition.
  if (remembered.end === null && exit?.outcome.kind === 'not_started' && exit.outcome.problem.passing)
    return undefined;
  const reason = remembered.end?.reason ?? (exit === undefined ? 'it ended' : describeExit(exit));
  return { reason, run: exit?.run ?? null };
}
