/** What does the kernel tell about one process? */
import fs from 'node:fs';
import type { Credentials } from '../model/spec.ts';
import { codeOf } from './errno.ts';

/** The fields of proc_pid_stat(5) that we need. */
export interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  /** One letter: R, S, D (uninterruptible), Z (zombie), T (stopped), … */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks spent in user mode and in the kernel. */
  readonly cpuTicks: number;
  /** Threads, with the first one as long as any is left. */
  readonly threads: number;
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

/** The same, and throws when it could not be looked at: that says nothing of the process. */
export function seenStat(pid: number): ProcessStat | undefined {
  const text = seenProc(`${pid}/stat`);
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
  const after = fieldsAfterName(text);
  const field = (number: number) => Number(after[number - 3]);
  const stat = {
    pid: Number(text.slice(0, open)),
    name: text.slice(open + 1, close),
    state: after[0] ?? '',
    parent: field(4),
    group: field(5),
    session: field(6),
    cpuTicks: field(14) + field(15),
    threads: field(20),
    startTicks: field(22),
  };
  return Number.isInteger(stat.pid) && Number.isInteger(stat.startTicks) ? stat : undefined;
}

/** Field n of the manual page is the one with the index n - 3: the pid and the name came before. */
function fieldsAfterName(text: string): readonly string[] {
  return text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
}

/** In the flags of a kernel thread (PF_KTHREAD in include/linux/sched.h), which has no memory of its own. */
const KERNEL_THREAD = 0x00200000;

/**
 * `coming`: in the midst of execve(2) the new program is there, and for a moment, or longer where others run meanwhile,
 * no environment is: of what proc_pid_stat(5) tells, startcode is set after env_end (load_elf_binary in fs/binfmt_elf.c).
 * `none`: also of who has ended, and of kernel threads. Throws when it could not be looked at.
 */
export function environmentState(pid: number): 'some' | 'none' | 'coming' {
  const text = seenProc(`${pid}/stat`);
  const stat = text === undefined ? undefined : parseStat(text);
  if (text === undefined || stat === undefined || hasEnded(stat)) return 'none';
  const after = fieldsAfterName(text);
  const [flags = '', code, start, end] = [after[9 - 3], after[26 - 3], after[50 - 3], after[51 - 3]];
  if ((Number(flags) & KERNEL_THREAD) !== 0) return 'none';
  if (code === '0') return 'coming';
  return start === end ? 'none' : 'some';
}

/**
 * A zombie has ended; one that has more threads than the first goes on in the others (pthread_exit(3) in main), and only
 * looks like one.
 */
export function hasEnded({ state, threads }: ProcessStat): boolean {
  return state === 'X' || (state === 'Z' && threads <= 1);
}

/**
 * Tells two sessions apart that had the same number: the kernel gives each a scheduling group of its own, whose number
 * it never uses again (sched(7), "The autogroup feature"). null where it has none, or the process is gone.
 */
export function sessionMark(pid: number): string | null {
  return markIn(seenProc(`${pid}/autogroup`));
}

/** The mark of a session that was made just now, to be written down; null also where it could not be read. */
export function newSessionMark(pid: number): string | null {
  return markIn(readProc(`${pid}/autogroup`));
}

function markIn(autogroup: string | undefined): string | null {
  return /^\/autogroup-\d+/.exec(autogroup ?? '')?.[0] ?? null;
}

/** False when the process belongs to another session than the one with this mark; true when nobody can tell. */
export function hasMark(pid: number, mark: string | null): boolean {
  return mark === null || (sessionMark(pid) ?? mark) === mark;
}

/**
 * True while the process that had this pid and start time lives; a zombie has ended.
 * @param ticks null: unknown, any process with this pid will do
 */
export function isAlive(pid: number, ticks: number | null): boolean {
  return isSame(processStat(pid), ticks);
}

/** The same, and throws when it could not be looked at. */
export function isSeenAlive(pid: number, ticks: number | null): boolean {
  return isSame(seenStat(pid), ticks);
}

function isSame(stat: ProcessStat | undefined, ticks: number | null): boolean {
  if (stat === undefined || hasEnded(stat)) return false;
  return ticks === null || stat.startTicks === ticks;
}

/**
 * Those that run as this user and nobody else.
 * @param who null: the user of the daemon; undefined: anybody
 */
export function processesAs(pids: readonly number[], who: Credentials | null | undefined): readonly number[] {
  if (who === undefined) return pids;
  const uid = who === null ? process.geteuid?.() : who.uid;
  return pids.filter((pid) => soleUser(readProc(`${pid}/status`)) === uid);
}

/**
 * The user as whom a process runs, and nobody else: in a program with the set-user-ID bit one of the four user ids, among
 * them the real one, is that of whoever started it, who also chooses its environment (proc_pid_status(5), Uid).
 * @param status the content of /proc/<pid>/status
 * @returns undefined: it runs as several, or is gone
 */
export function soleUser(status: string | undefined): number | undefined {
  const [first, ...others] = /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(status ?? '')?.slice(1) ?? [];
  return first !== undefined && others.every((each) => each === first) ? Number(first) : undefined;
}

/** A process in the midst of an exec is asked so often for its environment: half a millisecond, usually far too long. */
const READINGS = 100;

/**
 * The content of /proc/<pid>/environ, empty where there is none; undefined: it was in the midst of an exec all the time.
 * Throws when it could not be looked at.
 * @param readings so often it is asked
 */
export function seenEnvironment(pid: number, readings = READINGS): string | undefined {
  for (let reading = 0; reading < readings; reading++) {
    const text = seenProc(`${pid}/environ`);
    if (text !== '') return text ?? '';
    // One exec may be over between the two questions, and the next have begun before the first is asked again.
    if (environmentState(pid) === 'none') return '';
  }
  return undefined;
}

/** To be thrown where an environment could not be had, as the errors of reading /proc are. */
export function veiled(pid: number): Error {
  const path = `/proc/${pid}/environ`;
  return Object.assign(new Error(`${path}: another program is being executed`), { code: 'EAGAIN', path });
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

/**
 * Identifies one boot of this host: start times of another boot mean nothing. Empty where the host has none; throws when
 * it could not be read, which must not be taken for another boot.
 */
export function bootId(): string {
  return seenProc('sys/kernel/random/boot_id')?.trim() ?? '';
}

/** Not there, or not for us to see: the answers of a kernel that is short of nothing (proc(5)). */
const ANSWERS: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'ENOTDIR', 'EACCES', 'EPERM']);

/** The content of a file below /proc; undefined when it is gone or closed to us; throws when it could not be read. */
export function seenProc(path: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/${path}`, 'utf8');
  } catch (error) {
    if (ANSWERS.has(codeOf(error))) return undefined;
    throw error;
  }
}

/** The content of a file below /proc; undefined when it is gone or closed to us, or could not be read. */
export function readProc(path: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return undefined;
  }
}
