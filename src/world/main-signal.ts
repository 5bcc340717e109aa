/** How is one process of a run signalled, and no other in its place? */
import type { Problem } from '../model/problem.ts';
import { SIGNALS, type Signal } from '../model/signals.ts';
import { inWords } from './errno.ts';
import { isAlive } from './procfs.ts';
import type { Started } from './world.ts';

/**
 * Signals the first process of a run, which must still be a member of it: the number may be somebody else's by now.
 * @param main as it was noted at the start; null: nobody remembers, then it is the oldest member
 * @param members of the run, oldest first
 */
export function signalMain(
  main: Started | null,
  members: readonly number[],
  signal: Signal,
): Problem | undefined {
  const known = main !== null && isAlive(main.pid, main.ticks) ? main.pid : undefined;
  const pid = main === null ? members[0] : members.find((member) => member === known);
  if (pid === undefined) return refused(signal, 'its first process has ended');
  try {
    process.kill(pid, SIGNALS[signal]);
    return undefined;
  } catch (error) {
    return refused(signal, inWords(error));
  }
}

function refused(signal: Signal, why: string): Problem {
  return { code: 'reload-failed', severity: 'error', message: `${signal} could not be sent: ${why}` };
}
