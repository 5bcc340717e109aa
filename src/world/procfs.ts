/** What does the kernel tell about one process? */
import fs from 'node:fs';

/** The fields of proc_pid_stat(5) that we need. */
export interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  /** One letter: R, S, D (uninterruptible), Z (zombie), T (stopped), … */
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  /** Clock ticks spent in user mode and in the kernel. */
  readonly cpuTicks: number;
  /** Field 22: start time in clock ticks since boot; with the pid, the identity of a process. */
  readonly startTicks: number;
}

/** Ticks per second: USER_HZ is 100 on every architecture that Linux and node share (sysconf(_SC_CLK_TCK)). */
export const TICKS_PER_SECOND = 100;

/** undefined when there is no such process, or it cannot be seen. */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readProc(`${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/**
 * The name may contain blanks, parentheses and line breaks: it ends at the last `)`.
 * @param text the content of /proc/<pid>/stat
 */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const after = text
    .slice(close + 1)
    .trim()
    .split(/\s+/);
  // Field n of the manual page is after[n - 3]: the pid and the name came before.
  const field = (number: number) => Number(after[number - 3]);
  const stat = {
    pid: Number(text.slice(0, open)),
    name: text.slice(open + 1, close),
    state: after[0] ?? '',
    parent: field(4),
    session: field(6),
    cpuTicks: field(14) + field(15),
    startTicks: field(22),
  };
  return Number.isInteger(stat.pid) && Number.isInteger(stat.startTicks) ? stat : undefined;
}

/**
 * True while the process that had this pid and start time lives; a zombie has ended.
 * @param ticks null: unknown, any process with this pid will do
 */
export function isAlive(pid: number, ticks: number | null): boolean {
  const stat = processStat(pid);
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return false;
  return ticks === null || stat.startTicks === ticks;
}

/** The environment that a process was started with; undefined when it cannot be read. */
export function environmentOf(pid: number): Readonly<Record<string, string>> | undefined {
  const text = readProc(`${pid}/environ`);
  return text === undefined ? undefined : parseEnvironment(text);
}

/** @param text the content of /proc/<pid>/environ: entries that each end with a NUL */
export function parseEnvironment(text: string): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const entry of text.split('\0')) {
    const sign = entry.indexOf('=');
    if (sign > 0) environment[entry.slice(0, sign)] = entry.slice(sign + 1);
  }
  return environment;
}

/** Resident memory in bytes; undefined when it cannot be read. */
export function residentBytes(pid: number): number | undefined {
  const pages = Number(readProc(`${pid}/statm`)?.split(' ')[1]);
  return Number.isInteger(pages) ? pages * PAGE : undefined;
}

/** 4 KiB on x86 and on nearly every arm64; only a fallback figure for people is computed from it. */
const PAGE = 4096;

/** Every process id there is; throws when /proc cannot be listed. */
export function allProcesses(): readonly number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Identifies one boot of this host: start times of another boot mean nothing. */
export function bootId(): string {
  return readProc('sys/kernel/random/boot_id')?.trim() ?? '';
}

/** The content of a file below /proc; undefined when it is gone or closed to us. */
export function readProc(path: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return undefined;
  }
}
