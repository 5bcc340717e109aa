/** How is a process shown to people? */
import { frozenBy } from './old-freezer.ts';
import { hasEnded, type ProcessStat, processStat, readProc } from './procfs.ts';

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

/** `811 node worker.js (uninterruptible)`, `811 node worker.js (frozen by /sys/fs/cgroup/freezer/batch)`. */
export function describeProcess(pid: number): string {
  const stat = processStat(pid);
  if (stat === undefined) return `${pid} (gone)`;
  const line = harmless((readProc(`${pid}/cmdline`) ?? '').replace(/\0+$/, '').replaceAll('\0', ' '));
  const name = line === '' ? `[${harmless(stat.name)}]` : line;
  const state = stateOf(stat);
  return `${pid} ${name}${state === undefined ? '' : ` (${state})`}`;
}

function stateOf(stat: ProcessStat): string | undefined {
  if (stat.state === 'Z' && !hasEnded(stat)) return 'its first thread has ended';
  const freezer = stat.state === 'D' ? frozenBy(stat.pid) : undefined;
  return freezer === undefined ? STATES[stat.state] : `frozen by ${harmless(freezer)}`;
}

/** A process chooses its own command line: nothing in it may move the cursor or hide text. */
export function harmless(text: string): string {
  const shown = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  const letters = [...shown];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join('')}…` : shown;
}
