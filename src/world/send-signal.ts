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

/**
 * To every process of a group at once.
 * @param group greater than 1. A refusal is not told: who is left is seen at the next look
 */
export function signalGroup(group: number, signal: Signal): void {
  if (!Number.isInteger(group) || group <= 1) throw new Error(`no process group has the number ${group}`);
  try {
    process.kill(-group, signal);
  } catch {
    // Gone meanwhile, or everybody in it belongs to another user.
  }
}

/**
 * A process that was stopped (SIGSTOP, a debugger's or a terminal's doing) acts on a signal only when it goes on.
 * @param state the letter of proc_pid_stat(5)
 * @param sent what it is to act on
 */
export function resume(pid: number, state: string | undefined, sent: Signal): void {
  if (state === 'T' && sent !== 'SIGKILL' && sent !== 'SIGSTOP') sendSignal(pid, 'SIGCONT');
}
