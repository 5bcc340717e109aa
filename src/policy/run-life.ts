/** Is a run still going on, is it over, and what is left of it? */
import type { ObservedRun } from '../model/observed.ts';
import type { ServiceSpec } from '../model/spec.ts';
import { isSuccess } from './restart.ts';

export type RunLife =
  /** It goes on (also: we could not look; unknown counts as running). */
  | 'alive'
  /** It is over, but processes of it are left. */
  | 'leftovers'
  /** It is over and nothing is left. */
  | 'over'
  /** Its place was made but no process ever lived there. */
  | 'unborn';

/**
 * When a run is over depends on `process.exit_on`: with `main` when its first process ended, with `empty` when no
 * process is left, with `auto` when the first process failed, or ended well and nothing is left (a daemonised child
 * keeps it alive).
 */
export function lifeOf(run: ObservedRun, spec: ServiceSpec | undefined): RunLife {
  if (run.main.is === 'running' || run.members.is === 'unseen') return 'alive';
  if (run.members.is === 'none') return run.everRan || isSeenToEnd(run) ? 'over' : 'unborn';
  if (run.main.is === 'unknown') return 'alive';
  const exitOn = spec?.process.exit_on ?? 'auto';
  if (exitOn === 'empty') return 'alive';
  if (exitOn === 'main') return 'leftovers';
  const { outcome } = run.main;
  if (outcome.kind === 'unknown') return 'alive';
  return isSuccess(outcome, spec?.restart_policy.success_exit_codes ?? [0]) ? 'alive' : 'leftovers';
}

/** Whoever is only not found may be on its way into its place: started by a daemon that died a moment ago. */
function isSeenToEnd({ main }: ObservedRun): boolean {
  return main.is === 'ended' && main.outcome.kind !== 'unknown';
}
