/** What would change if a reading of the directory were followed? */
import type { Change } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import type { DesiredState } from '../model/spec.ts';
import { changeOf, changeOfDefinition } from '../reconcile/change.ts';
import type { Situation } from '../reconcile/situation.ts';
import { outlivedIntents, type Removals } from './removals.ts';
import type { Store } from './store.ts';

export interface PlanTools {
  readonly removals: Removals;
  /** What the guard holds back is approved. */
  readonly prune: boolean;
  readonly store: Store;
  readonly situation: (name: ServiceName) => Situation;
  readonly inForce: DesiredState;
}

/** Service by service; those on which nothing would be done, and whose definition stays as it is, are left out. */
export function planOf(
  desired: DesiredState,
  names: Iterable<ServiceName>,
  { removals, prune, store, situation, inForce }: PlanTools,
): readonly Change[] {
  const approved = prune ? [...removals.approved, ...removals.held] : removals.approved;
  const outlived = outlivedIntents(desired, store);
  const changes: Change[] = [];
  for (const name of names) {
    const now = situation(name);
    const kept = outlived.get(name) ?? now.intent;
    const intent = approved.includes(name) ? { ...kept, removalApproved: true } : kept;
    const then = { ...now, intent };
    const change = changeOf(then) ?? changeOfDefinition(then, inForce.services.get(name));
    if (change !== undefined) changes.push(change);
  }
  return changes.sort((a, b) => (a.service < b.service ? -1 : 1));
}
