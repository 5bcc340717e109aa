/** Is this the only daemon of its base? The lock is kept by the kernel, so none can be left behind. */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import { writeControl } from './cgroup-files.ts';
import { describeProcess } from './describe-process.ts';
import { inWords } from './errno.ts';

/**
 * A daemon that was killed a moment ago, and launches that it had under way, need a few milliseconds to be gone; the
 * guard of a rotation that it was at stays a second (see cgroup-freeze.ts). All pauses together take about two.
 */
const TRIES = 28;
const PAUSE = { least: 20, most: 120 };

/**
 * Moves this process into `<base>/daemon`. Two that come at the same time see each other there, leave, and try again
 * after pauses of different length.
 * @param daemon the directory `<base>/daemon`
 * @param home the cgroup directory to go back to
 */
export function joinAlone(daemon: string, home: string | undefined, tries = TRIES): Problem | undefined {
  let other: number | undefined;
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt > 0) pause();
    try {
      other = otherThanMe(daemon);
      if (other !== undefined) continue;
      const failed = writeControl(daemon, 'cgroup.procs', String(process.pid));
      if (failed !== undefined) return cannotJoin(daemon, failed);
      other = otherThanMe(daemon);
      if (other === undefined) return undefined;
      if (home !== undefined) writeControl(home, 'cgroup.procs', String(process.pid));
    } catch (error) {
      return cannotJoin(daemon, error);
    }
  }
  return {
    code: 'daemon-running',
    severity: 'error',
    message: `a daemon already runs in ${daemon}: ${other === 0 ? 'a process of another pid namespace' : describeProcess(other ?? 0)}`,
    hint: 'stop it first, or give this one a cgroup_name of its own',
  };
}

function otherThanMe(daemon: string): number | undefined {
  const text = fs.readFileSync(`${daemon}/cgroup.procs`, 'utf8').trim();
  if (text === '') return undefined;
  return text
    .split('\n')
    .map(Number)
    .find((pid) => pid !== process.pid);
}

function cannotJoin(daemon: string, error: unknown): Problem {
  return {
    code: 'containment-weak',
    severity: 'error',
    message: `the daemon cannot move itself into ${daemon}: ${inWords(error)}`,
  };
}

/** At start nothing else is to be done meanwhile, so the whole thread may sleep. */
function pause(): void {
  const { least, most } = PAUSE;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(cell, 0, 0, least + Math.random() * (most - least));
}
