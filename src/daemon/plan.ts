/** What would change if a reading of the directory were followed? */
import type { Change } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import type { DesiredState } from '../model/spec.ts';
import { changeOf, changeOfDefinition } from '../reconcile/change.ts';
import { changeWhenReleased } from '../reconcile/release.ts';
import type { Situation } from '../reconcile/situation.ts';
import { differing } from './comparison.ts';
import { outlivedIntents, type Removals } from './removals.ts';
import type { Store } from './store.ts';

export interface PlanTools {
  readonly removals: Removals;
  /** What the guard holds back is approved. */
  readonly prune: boolean;
  readonly store: Store;
  readonly situation: (name: ServiceName) => Situation;
  readonly inForce: DesiredState;
  readonly now: number;
}

/** Service by service; those on which nothing would be done, and whose definition stays as it is, are left out. */
export function planOf(
  desired: DesiredState,
  names: Iterable<ServiceName>,
  tools: PlanTools,
): readonly Change[] {
  const approved = newlyApproved(tools);
  const after = situationAfter(desired, tools);
  const changes: Change[] = [];
  for (const name of names) {
    const situation = after(name);
    const before = tools.inForce.services.get(name);
    const change = changeOf(situation, before);
    if (change !== undefined) changes.push(change);
    // What waits for the end of a hold is no change that could be carried out.
    else if (changeWhenReleased(situation, before) === undefined) {
      const definition = changeOfDefinition(situation, before, approved.has(name));
      if (definition !== undefined) changes.push(definition);
    }
  }
  return changes.sort((a, b) => (a.service < b.service ? -1 : 1));
}

/** What the end of the hold of each of these services would bring; those to which it brings nothing are left out. */
export function waitingIn(
  desired: DesiredState,
  names: Iterable<ServiceName>,
  tools: PlanTools,
): ReadonlyMap<ServiceName, Change> {
  const after = situationAfter(desired, tools);
  const waiting = new Map<ServiceName, Change>();
  for (const name of names) {
    const change = changeWhenReleased(after(name), tools.inForce.services.get(name));
    if (change !== undefined) waiting.set(name, change);
  }
  return waiting;
}

/** The services that may go, and were not approved to before. */
function newlyApproved({ removals, prune }: PlanTools): ReadonlySet<ServiceName> {
  return new Set(prune ? [...removals.approved, ...removals.held] : removals.approved);
}

/** The situation of each service once the reading is followed. */
function situationAfter(desired: DesiredState, tools: PlanTools): (name: ServiceName) => Situation {
  const { store, situation } = tools;
  const approved = newlyApproved(tools);
  const outlived = outlivedIntents(desired, store, tools.now);
  return (name) => {
    const now = situation(name);
    const kept = outlived.get(name) ?? now.intent;
    const intent = approved.has(name) ? { ...kept, removalApproved: true } : kept;
    return { ...now, intent };
  };
}

/**
 * Of the whole way to what is wanted, the part that one reading brings. The rest was outstanding before it: it is under
 * way, or waits for what may be absent for good.
 * @param before what was followed until then
 */
export function changesBrought(
  planned: readonly Change[],
  before: DesiredState,
  now: DesiredState,
): readonly Change[] {
  const changed = new Set(differing(before, now));
  return planned.filter(
    ({ service, action }) => action !== 'keep' && (changed.has(service) || !now.services.has(service)),
  );
}
