/** A place of the service is empty: what is done about it now? */
import type { SlotMemory } from '../model/memory.ts';
import { drawRunId, type RunId, type RunKey } from '../model/names.ts';
import { describeExit, renewal } from '../policy/restart.ts';
import { shareOf } from '../policy/spread.ts';
import type { Draft } from './draft.ts';
import type { Judgement, Vacancy } from './judgement.ts';
import { besides, type Dependency, type Hindrance, type Situation } from './situation.ts';

export function fill(draft: Draft, situation: Situation, judgement: Judgement, vacancy: Vacancy): void {
  if (judgement.wanted.kind !== 'run') return;
  const { slot, answer, memory } = vacancy;
  switch (answer.say) {
    case 'now':
      start(draft, situation, judgement, vacancy);
      return;
    case 'wait':
      draft.wake(answer.until);
      draft.say({ slot, phase: 'backoff', until: answer.until, reason: lastReason(memory) });
      return;
    case 'rejected': {
      draft.wake(answer.until);
      const reason = `${lastReason(memory)}; the new definition, which failed, is tried in its place`;
      draft.say({ slot, phase: 'backoff', until: answer.until, reason });
      return;
    }
    case 'withheld': {
      const why = judgement.rejected?.reason ?? '';
      draft.say({ slot, phase: 'stopped', reason: `the new definition, which adds it, failed: ${why}` });
      return;
    }
    case 'scheduled':
      draft.say({ slot, phase: 'scheduled' });
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
  if (memory.generation !== generation) return renewal(generation);
  // Whoever waited for a restart, or for another try, ended by itself; every other start was asked for.
  return memory.next !== null || memory.end !== null ? 'respawn_after_exit' : 'start_requested';
}

function start(draft: Draft, situation: Situation, judgement: Judgement, { slot, memory }: Vacancy): void {
  if (judgement.wanted.kind !== 'run') return;
  const { desired } = judgement.wanted;
  const { due } = judgement.memory;
  const job = desired.spec.process.schedule !== null;
  const because = !job
    ? startReason(memory, judgement.generation)
    : due?.slot === null
      ? 'trigger'
      : 'schedule';
  const unmet = awayOf(situation) ?? situation.dependencies.find(({ state }) => state === 'waiting');
  // Whoever ran already comes back at once: what it depends on may be away for a moment only.
  if (unmet !== undefined && because !== 'respawn_after_exit') {
    draft.say({ slot, phase: 'waiting', reason: unmet.detail, ...hindranceOf(unmet) });
    return;
  }
  if (situation.portHeld !== undefined) {
    draft.say({ slot, phase: 'waiting', reason: situation.portHeld });
    return;
  }
  if (isClearing(draft, situation, slot)) {
    draft.say({ slot, phase: 'starting', hook: 'post_stop' });
    return;
  }
  if (!isPrepared(draft, situation, judgement, slot)) return;
  begin(draft, situation, judgement, slot, because, job ? (due?.run ?? null) : null);
}

/** The first of what it depends on that does not come by itself; what has failed is named before what is stopped. */
export function awayOf({ dependencies }: Situation): Dependency | undefined {
  const away = dependencies.filter(({ state }) => state === 'away');
  return away.find(({ dueToFailure }) => dueToFailure === true) ?? away[0];
}

export function hindranceOf({ state, dueToFailure }: Dependency): Hindrance {
  return { away: state === 'away', ...(dueToFailure === undefined ? {} : { dueToFailure }) };
}

/** The post_stop hook of the last run in the place clears up what the next one would find, or lose. */
export function isClearing(draft: Draft, { inFlight }: Situation, slot: number): boolean {
  const begins = draft.actions.some(
    (action) => action.do === 'hook' && action.hook === 'post_stop' && action.run.slot === slot,
  );
  return (
    begins ||
    draft.slot(slot).exits.some(({ run }) => run !== null && inFlight.has(besides(run, 'post_stop')))
  );
}

/** @param run the id that the run has already; null: a new one */
export function begin(
  draft: Draft,
  situation: Situation,
  { wanted, generation }: Judgement,
  slot: number,
  because: string,
  run: RunId | null = null,
): void {
  if (wanted.kind !== 'run') return;
  const { hash } = wanted.desired;
  draft.actions.push({ do: 'start', service: situation.name, slot, generation, hash, run, because });
  draft.say({ slot, phase: 'starting' });
}

/** The pre_start hook comes first, and must have succeeded. */
export function isPrepared(draft: Draft, situation: Situation, judgement: Judgement, slot: number): boolean {
  if (judgement.wanted.kind !== 'run') return false;
  const { hash, digest, spec } = judgement.wanted.desired;
  if (spec.hooks.pre_start === null) return true;
  const memory = draft.slot(slot);
  const before = memory.preStart;
  const { generation } = judgement;
  const valid = before !== null && before.generation === generation && before.digest === digest;
  if (valid && before.state === 'passed') return true;
  const isRunning = before !== null && situation.inFlight.has(besides(before.run, 'pre_start'));
  if (!isRunning) {
    // None runs: not begun, for another definition, or by a daemon that is gone and took it along.
    const id = drawRunId(situation.now, shareOf(situation.chance, slot));
    const run: RunKey = { service: situation.name, slot, generation, hash, id };
    draft.rememberSlot(slot, { ...memory, preStart: { run: id, generation, digest, state: 'running' } });
    draft.actions.push({ do: 'hook', run, hook: 'pre_start', because: 'it is to be started' });
  }
  draft.say({ slot, phase: 'starting', hook: 'pre_start' });
  return false;
}

function lastReason(memory: SlotMemory): string {
  const exit = memory.exits[0];
  return exit === undefined ? '' : describeExit(exit);
}
