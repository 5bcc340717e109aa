/** Which stops must be written down before they begin, so that another daemon is not misled by how they end? */
import type { Memory, RunMemory } from '../model/memory.ts';
import type { RunId, SpecHash } from '../model/names.ts';
import { resumed } from '../policy/stop.ts';
import { specOf } from '../reconcile/notice-exits.ts';
import type { Decision, Situation } from '../reconcile/situation.ts';

export interface Ahead {
  /** What may be written before the decision is carried out: its stops are only due yet. */
  readonly memory: Memory;
  /** It must be written before. */
  readonly must: boolean;
}

/**
 * An end that a daemon did not see counts as completion where nothing is restarted: a one-shot that was being stopped
 * must not be taken for one that ran to its end.
 */
export function stopsAhead({ actions, memory }: Decision, situation: Situation): Ahead {
  const runs: Record<RunId, RunMemory> = {};
  let must = false;
  for (const action of actions) {
    const hooked = action.do === 'hook' && action.hook === 'pre_stop';
    const ends = action.do === 'signal' || action.do === 'stop_command' || action.do === 'kill';
    if (!hooked && !ends) continue;
    const { id, hash } = action.run;
    const now = memory.runs[id];
    if (now?.stop == null || resumed(situation.memory.runs[id]?.stop ?? null, situation.now) !== null)
      continue;
    runs[id] = { ...now, stop: { ...now.stop, step: 'due' } };
    must ||= endsForGood(hash, situation);
  }
  if (Object.keys(runs).length === 0) return { memory, must: false };
  return { memory: { ...memory, runs: { ...memory.runs, ...runs } }, must };
}

function endsForGood(hash: SpecHash, situation: Situation): boolean {
  const spec = specOf(situation, hash);
  return spec?.process.type === 'oneshot' || spec?.restart_policy.policy === 'never';
}
