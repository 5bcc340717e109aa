/** How is a signal sent to one process? */
import type { Problem } from '../model/problem.ts';
import type { Signal } from '../model/signals.ts';
import { codeOf, inWords } from './errno.ts';

/** @param pid greater than 0: the others mean whole groups to kill(2). Already gone is fine */
export function sendSignal(pid: number, signal: Signal): Problem | undefined {
  if (!Number.isInteger(pid) || pid <= 0) throw new Error(`no process has the id ${pid}`);
  try {
    process.kill(pid, signal);
    return undefined;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return undefined;
    const message = `${signal} to process ${pid} was refused: ${inWords(error)}`;
    return { code: 'stop-blocked', severity: 'error', message };
  }
}
