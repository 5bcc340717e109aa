/** Has what was asked of a service come about, has it failed, or is it still under way? */
import { PROOF_OF_LIFE } from '../reconcile/decide.ts';
import type { Decision, Situation, SlotPhase } from '../reconcile/situation.ts';
import { wantedOf } from '../reconcile/wanted.ts';

export type Outcome =
  | { readonly result: 'done'; readonly detail: string }
  | { readonly result: 'failed'; readonly detail: string }
  | { readonly result: 'pending'; readonly detail: string };

/** Every wanted instance runs the current definition and has shown that it does not die at once. */
export function isUp(situation: Situation, decision: Decision | undefined): Outcome {
  if (decision === undefined) return { result: 'pending', detail: 'not looked at yet' };
  const wanted = wantedOf(situation);
  if (wanted.kind !== 'run') return { result: 'failed', detail: wanted.reason };
  const wait = decision.slots
    .map((phase) => slotIsUp(phase, situation))
    .find((text) => text.result !== 'done');
  if (wait !== undefined) return wait;
  if (decision.slots.length < wanted.count) return { result: 'pending', detail: 'starting' };
  return { result: 'done', detail: upDetail(decision.slots, situation, wanted.count) };
}

/** Nothing of the service is left. */
export function isDown(situation: Situation, decision: Decision | undefined): Outcome {
  if (situation.observed.kind === 'unseen')
    return { result: 'pending', detail: situation.observed.problem.message };
  const left = situation.observed.runs.filter(
    (run) => run.members.is !== 'none' || run.main.is === 'running',
  );
  if (left.length === 0) return { result: 'done', detail: 'nothing of it runs' };
  const blocked = decision?.slots.some((phase) => phase.phase === 'stopping' && phase.blocked) ?? false;
  if (blocked) return { result: 'failed', detail: 'a process survives SIGKILL' };
  return { result: 'pending', detail: `${left.length} of its instances still run` };
}

function slotIsUp(phase: SlotPhase, situation: Situation): Outcome {
  switch (phase.phase) {
    case 'running': {
      if (phase.outdated) return { result: 'pending', detail: `instance ${phase.slot} waits to be replaced` };
      const age = situation.now - startedAt(situation, phase.run.id);
      if (age < PROOF_OF_LIFE)
        return { result: 'pending', detail: `instance ${phase.slot} was just started` };
      return { result: 'done', detail: '' };
    }
    case 'completed':
      return { result: 'done', detail: phase.reason };
    case 'failed':
      return { result: 'failed', detail: `instance ${phase.slot}: ${phase.reason}` };
    case 'backoff':
      return { result: 'failed', detail: `instance ${phase.slot}: ${phase.reason}; it is tried again` };
    case 'starting':
    case 'stopping':
    case 'stopped':
      return { result: 'pending', detail: `instance ${phase.slot} is ${phase.phase}` };
  }
}

function upDetail(slots: readonly SlotPhase[], situation: Situation, count: number): string {
  const running = slots.filter((phase) => phase.phase === 'running');
  const completed = slots.find((phase) => phase.phase === 'completed');
  if (running.length === 0 && completed?.phase === 'completed') return completed.reason;
  const pids = running.flatMap((phase) => mainPid(situation, phase));
  const shown =
    pids.length === 0 ? '' : `, pid ${pids.slice(0, 8).join(', ')}${pids.length > 8 ? ', …' : ''}`;
  return `${running.length}/${count} running${shown}`;
}

function mainPid(situation: Situation, phase: SlotPhase): number[] {
  if (situation.observed.kind === 'unseen' || phase.phase !== 'running') return [];
  const run = situation.observed.runs.find(({ key }) => key.id === phase.run.id);
  return run?.main.is === 'running' ? [run.main.pid] : [];
}

function startedAt(situation: Situation, id: string): number {
  if (situation.observed.kind === 'unseen') return situation.now;
  return situation.observed.runs.find((run) => run.key.id === id)?.startedAt ?? situation.now;
}
