/**
 * What is to be done about one service now?
 *
 * A pure function: the same situation gives the same decision. A place is filled again only when nothing of its last
 * run is left; a newer definition takes over place by place, so a broken one costs nothing, or one instance where two
 * cannot run side by side. Whatever could not be seen counts as running, and nothing is started on its account.
 */
import { overtime } from '../policy/schedule.ts';
import { Draft } from './draft.ts';
import { fill, isClearing } from './filling.ts';
import { judge } from './judge.ts';
import type { JudgedRun, Judgement } from './judgement.ts';
import { isOpen } from './replace.ts';
import { replaceNext } from './replacing.ts';
import type { Decision, Situation, SlotPhase } from './situation.ts';
import { cleanUp, isToStop, stop } from './stopping.ts';
import { watchOver } from './watching-over.ts';

/** After a failed look, look again this much later. Milliseconds. */
export const LOOK_AGAIN = 1000;

/** Nothing tells when a stranger lets go of a port, and to find out who has it is work. Milliseconds. */
export const KEPT_AGAIN = 2000;

/** Who is on its way out may close its port before it ends, of which no event tells. Milliseconds. */
const PORT_AGAIN = 500;

export function decide(situation: Situation): Decision {
  if (situation.observed.kind === 'unseen') {
    return {
      actions: [],
      memory: situation.memory,
      slots: [],
      notices: [],
      wakeAt: situation.now + LOOK_AGAIN,
      wakeFrom: situation.now + LOOK_AGAIN,
    };
  }
  const judgement = judge(situation);
  const draft = new Draft(judgement.memory);
  for (const run of judgement.runs) if (run.life === 'over' || run.life === 'unborn') cleanUp(draft, run);
  for (const run of judgement.runs) if (isToStop(run)) stop(draft, situation, run);
  replaceNext(draft, situation, judgement);
  for (const run of judgement.runs) {
    if ((run.life === 'alive' || run.life === 'leftovers') && run.fate === 'keep') {
      draft.say(running(run, draft, situation.now));
    }
  }
  for (const vacancy of judgement.vacancies) fill(draft, situation, judgement, vacancy);
  for (const run of judgement.runs) if (run.fate !== 'surplus') watchOver(draft, situation, run);
  if (judgement.live) {
    draft.actions.push({ do: 'apply_live', service: situation.name, because: 'live fields changed' });
  }
  if (isForgotten(draft, situation, judgement)) {
    draft.actions.push({ do: 'forget', service: situation.name, because: 'file removed' });
  }
  for (const run of judgement.runs) lookAgain(draft, situation, run);
  if (situation.portHeld !== undefined) draft.wake(situation.now + PORT_AGAIN);
  if (situation.portKept !== undefined) draft.wake(situation.now + KEPT_AGAIN);
  const heldUntil = situation.intent.held?.until;
  if (heldUntil !== undefined && heldUntil > situation.now) draft.wake(heldUntil);
  return {
    actions: draft.actions,
    memory: draft.memory(),
    slots: draft.slots.sort((a, b) => a.slot - b.slot),
    notices: judgement.notices,
    wakeAt: draft.wakeAt,
    wakeFrom: draft.wakeFrom,
  };
}

/** Wakes for what no event of the kernel tells. */
function lookAgain(draft: Draft, { now }: Situation, { run, spec, life }: JudgedRun): void {
  // It tells of a change once: whoever could not look then has to look again.
  if (run.members.is === 'unseen') draft.wake(now + LOOK_AGAIN);
  const { stop: progress } = draft.run(run.key.id);
  if (progress?.step === 'due' && progress.since + progress.grace > now) {
    draft.wake(progress.since + progress.grace);
  }
  const late = overtime(run.startedAt, now, spec?.process.schedule?.max_time_per_run ?? null);
  if (life === 'alive' && late.say === 'wait') draft.wake(late.until);
}

function running(judged: JudgedRun, draft: Draft, now: number): SlotPhase {
  const { key, main, startedAt } = judged.run;
  const ready = draft.run(key.id).readySince !== null;
  const until = startedAt + (judged.spec?.rollout.timeout ?? 0);
  // A start in the future: the clock was set back.
  const hasTime = startedAt <= now && now < until;
  if (!ready && hasTime) draft.wake(until);
  return {
    slot: key.slot,
    phase: 'running',
    run: key,
    outdated: false,
    mainEnded: main.is === 'ended',
    ready,
    health: judged.health?.because ?? '',
    rejected: null,
    ...(!ready && (hasTime || isOpen(judged, draft.memory())) ? { settling: true } : {}),
  };
}

/** What still clears up after a run is known by what is remembered of that; its end makes the service due. */
function isForgotten(draft: Draft, situation: Situation, { wanted, runs, memory }: Judgement): boolean {
  const isOver = wanted.kind === 'none' && wanted.removed && runs.length === 0;
  return isOver && !Object.keys(memory.slots).some((slot) => isClearing(draft, situation, Number(slot)));
}
