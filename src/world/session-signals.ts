/** How does a signal reach every process of a session? */
import type { Problem } from '../model/problem.ts';
import type { Signal } from '../model/signals.ts';
import { inWords } from './errno.ts';
import { isAlive, type ProcessStat } from './procfs.ts';
import { resume, sendSignal, signalGroup } from './send-signal.ts';
import { ProcessTable, type Session } from './session-members.ts';

/** Looks again this often for processes that were forked meanwhile; a look without a new one ends it. */
const ROUNDS = 32;

/**
 * Sends the signal once to each process, also to those that appear while we send. SIGKILL goes to whole process groups
 * first: nobody can fork out of its reach, as the kernel forks no process that has a signal to act on (kill(2), fork(2)).
 */
export function signalSession(session: Session, signal: Signal): Problem | undefined {
  const done = new Set<string>();
  let refused: Problem | undefined;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const members = new ProcessTable().members(session);
      const fresh = members.filter(({ pid, startTicks }) => !done.has(`${pid}.${startTicks}`));
      if (fresh.length === 0) break;
      if (signal === 'SIGKILL') for (const group of ownGroups(members, session)) signalGroup(group, signal);
      for (const { pid, startTicks, state } of fresh) {
        done.add(`${pid}.${startTicks}`);
        // The pid may have become somebody else's since it was looked up.
        if (!isAlive(pid, startTicks)) continue;
        refused = sendSignal(pid, signal) ?? refused;
        resume(pid, state, signal);
      }
    }
  } catch (error) {
    return { code: 'observe-failed', severity: 'error', message: `/proc cannot be read: ${inWords(error)}` };
  }
  return refused;
}

/** Process groups that are the run's alone: those in its own session, or in one whose leader is a member and lives. */
function ownGroups(members: readonly ProcessStat[], { leader }: Session): ReadonlySet<number> {
  const pids = new Set(members.map(({ pid }) => pid));
  if (leader !== null) pids.add(leader.pid);
  return new Set(members.flatMap(({ group, session }) => (pids.has(session) ? [group] : [])));
}
