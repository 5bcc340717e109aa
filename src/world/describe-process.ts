/** How is a process shown to people? */
import { processStat, readProc } from './procfs.ts';

/** Longer command lines are cut: one line of a terminal has to hold the sentence around them. */
const LONGEST = 80;

/** By the letter of proc_pid_stat(5); a state that needs no explanation is not mentioned. */
const STATES: Readonly<Record<string, string>> = {
  D: 'uninterruptible',
  T: 'stopped',
  t: 'traced',
  Z: 'zombie',
  X: 'dead',
};

/** `811 node worker.js (uninterruptible)`. */
export function describeProcess(pid: number): string {
  const stat = processStat(pid);
  if (stat === undefined) return `${pid} (gone)`;
  const line = harmless((readProc(`${pid}/cmdline`) ?? '').replace(/\0+$/, '').replaceAll('\0', ' '));
  const name = line === '' ? `[${harmless(stat.name)}]` : line;
  const state = STATES[stat.state];
  return `${pid} ${name}${state === undefined ? '' : ` (${state})`}`;
}

/** A process chooses its own command line: nothing in it may move the cursor or hide text. */
export function harmless(text: string): string {
  const shown = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  const letters = [...shown];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join('')}…` : shown;
}
