/** Which processes are there, and what is true of one of them? Asked of the kernel, not of the program under test. */
import fs from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';

/** Gone, or a zombie: nothing runs under this pid. */
export function isGone(pid: number): boolean {
  return /^$|^\d+ \(.*\) [ZX]/s.test(readOr(`/proc/${pid}/stat`));
}

/** `Uid`, `Groups`, … of proc_pid_status(5). */
export function statusField(pid: number, name: string): string {
  const line = readOr(`/proc/${pid}/status`).match(new RegExp(`^${name}:\\s*(.*)$`, 'm'));
  return line?.[1]?.trim() ?? '';
}

export function descriptorsOf(pid: number): number {
  return fs.readdirSync(`/proc/${pid}/fd`).length;
}

export function childrenOf(pid: number): readonly number[] {
  return pids().filter((child) => parentOf(child) === pid);
}

/** Ends every process whose working directory is below; for what no cgroup holds together. */
export async function endProcessesBelow(directory: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const left = pids().filter((pid) => pid !== process.pid && isBelow(pid, directory) && !isGone(pid));
    if (left.length === 0) return;
    if (Date.now() > deadline) throw new Error(`these processes do not end: ${left.join(', ')}`);
    for (const pid of left) kill(pid);
    await after(10);
  }
}

function pids(): readonly number[] {
  return fs.readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function parentOf(pid: number): number {
  return Number(readOr(`/proc/${pid}/stat`).match(/^\d+ \(.*\) \S (\d+)/s)?.[1] ?? 0);
}

function isBelow(pid: number, directory: string): boolean {
  try {
    const place = fs.readlinkSync(`/proc/${pid}/cwd`);
    return place === directory || place.startsWith(`${directory}/`) || place.startsWith(`${directory} (`);
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

export function readOr(path: string, otherwise = ''): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
