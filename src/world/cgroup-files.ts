/** What do the control files of one cgroup say, and how are they written? Every path is an absolute directory. */
import fs from 'node:fs';
import { codeOf } from './errno.ts';

/** `populated 1` in cgroup.events: does a process live here or below? Throws when the file cannot be read. */
export function isPopulated(cgroup: string): boolean {
  return /^populated 1$/m.test(fs.readFileSync(`${cgroup}/cgroup.events`, 'utf8'));
}

/**
 * A file of the kernel's "flat keyed" format: one `key number` a line (Documentation/admin-guide/cgroup-v2.rst,
 * "Interface Files").
 */
export function flatKeyed(text: string): ReadonlyMap<string, number> {
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => {
        const blank = line.lastIndexOf(' ');
        return [line.slice(0, blank), Number(line.slice(blank + 1))] as const;
      }),
  );
}

/** One number of a flat keyed file; null when the file or the key is not there. */
export function keyedNumber(cgroup: string, file: string, key: string): number | null {
  const text = readControl(cgroup, file);
  return text === undefined ? null : (flatKeyed(text).get(key) ?? null);
}

/** undefined when the file is not there or cannot be read: the controller is not enabled here. */
export function readControl(cgroup: string, file: string): string | undefined {
  try {
    return fs.readFileSync(`${cgroup}/${file}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Answers the error instead of throwing it. */
export function writeControl(cgroup: string, file: string, value: string): unknown {
  try {
    // Not writeFileSync: that would create the file, which a cgroup answers with EACCES instead of ENOENT.
    const fd = fs.openSync(`${cgroup}/${file}`, fs.constants.O_WRONLY);
    try {
      fs.writeSync(fd, value);
    } finally {
      fs.closeSync(fd);
    }
    return undefined;
  } catch (error) {
    return error;
  }
}

/**
 * Every process here and in the cgroups that the service may have made below. A process of another pid namespace is
 * listed as 0 and left out. A cgroup that is gone has none; other errors are thrown.
 */
export function processesIn(cgroup: string): readonly number[] {
  const { pids, failed } = readableProcesses(cgroup);
  if (failed !== undefined) throw failed;
  return pids;
}

/** The same, as far as it can be read; `failed` is the first error of what cannot, undefined for none. */
export function readableProcesses(cgroup: string): {
  readonly pids: readonly number[];
  readonly failed: unknown;
} {
  const pids: number[] = [];
  let failed: unknown;
  const walk = (each: string): void => {
    try {
      pids.push(...listedIn(each));
    } catch (error) {
      // A threaded cgroup lists no processes: the nearest one above that is not threaded lists them with its own.
      if (each === cgroup || !NOT_FOR_THREADED.has(codeOf(error))) failed ??= error;
    }
    try {
      for (const name of childCgroups(each)) walk(`${each}/${name}`);
    } catch (error) {
      failed ??= error;
    }
  };
  walk(cgroup);
  return { pids, failed };
}

/** EOPNOTSUPP and ENOTSUP are one number on Linux, and node tells it by either name. */
const NOT_FOR_THREADED: ReadonlySet<string> = new Set(['EOPNOTSUPP', 'ENOTSUP']);

/** The processes of this cgroup alone. */
function listedIn(cgroup: string): readonly number[] {
  const text = unlessGone(() => fs.readFileSync(`${cgroup}/cgroup.procs`, 'utf8'), '');
  return text
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0);
}

/** This cgroup and all below, parents first. */
function cgroupsIn(cgroup: string): readonly string[] {
  return [cgroup, ...childCgroups(cgroup).flatMap((name) => cgroupsIn(`${cgroup}/${name}`))];
}

/** How many cgroups are directly below; 0 when it is gone, other errors are thrown. */
export function childCount(cgroup: string): number {
  // The link count of a cgroup directory is 2 plus its children: most runs have none and need no listing.
  // An exception for each service that does not run yet would cost more than the question.
  return unlessGone(() => fs.statSync(cgroup, { throwIfNoEntry: false })?.nlink ?? 2, 2) - 2;
}

/** Their names; none when it is gone, other errors are thrown. */
export function childCgroups(cgroup: string): readonly string[] {
  if (childCount(cgroup) === 0) return [];
  const entries = unlessGone(() => fs.readdirSync(cgroup, { withFileTypes: true }), []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Removes it and every cgroup below, deepest first; gone is fine. Answers the error of the first refusal. */
export function removeCgroup(cgroup: string): unknown {
  try {
    for (const each of [...cgroupsIn(cgroup)].reverse()) {
      unlessGone(() => fs.rmdirSync(each), undefined);
    }
    return undefined;
  } catch (error) {
    return error;
  }
}

/** ENODEV is what an open file of a cgroup answers once the cgroup was removed. */
export function isGone(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENODEV';
}

function unlessGone<Answer>(action: () => Answer, gone: Answer): Answer {
  try {
    return action();
  } catch (error) {
    if (isGone(error)) return gone;
    throw error;
  }
}
