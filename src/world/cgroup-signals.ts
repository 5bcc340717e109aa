/** How does a signal reach every process of a cgroup? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import type { Signal } from '../model/signals.ts';
import { readableProcesses, readControl, writeControl } from './cgroup-files.ts';
import { unreadable } from './containment-trouble.ts';
import { codeOf, inWords } from './errno.ts';
import { processStat } from './procfs.ts';
import { resume, sendSignal } from './send-signal.ts';

/** Looks again this often for processes that were forked meanwhile; a look without a new one ends it. */
const ROUNDS = 64;

/**
 * Sends the signal once to each process, also to those that appear while we send. What cannot be read keeps nobody
 * else from it.
 * @param also a process that may not have joined its cgroup yet
 */
export function signalCgroup(cgroup: string, signal: Signal, also: number | undefined): Problem | undefined {
  const done = new Set<number>();
  let refused: Problem | undefined;
  let failed: unknown;
  for (let round = 0; round < ROUNDS; round++) {
    const listing = readableProcesses(cgroup);
    failed = listing.failed;
    const fresh = withLauncher(listing.pids, also).filter((pid) => !done.has(pid));
    if (fresh.length === 0) break;
    for (const pid of fresh) {
      done.add(pid);
      refused = sendSignal(pid, signal) ?? refused;
      resume(pid, processStat(pid)?.state, signal);
    }
  }
  return failed === undefined ? refused : unreadable(cgroup, failed);
}

function withLauncher(pids: readonly number[], also: number | undefined): readonly number[] {
  return also === undefined || pids.includes(also) ? pids : [...pids, also];
}

/** A frozen process cannot act on a signal: thaws the run and the service around it. */
export function thaw(...cgroups: readonly string[]): void {
  for (const cgroup of cgroups) {
    if (readControl(cgroup, 'cgroup.freeze') === '1') writeControl(cgroup, 'cgroup.freeze', '0');
  }
}

/**
 * SIGKILL to everything at once: `cgroup.kill` (since Linux 5.14) reaches what forks at the same time. Older kernels:
 * nothing forks while the cgroup is frozen, and SIGKILL ends frozen processes too.
 */
export function killCgroup(cgroup: string, also: number | undefined): Problem | undefined {
  const launcher = also === undefined ? undefined : sendSignal(also, 'SIGKILL');
  if (!fs.existsSync(`${cgroup}/cgroup.kill`)) {
    writeControl(cgroup, 'cgroup.freeze', '1');
    const problem = signalCgroup(cgroup, 'SIGKILL', also);
    writeControl(cgroup, 'cgroup.freeze', '0');
    return problem;
  }
  const failed = writeControl(cgroup, 'cgroup.kill', '1');
  if (failed === undefined || codeOf(failed) === 'ENOENT' || codeOf(failed) === 'ENODEV') return launcher;
  return {
    code: 'stop-blocked',
    severity: 'error',
    message: `${cgroup} cannot be killed: ${inWords(failed)}`,
  };
}
