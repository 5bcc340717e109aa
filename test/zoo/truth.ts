/**
 * Which processes of an animal are there? Asked of the kernel, not of the program under test: each animal has a
 * working directory of its own, and whatever it starts stays there.
 */
import fs from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { readOr } from '../e2e/processes.ts';

/** Everything alive in the directory or below; also a process of which only the first thread has ended. */
export function livingIn(directory: string): readonly number[] {
  return fs
    .readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && isBelow(pid, directory));
}

/** Grouped by the directory directly below `directory`. */
export function livingByName(directory: string): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const pid of livingIn(directory)) {
    const name = placeOf(pid)
      ?.slice(directory.length + 1)
      .split('/')[0];
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), pid]);
  }
  return found;
}

/** For people: pid, state and name. */
export function described(pids: readonly number[]): readonly string[] {
  return pids.map((pid) => readOr(`/proc/${pid}/stat`).split(' ').slice(0, 8).join(' '));
}

/** Ends everything in the directory, by pid, also what forks at the same time. */
export async function endAllIn(directory: string, bound = 20_000): Promise<void> {
  const deadline = Date.now() + bound;
  for (;;) {
    const left = livingIn(directory);
    if (left.length === 0) return;
    if (Date.now() > deadline) throw new Error(`these do not end: ${described(left).join(', ')}`);
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
    await after(5);
  }
}

function isBelow(pid: number, directory: string): boolean {
  const place = placeOf(pid);
  return place !== undefined && (place === directory || place.startsWith(`${directory}/`));
}

/** undefined: gone, or a zombie with all its threads. */
function placeOf(pid: number): string | undefined {
  return (
    place(`/proc/${pid}/cwd`) ??
    tasksOf(pid).flatMap((task) => place(`/proc/${pid}/task/${task}/cwd`) ?? [])[0]
  );
}

function tasksOf(pid: number): readonly string[] {
  try {
    return fs.readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function place(link: string): string | undefined {
  try {
    return fs.readlinkSync(link);
  } catch {
    return undefined;
  }
}
