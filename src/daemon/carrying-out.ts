/** How is a whole decision carried out? */
import type { Problem } from '../model/problem.ts';
import type { Decision, Situation } from '../reconcile/situation.ts';
import type { Hands } from './hands.ts';

export interface CarryingOut {
  readonly hands: Hands;
  readonly complain: (problem: Problem) => void;
  /** Nothing is left of the service, and nothing is kept of it. */
  readonly forgotten: () => void;
}

/** @returns true when something could not be done: the service is to be looked at again a little later */
export function carryOut(
  { actions, memory }: Decision,
  situation: Situation,
  { hands, complain, forgotten }: CarryingOut,
): boolean {
  const { name } = situation;
  for (const [slot, { preStart }] of Object.entries(situation.memory.slots)) {
    const still = memory.slots[Number(slot)]?.preStart?.run;
    if (preStart !== null && preStart.run !== still) hands.besides.callOff(preStart.run);
  }
  const occupied = new Set<number>();
  let failed = false;
  for (const action of actions) {
    // What was thought to be gone is not: a start in its place has to wait for the next look.
    if (action.do === 'start' && occupied.has(action.slot)) continue;
    const problem = hands.carryOut(action, situation);
    if (action.do === 'forget' && problem === undefined) forgotten();
    if (problem === undefined) continue;
    failed = true;
    // A command that is being ended is gone in a moment.
    const isOrdinary = (action.do === 'forget' || action.do === 'hook') && problem.passing === true;
    if (!isOrdinary) complain({ ...problem, service: name });
    if (action.do === 'clean_up') occupied.add(action.run.slot);
  }
  return failed;
}
