/** As whom, and with which secrets, does a command of a run act? */
import { NO_ORIGIN } from '../config/raw-tree.ts';
import { whoRuns, whoWanted } from '../config/who.ts';
import type { RunKey } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Credentials, SecretEnvironment, ServiceSpec } from '../model/spec.ts';
import { specOf } from '../reconcile/notice-exits.ts';
import type { Situation } from '../reconcile/situation.ts';
import type { Users } from '../world/world.ts';

export interface Identity {
  readonly spec: ServiceSpec;
  readonly credentials: Credentials | null;
  /** undefined: only the run itself knows them any more. */
  readonly secrets: SecretEnvironment | undefined;
}

/**
 * What the run was started with, as far as it is known; an older definition by the users and groups of now. A user who
 * is gone is not replaced by the daemon's own: what it may do, the command was never meant to do.
 */
export function identityOf(
  run: RunKey,
  situation: Pick<Situation, 'desired' | 'applied'>,
  users: Users,
): Identity | Problem | undefined {
  const spec = specOf(situation, run.hash);
  if (spec === undefined) return undefined;
  const desired = situation.desired?.kind === 'defined' ? situation.desired : undefined;
  if (desired?.hash === run.hash) {
    return { spec, credentials: desired.credentials, secrets: desired.secrets };
  }
  const who = whoRuns(whoWanted(spec.process), users, NO_ORIGIN);
  if (!('problems' in who)) return { spec, credentials: who.credentials, secrets: undefined };
  const [problem] = who.problems;
  return problem ?? { code: 'start-failed', severity: 'error', message: 'its user is not known any more' };
}
