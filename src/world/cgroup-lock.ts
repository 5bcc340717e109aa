/** Is this the only daemon of its base? The lock is kept by the kernel, so none can be left behind. */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import { isBystander, openMark } from './cgroup-bystanders.ts';
import { writeControl } from './cgroup-files.ts';
import { describeProcess } from './describe-process.ts';
import { inWords, isShortage } from './errno.ts';
import { blockFor } from './pause.ts';

/**
 * A daemon that was killed a moment ago, and launches that it had under way, need a few milliseconds to be gone; the
 * guard of a rotation that it was at stays a second (see cgroup-freeze.ts). All pauses together take about two, those
 * before bystanders are let be about one and a half.
 */
const TRIES = { all: 32, patient: 24 };
const PAUSE = { least: 20, most: 120 };

/** A descriptor by which others know a daemon, see {@link openMark}; to be closed when it has left. */
export interface Mark {
  readonly mark: number;
}

/**
 * Begins what {@link joinAlone} goes on with: joining a cgroup after a while in which nobody did waits for a quiet point
 * of all cores (cgroup_threadgroup_rwsem in kernel/cgroup/cgroup.c, an RCU grace period), 10 to 40 ms in which this
 * thread can do something else.
 * @returns resolves when it has joined, or could not: why not, joinAlone finds out. The mark is needed until that is over
 */
export async function beginToJoin(daemon: string): Promise<Mark | undefined> {
  let mark: number | undefined;
  try {
    if (listed(daemon).some((pid) => pid !== process.pid)) return undefined;
    mark = openMark(daemon);
    const file = fs.openSync(`${daemon}/cgroup.procs`, fs.constants.O_WRONLY);
    await new Promise((resolve) => {
      fs.write(file, String(process.pid), resolve);
    });
    fs.closeSync(file);
  } catch {
    // It will happen again.
  }
  return mark === undefined ? undefined : { mark };
}

/**
 * Moves this process into `<base>/daemon`, unless it is there already. Two that come at the same time see each other
 * there, leave, and try again after pauses of different length. Whom a daemon left there that died is waited for, but
 * not for good.
 * @param daemon the directory `<base>/daemon`
 * @param home the cgroup directory to go back to
 */
export function joinAlone(daemon: string, home: string | undefined, tries = TRIES): Problem | Mark {
  let mark: number | undefined;
  try {
    mark = openMark(daemon);
    const problem = tryToJoin(daemon, home, tries);
    if (problem === undefined) return { mark };
    fs.closeSync(mark);
    return problem;
  } catch (error) {
    if (mark !== undefined) fs.closeSync(mark);
    return cannotJoin(daemon, error);
  }
}

function tryToJoin(daemon: string, home: string | undefined, tries: typeof TRIES): Problem | undefined {
  let other: number | undefined;
  for (let attempt = 0; attempt < tries.all; attempt++) {
    if (attempt > 0) pause();
    const isOther = (pid: number) =>
      pid !== process.pid && (attempt < tries.patient || !isBystander(pid, daemon));
    const before = listed(daemon);
    let isIn = before.includes(process.pid);
    other = before.find(isOther);
    if (other === undefined && !isIn) {
      const failed = writeControl(daemon, 'cgroup.procs', String(process.pid));
      if (failed !== undefined) return cannotJoin(daemon, failed);
      isIn = true;
      other = listed(daemon).find(isOther);
    }
    if (other === undefined) return undefined;
    if (isIn && home !== undefined) writeControl(home, 'cgroup.procs', String(process.pid));
  }
  return {
    code: 'daemon-running',
    severity: 'error',
    message: `a daemon already runs in ${daemon}: ${other === 0 ? 'a process of another pid namespace' : describeProcess(other ?? 0)}`,
    hint: 'stop it first, or give this one a cgroup_name of its own',
  };
}

/** The processes in it; one of another pid namespace is 0. */
function listed(daemon: string): readonly number[] {
  const text = fs.readFileSync(`${daemon}/cgroup.procs`, 'utf8').trim();
  return text === '' ? [] : text.split('\n').map(Number);
}

function cannotJoin(daemon: string, error: unknown): Problem {
  const message = `the daemon cannot move itself into ${daemon}: ${inWords(error)}`;
  if (isShortage(error)) return tooShort(message);
  return { code: 'containment-weak', severity: 'error', message };
}

/** A shortage is no reason to do without cgroups: services may run in some. */
export function tooShort(message: string): Problem {
  const hint = 'raise the limit (ulimit -n, LimitNOFILE=), or start the daemon again when the host has some';
  return { code: 'host-short', severity: 'error', message, hint };
}

/** At start nothing else is to be done meanwhile, so the whole thread may sleep. */
function pause(): void {
  const { least, most } = PAUSE;
  blockFor(least + Math.random() * (most - least));
}
