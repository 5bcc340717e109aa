/**
 * What is to be done about one service now?
 *
 * A pure function: the same situation gives the same decision. It stops before it starts: a place is filled again only
 * when nothing of its last run is left. It replaces one instance at a time: as long as another place of the service is
 * on its way down or up, an outdated run that still serves is left in peace, so a broken new version costs one
 * instance and not all of them. Whatever could not be seen counts as running, and nothing is started on its account.
 */
import type { Action } from '../model/action.ts';
import { type Memory, NO_RUN, type RunMemory, type SlotMemory } from '../model/memory.ts';
import type { ObservedRun } from '../model/observed.ts';
import { describeOutcome } from '../policy/restart.ts';
import { isBlocked, isLate, nextStopStep, resumed, stopped, stopSettings } from '../policy/stop.ts';
import { type JudgedRun, type Judgement, judge, type Vacancy } from './judge.ts';
import type { Decision, Situation, SlotPhase } from './situation.ts';

/** A replaced instance must have been up this long before the next one is replaced. Milliseconds. */
export const PROOF_OF_LIFE = 300;

/** After a failed look, look again this much later. Milliseconds. */
export const LOOK_AGAIN = 1000;

export function decide(situation: Situation): Decision {
  if (situation.observed.kind === 'unseen') {
    return {
      actions: [],
      memory: situation.memory,
      slots: [],
      notices: [],
      wakeAt: situation.now + LOOK_AGAIN,
    };
  }
  const judgement = judge(situation);
  const draft = new Draft(judgement.memory);
  for (const run of judgement.runs) if (run.life === 'over' || run.life === 'unborn') cleanUp(draft, run);
  for (const run of judgement.runs) if (isToStop(run, judgement)) stop(draft, situation, run);
  replaceNext(draft, situation, judgement);
  for (const run of judgement.runs) {
    if ((run.life === 'alive' || run.life === 'leftovers') && run.fate === 'keep') {
      draft.say(running(run, false));
    }
  }
  for (const vacancy of judgement.vacancies) fill(draft, situation, judgement, vacancy);
  if (judgement.live) {
    draft.actions.push({ do: 'apply_live', service: situation.name, because: 'live fields changed' });
  }
  if (isForgotten(judgement)) {
    draft.actions.push({ do: 'forget', service: situation.name, because: 'file removed' });
  }
  for (const { run } of judgement.runs) lookAgain(draft, situation, run);
  const heldUntil = situation.intent.held?.until;
  if (heldUntil !== undefined && heldUntil > situation.now) draft.wake(heldUntil);
  return {
    actions: draft.actions,
    memory: draft.memory(),
    slots: draft.slots.sort((a, b) => a.slot - b.slot),
    notices: judgement.notices,
    wakeAt: draft.wakeAt,
  };
}

class Draft {
  readonly actions: Action[] = [];
  readonly slots: SlotPhase[] = [];
  wakeAt: number | undefined;
  readonly #base: Memory;
  readonly #runs: Record<string, RunMemory>;
  readonly #slots: Record<number, SlotMemory>;

  constructor(memory: Memory) {
    this.#base = memory;
    this.#runs = { ...memory.runs };
    this.#slots = { ...memory.slots };
  }

  run(id: string): RunMemory {
    return this.#runs[id] ?? NO_RUN;
  }

  remember(id: string, memory: RunMemory): void {
    this.#runs[id] = memory;
  }

  say(phase: SlotPhase): void {
    this.slots.push(phase);
  }

  wake(at: number | undefined): void {
    if (at !== undefined && (this.wakeAt === undefined || at < this.wakeAt)) this.wakeAt = at;
  }

  memory(): Memory {
    return { ...this.#base, runs: this.#runs, slots: this.#slots };
  }
}

/** Wakes for what no event of the kernel tells. */
function lookAgain(draft: Draft, { now }: Situation, run: ObservedRun): void {
  // It tells of a change once: whoever could not look then has to look again.
  if (run.members.is === 'unseen') draft.wake(now + LOOK_AGAIN);
  const { stop } = draft.run(run.key.id);
  if (stop?.step === 'due' && stop.since + stop.grace > now) draft.wake(stop.since + stop.grace);
}

function cleanUp(draft: Draft, { run }: JudgedRun): void {
  draft.actions.push({ do: 'clean_up', run: run.key, because: 'nothing of the run is left' });
}

/** Held, broken and guarded services keep whatever runs, leftovers included. */
function isToStop(run: JudgedRun, judgement: Judgement): boolean {
  if (judgement.wanted.kind === 'leave') return false;
  return run.fate === 'surplus' && (run.life === 'alive' || run.life === 'leftovers');
}

function stop(draft: Draft, situation: Situation, judged: JudgedRun): void {
  const { key } = judged.run;
  const remembered = draft.run(key.id);
  const settings = stopSettings(judged.spec);
  const reason = judged.fate === 'surplus' ? judged.reason : `reload_retire_generation_${key.generation}`;
  let progress = resumed(remembered.stop, situation.now);
  const step = nextStopStep(progress, settings, situation.now, situation.ending?.hurry ?? false);
  if (step.say === 'wait') {
    draft.wake(step.until);
  } else {
    progress = stopped(progress, step.say, settings, reason, situation.now);
    const because = isLate(progress) ? `${reason}_grace_timeout` : reason;
    if (step.say === 'command') draft.actions.push({ do: 'stop_command', run: key, because });
    if (step.say === 'signal')
      draft.actions.push({ do: 'signal', run: key, signal: settings.signal, because });
    if (step.say === 'kill') draft.actions.push({ do: 'kill', run: key, because });
    const next = nextStopStep(progress, settings, situation.now, false);
    draft.wake(next.say === 'wait' ? next.until : situation.now);
  }
  if (progress !== remembered.stop) draft.remember(key.id, { ...remembered, stop: progress });
  const until = progress === null || progress.step === 'kill' ? null : progress.since + progress.grace;
  draft.say({
    slot: key.slot,
    phase: 'stopping',
    run: key,
    until,
    blocked: isBlocked(progress, situation.now),
  });
}

/** Takes the first outdated run out of service, if nothing else of the service is on its way. */
function replaceNext(draft: Draft, situation: Situation, judgement: Judgement): void {
  const outdated = judgement.runs
    .filter((run) => run.fate === 'outdated' && run.life === 'alive')
    .sort((a, b) => a.run.key.slot - b.run.key.slot);
  const turn = outdated[0];
  if (turn === undefined) return;
  const busy =
    judgement.runs.some((run) => isToStop(run, judgement)) ||
    judgement.vacancies.some((vacancy) => !isSettled(vacancy));
  const provenAt = Math.max(
    0,
    ...judgement.runs.filter(isFresh(judgement)).map(({ run }) => run.startedAt + PROOF_OF_LIFE),
  );
  const unproven = provenAt > situation.now && provenAt - situation.now <= PROOF_OF_LIFE;
  if (unproven && !busy) draft.wake(provenAt);
  for (const run of outdated) {
    if (run === turn && !busy && !unproven) stop(draft, situation, run);
    else draft.say(running(run, true));
  }
}

const isFresh =
  (judgement: Judgement) =>
  (run: JudgedRun): boolean =>
    run.life === 'alive' && run.fate === 'keep' && run.run.key.generation === judgement.generation;

/** A place that will not be filled soon by itself (it completed) does not hold a replacement up. */
function isSettled(vacancy: Vacancy): boolean {
  return vacancy.memory.end?.kind === 'completed';
}

function running(judged: JudgedRun, outdated: boolean): SlotPhase {
  const { key, main } = judged.run;
  return { slot: key.slot, phase: 'running', run: key, outdated, mainEnded: main.is === 'ended' };
}

function fill(draft: Draft, situation: Situation, judgement: Judgement, vacancy: Vacancy): void {
  if (judgement.wanted.kind !== 'run') return;
  const { slot, answer, memory } = vacancy;
  switch (answer.say) {
    case 'now':
      draft.actions.push({
        do: 'start',
        service: situation.name,
        slot,
        generation: judgement.generation,
        hash: judgement.wanted.desired.hash,
        because: startReason(memory, judgement.generation),
      });
      draft.say({ slot, phase: 'starting' });
      return;
    case 'wait':
      draft.wake(answer.until);
      draft.say({ slot, phase: 'backoff', until: answer.until, reason: lastReason(memory) });
      return;
    case 'no':
      if (answer.retryAt !== null) draft.wake(answer.retryAt);
      if (memory.end?.kind === 'completed')
        draft.say({ slot, phase: 'completed', reason: memory.end.reason });
      else {
        const reason = memory.end?.reason ?? 'failed';
        draft.say({ slot, phase: 'failed', reason, retryAt: answer.retryAt });
      }
  }
}

/** As the lifecycle lines name it; `boot` for the first start of a place since the host was booted. */
export function startReason(memory: SlotMemory, generation: number): string {
  if (memory.generation === 0) return 'boot';
  if (memory.generation !== generation) return `reload_generation_${generation}`;
  // Whoever waited for a restart, or for another try, ended by itself; every other start was asked for.
  return memory.next !== null || memory.end !== null ? 'respawn_after_exit' : 'start_requested';
}

function lastReason(memory: SlotMemory): string {
  const exit = memory.exits[0];
  return exit === undefined ? '' : describeOutcome(exit.outcome);
}

function isForgotten(judgement: Judgement): boolean {
  return judgement.wanted.kind === 'none' && judgement.wanted.removed && judgement.runs.length === 0;
}
