/** Runs of an older definition serve: which of them is replaced now? */
import { mayStart } from '../policy/restart.ts';
import { mayRetire, provenAt } from '../policy/rollout.ts';
import type { Draft } from './draft.ts';
import { awayOf, begin, hindranceOf, isPrepared, startReason } from './filling.ts';
import type { JudgedRun, Judgement, Vacancy } from './judgement.ts';
import { successorIn, wasBefore } from './replace.ts';
import type { Dependency, Hindrance, Situation, SlotPhase } from './situation.ts';
import { isToStop, stop } from './stopping.ts';

export function replaceNext(draft: Draft, situation: Situation, judgement: Judgement): void {
  const outdated = judgement.runs
    .filter((run) => run.fate === 'outdated' && run.life === 'alive')
    .sort((a, b) => a.run.key.slot - b.run.key.slot);
  if (outdated.length === 0) return;
  // What it depends on takes its own new definition first, and what is away comes back first.
  const waits = situation.dependencies.some(({ state }) => state !== 'met');
  if (judgement.way === 'roll') roll(draft, situation, judgement, outdated, waits);
  else oneAtATime(draft, situation, judgement, outdated, waits);
}

/** New first: a successor beside each run, at most `surge` more than wanted, and the older one goes when it is ready. */
function roll(
  draft: Draft,
  situation: Situation,
  judgement: Judgement,
  outdated: readonly JudgedRun[],
  waits: boolean,
): void {
  const { wanted, rejected, generation } = judgement;
  if (wanted.kind !== 'run') return;
  const { rollout } = wanted.desired.spec;
  const living = judgement.runs.filter(({ life }) => life === 'alive' || life === 'leftovers').length;
  // An empty place is filled before one is filled twice.
  let room = wanted.count + rollout.surge - living - judgement.vacancies.length;
  for (const older of outdated) {
    const { slot } = older.run.key;
    const successor = successorIn(slot, judgement.runs);
    // Whoever cannot be seen may be gone.
    const isSeen = successor !== undefined && successor.run.members.is !== 'unseen';
    const isTakenBack = isSeen && wasBefore(successor, older);
    if (isTakenBack || (rejected !== null && rollout.on_failure === 'replace')) {
      stop(draft, situation, older);
      continue;
    }
    if (successor !== undefined) {
      const { key, startedAt } = successor.run;
      const { readySince } = draft.run(key.id);
      const because = successor.health?.because ?? '';
      const answer = mayRetire({ startedAt, readySince, because }, rollout, situation.now);
      if (answer.say === 'now' && isSeen) {
        stop(draft, situation, older);
        continue;
      }
      if (answer.say === 'wait') draft.wake(answer.until);
    } else if (rejected === null && room > 0 && !waits && !isCrowded(draft, judgement, slot)) {
      room -= 1;
      const turn = mayStart(draft.slot(slot), situation.now);
      if (turn.say === 'wait') draft.wake(turn.until);
      else if (situation.portHeld === undefined && isPrepared(draft, situation, judgement, slot)) {
        begin(draft, situation, judgement, slot, startReason(draft.slot(slot), generation));
      }
    }
    // Once its successor is there, nothing else is waited for.
    const heldBack = successor === undefined ? heldBackBy(situation) : undefined;
    draft.say(outlived(older, draft, heldBack, rejected?.reason ?? null));
  }
}

/** A second run in the place is to go, and has not been told to: it waits for those that rely on it. */
function isCrowded(draft: Draft, judgement: Judgement, slot: number): boolean {
  return judgement.runs.some((other) => {
    if (other.run.key.slot !== slot || !isToStop(other)) return false;
    const { stop: progress } = draft.run(other.run.key.id);
    return progress === null || progress.step === 'due';
  });
}

/**
 * Where two cannot run side by side: as long as another place of the service is on its way down or up, a run that
 * still serves is left in peace.
 */
function oneAtATime(
  draft: Draft,
  situation: Situation,
  judgement: Judgement,
  outdated: readonly JudgedRun[],
  waits: boolean,
): void {
  const [turn] = outdated;
  const { rejected, wanted } = judgement;
  const rollout = wanted.kind === 'run' ? wanted.desired.spec.rollout : undefined;
  const acceptsFailure = rollout?.on_failure === 'replace';
  const isDone = ({ memory: { end } }: Vacancy): boolean =>
    end?.kind === 'completed' || (acceptsFailure && end?.kind === 'failed');
  const busy =
    waits ||
    situation.portKept !== undefined ||
    judgement.runs.some(isToStop) ||
    judgement.vacancies.some((vacancy) => !isDone(vacancy));
  const fresh = judgement.runs.filter(
    ({ life, fate, run }) =>
      life === 'alive' && fate === 'keep' && run.key.generation === judgement.generation,
  );
  const unready = fresh.some(({ run }) => draft.run(run.key.id).readySince === null);
  const proofs = fresh.flatMap(({ run: { key, startedAt } }) => {
    const { readySince } = draft.run(key.id);
    // What is not ready is waited for by itself; where it is not, nothing counts but that it lives.
    const [since, readyFor] = readySince === null ? [startedAt, 0] : [readySince, rollout?.min_ready ?? 0];
    return provenAt({ startedAt, readySince: since }, readyFor, situation.now) ?? [];
  });
  const unproven = proofs.length > 0;
  if (unproven && !busy) draft.wake(Math.max(...proofs));
  for (const { run } of fresh) {
    const until = run.startedAt + (rollout?.timeout ?? 0);
    if (unready && rejected === null && until > situation.now) draft.wake(until);
  }
  const goesOn = rejected === null ? !unready : acceptsFailure;
  const why = acceptsFailure ? null : (rejected?.reason ?? null);
  for (const older of outdated) {
    if (older === turn && !busy && !unproven && goesOn) stop(draft, situation, older);
    else draft.say(outlived(older, draft, heldBackBy(situation), why));
  }
}

function outlived(
  { run, health }: JudgedRun,
  draft: Draft,
  heldBack: HeldBack | undefined,
  rejected: string | null,
): SlotPhase {
  return {
    slot: run.key.slot,
    phase: 'running',
    run: run.key,
    outdated: true,
    mainEnded: run.main.is === 'ended',
    ready: draft.run(run.key.id).readySince !== null,
    health: health?.because ?? '',
    rejected,
    ...(heldBack === undefined ? {} : { heldBack }),
  };
}

type HeldBack = Hindrance & { readonly why: string };

/** What keeps the longest comes first. */
function heldBackBy(situation: Situation): HeldBack | undefined {
  const { dependencies, portHeld, portKept } = situation;
  // Nobody waits for that: who holds the port may have to be replaced first.
  if (portKept !== undefined) return { ...portKept, away: true };
  const first = (state: Dependency['state']) => dependencies.find((each) => each.state === state);
  const unmet = awayOf(situation) ?? first('waiting') ?? first('rolling');
  if (unmet === undefined) return portHeld === undefined ? undefined : { why: portHeld };
  const { name, state, detail } = unmet;
  return { why: state === 'rolling' ? `${name} is replaced first` : detail, ...hindranceOf(unmet) };
}
