/** Has a service come to the state that a script waits for? */
import type { WaitRequest } from '../api/contract.ts';
import type { Observed } from '../model/observed.ts';
import { standingOf } from '../reconcile/dependencies.ts';
import { type Wanted, wantedOf, whyNothing } from '../reconcile/wanted.ts';
import { type Glance, isDown, isRunning, isUp, type Outcome } from './outcome.ts';

/** @param look asks the kernel */
export function goalOutcome(goal: WaitRequest['for'], glance: Glance, look: () => Observed): Outcome {
  if (goal === 'stopped') return patient(isDown(glance, look));
  // As for those that depend on it: of what does not run nothing is ready.
  const wanted = wantedOf(glance);
  if (wanted.kind === 'leave') return leftAlone(goal, wanted, glance);
  const nothing = whyNothing(wanted);
  if (nothing !== '') return { result: 'pending', detail: nothing };
  const completed = glance.decision?.slots.some((phase) => phase.phase === 'completed') ?? false;
  if (goal === 'completed') return completed ? patient(isUp(glance)) : { result: 'pending', detail: '' };
  return completed ? { result: 'pending', detail: 'it completed' } : patient(isRunning(glance));
}

/** Somebody holds it, or its file is gone: what is there goes on all the same, and counts as it is. */
function leftAlone(
  goal: 'ready' | 'completed',
  wanted: Wanted,
  { desired, intent, decision }: Glance,
): Outcome {
  const { completed } = standingOf(wanted, decision);
  const instances = desired?.kind === 'defined' ? desired.spec.instances : 1;
  const ready = new Set(
    decision?.slots.flatMap((phase) => (phase.phase === 'running' && phase.ready ? [phase.slot] : [])),
  ).size;
  const isReady = ready > 0 && ready >= (intent.scale?.instances ?? instances);
  const isThere = decision !== undefined && (goal === 'completed' ? completed : isReady);
  return { result: isThere ? 'done' : 'pending', detail: whyNothing(wanted) };
}

/** `wait` outlasts a failure: a service in back-off may still come up. */
function patient(outcome: Outcome): Outcome {
  return outcome.result === 'failed' ? { ...outcome, result: 'pending' } : outcome;
}
