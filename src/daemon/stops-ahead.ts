/** Which stops must be written down before they begin, so that another daemon is not misled by how they end? */
import type { Memory, RunMemory } from '../model/memory.ts';
import type { RunId, SpecHash } from '../model/names.ts';
import { resumed } from '../policy/stop.ts';
import { specOf } from '../reconcile/notice-exits.ts';
import type { Decision, Situation } from '../reconcile/situation.ts';

export interface Ahead {
  /** What may be written before the decision is carried out: of its stops no step is taken yet. */
  readonly memory: Memory;
  /** It must be written before. */
  readonly must: boolean;
}

/**
 * Where nothing is restarted, an end that a daemon did not see leaves a doubt whether the work was done: a one-shot that
 * was being stopped must not be taken for one that came to its own end. And whoever was not told yet must not be killed
 * by the next daemon as if it had been.
 */
export function stopsAhead({ actions, memory }: Decision, situation: Situation): Ahead {
  const runs: Record<RunId, RunMemory> = {};
  let must = false;
  for (const action of actions) {
    const hooks = action.do === 'hook' && action.hook === 'pre_stop';
    const ends = action.do === 'signal' || action.do === 'stop_command' || action.do === 'kill';
    if (!hooks && !ends) continue;
    const { id, hash } = action.run;
    const now = memory.runs[id];
    if (now?.stop == null) continue;
    const before = situation.memory.runs[id]?.stop ?? null;
    const isBegun = resumed(before, situation.now) !== null;
    runs[id] = { ...now, stop: isBegun ? before : { ...now.stop, step: 'due' } };
    must ||= !isBegun && endsForGood(hash, situation);
  }
  if (Object.keys(runs).length === 0) return { memory, must: false };
  return { memory: { ...memory, runs: { ...memory.runs, ...runs } }, must };
}

function endsForGood(hash: SpecHash, situation: Situation): boolean {
  const spec = specOf(situation, hash);
  return spec?.process.type === 'oneshot' || spec?.restart_policy.policy === 'never';
}
