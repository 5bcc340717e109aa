/** Who keeps a stop from its end? */
import type { RunKey } from '../model/names.ts';
import type { Decision } from '../reconcile/situation.ts';
import type { World } from '../world/world.ts';

/** More processes than these are not named. */
const NAMED = 3;

/** `: 811 node worker.js, 812 node worker.js`; empty when nobody is left, or it could not be seen. */
export function whoIsLeft(run: RunKey, containment: World['containment']): string {
  const left = containment.members(run).slice(0, NAMED);
  return left.length === 0 ? '' : `: ${left.map((pid) => containment.describe(pid)).join(', ')}`;
}

/** The same answer, with the names of the processes that survive SIGKILL. */
export function withBlockers<Answer extends { readonly result: string; readonly detail: string }>(
  outcome: Answer,
  decision: Decision | undefined,
  containment: World['containment'],
): Answer {
  if (outcome.result === 'done') return outcome;
  const blocked = (decision?.slots ?? []).filter((phase) => phase.phase === 'stopping' && phase.blocked);
  const names = blocked.map((phase) => ('run' in phase ? whoIsLeft(phase.run, containment) : ''));
  return { ...outcome, detail: `${outcome.detail}${names.find((name) => name !== '') ?? ''}` };
}
