/** Has a service come to the state that a script waits for? */
import type { WaitRequest } from '../api/contract.ts';
import type { Observed } from '../model/observed.ts';
import { wantedOf, whyNothing } from '../reconcile/wanted.ts';
import { type Glance, isDown, isRunning, isUp, type Outcome } from './outcome.ts';

/** @param look asks the kernel */
export function goalOutcome(goal: WaitRequest['for'], glance: Glance, look: () => Observed): Outcome {
  if (goal === 'stopped') return patient(isDown(glance, look));
  // As for those that depend on it: of what does not run nothing is ready.
  const nothing = whyNothing(wantedOf(glance));
  if (nothing !== '') return { result: 'pending', detail: nothing };
  const completed = glance.decision?.slots.some((phase) => phase.phase === 'completed') ?? false;
  if (goal === 'completed') return completed ? patient(isUp(glance)) : { result: 'pending', detail: '' };
  return completed ? { result: 'pending', detail: 'it completed' } : patient(isRunning(glance));
}

/** `wait` outlasts a failure: a service in back-off may still come up. */
function patient(outcome: Outcome): Outcome {
  return outcome.result === 'failed' ? { ...outcome, result: 'pending' } : outcome;
}
