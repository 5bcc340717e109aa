/** How does a signal reach every process of a session? */
import type { Problem } from '../model/problem.ts';
import type { Signal } from '../model/signals.ts';
import { inWords } from './errno.ts';
import { isAlive } from './procfs.ts';
import { sendSignal } from './send-signal.ts';
import { ProcessTable, type Session } from './session-members.ts';

/** Looks again this often for processes that were forked meanwhile; a look without a new one ends it. */
const ROUNDS = 32;

/** Sends the signal once to each process, also to those that appear while we send. */
export function signalSession(session: Session, signal: Signal): Problem | undefined {
  const done = new Set<string>();
  let refused: Problem | undefined;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const members = new ProcessTable().members(session);
      const fresh = members.filter(({ pid, startTicks }) => !done.has(`${pid}.${startTicks}`));
      if (fresh.length === 0) break;
      for (const { pid, startTicks } of fresh) {
        done.add(`${pid}.${startTicks}`);
        // The pid may have become somebody else's since it was looked up.
        if (isAlive(pid, startTicks)) refused = sendSignal(pid, signal) ?? refused;
      }
    }
  } catch (error) {
    return { code: 'observe-failed', severity: 'error', message: `/proc cannot be read: ${inWords(error)}` };
  }
  return refused;
}
