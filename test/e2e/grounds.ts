/** On which grounds can a daemon stand here: as whom does it run, and what keeps its services together? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cgroupsMissing, isRoot } from '../linux/ground.ts';

export interface Ground {
  readonly title: string;
  readonly containment: 'cgroup' | 'process_group';
  /** `self`: whoever runs the tests. */
  readonly user: 'self' | 'nobody';
}

/** The programs under test. */
export const DIST =
  process.env['PROCESSMASTER_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url));

export const NOBODY = {
  uid: 65534,
  gid: 65534,
  command: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
} as const;

const CGROUP: Ground = { title: 'in cgroups', containment: 'cgroup', user: 'self' };
const PROCESS_GROUP: Ground = { title: 'in process groups', containment: 'process_group', user: 'self' };
const AS_NOBODY: Ground = { title: 'as user nobody', containment: 'process_group', user: 'nobody' };

/** Every ground that this host offers. */
export const GROUNDS: readonly Ground[] = [
  ...(cgroupsMissing ? [] : [CGROUP]),
  PROCESS_GROUP,
  ...(nobodyCanRun() ? [AS_NOBODY] : []),
];

/** The strongest ground of this host: for what is the same on all of them. */
export const GROUND: Ground = GROUNDS[0] ?? PROCESS_GROUP;

/**
 * A checkout below a private home directory is closed to nobody: he gets the programs under test as a copy. As no package
 * lies beside it, his daemon creates processes by fork(2), and the others by posix_spawn(3), where this host has that.
 */
export function copyForNobody(directory: string): string {
  const copy = join(directory, 'dist');
  fs.cpSync(DIST, copy, { recursive: true });
  return copy;
}

function nobodyCanRun(): boolean {
  if (!isRoot) return false;
  const [program = '', ...args] = NOBODY.command;
  return spawnSync(program, [...args, process.execPath, '--version']).status === 0;
}
