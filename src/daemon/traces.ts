/** Which traces of runs must stay until what they tell is on disk? */
import { isSettled } from '../model/memory.ts';
import type { Decision } from '../reconcile/situation.ts';
import type { Store } from './store.ts';

type Told = Pick<Decision, 'actions' | 'memory'>;

/** The decision removes the traces of what decides about the future: a one-shot is over, what was due or prepared has run. */
export function removesTraces(decision: Told, store: Pick<Store, 'owes' | 'dirty'>): boolean {
  return decision.actions.some(
    (action) =>
      action.do === 'clean_up' &&
      (store.owes(action.run) || (store.dirty && isOver(action.run.slot, decision))),
  );
}

/**
 * The same decision without removing what alone tells a later daemon that a one-shot is over; the very same
 * object when there is nothing of that kind.
 */
export function keepingTraces<Whole extends Told>(decision: Whole): Whole {
  const actions = decision.actions.filter(
    (action) => action.do !== 'clean_up' || !isOver(action.run.slot, decision),
  );
  return actions.length === decision.actions.length ? decision : { ...decision, actions };
}

function isOver(slot: number, { memory }: Told): boolean {
  return isSettled(memory.slots[slot]?.end);
}
