/** Is a plan that was saved still what would be done? */
import type { PlanRequest } from '../api/changes.ts';
import type { Change } from '../model/action.ts';
import { firstOf } from '../model/shown-words.ts';
import type { DesiredState } from '../model/spec.ts';
import { desiredHash } from './comparison.ts';

/**
 * Why a plan is not what would be done now, in a few words; undefined: it is.
 * @param files what they say now
 * @param planned what following them would do
 */
export function staleness(
  plan: PlanRequest,
  files: DesiredState,
  planned: (files: DesiredState) => readonly Change[],
): string | undefined {
  if (desiredHash(files) !== plan.desired) return 'the files have changed since the plan was made';
  const [was, is] = [byService(plan.changes), byService(planned(files))];
  const names = [...new Set([...was.keys(), ...is.keys()])];
  const moved = names.filter((name) => was.get(name) !== is.get(name)).sort();
  if (moved.length === 0) return undefined;
  return `what runs has changed since the plan was made: ${firstOf(moved, 10)}`;
}

function byService(changes: PlanRequest['changes']): ReadonlyMap<string, string> {
  return new Map(changes.map(({ service, action, instances }) => [service, meaning(action, instances)]));
}

/** Whether a job has run by its definition decides between the two, and neither touches a process. */
function meaning(action: string, instances: number): string {
  return action === 'define' || action === 'live' ? 'no process is touched' : `${action} ${instances}`;
}
