/** Does a freezer of cgroup v1 hold a process? What is in there does not even die (freezer-subsystem.rst of the kernel). */
import fs from 'node:fs';
import { posix } from 'node:path';
import { readProc } from './procfs.ts';

/** The directory of the cgroup that is frozen; undefined when none is, or it cannot be seen. */
export function frozenBy(pid: number): string | undefined {
  const path = pathInFreezer(readProc(`${pid}/cgroup`) ?? '');
  if (path === undefined) return undefined;
  const mount = freezerMount(readProc('self/mountinfo') ?? '');
  if (mount === undefined) return undefined;
  const directory = posix.join(mount, path);
  try {
    const state = fs.readFileSync(`${directory}/freezer.state`, 'utf8').trim();
    return state === 'THAWED' ? undefined : directory;
  } catch {
    return undefined;
  }
}

/** @param text of /proc/<pid>/cgroup: `6:freezer:/some/where` (cgroups(7)); the root of a hierarchy never freezes */
export function pathInFreezer(text: string): string | undefined {
  for (const line of text.split('\n')) {
    const [, controllers = '', ...rest] = line.split(':');
    const path = rest.join(':');
    if (controllers.split(',').includes('freezer') && path !== '/') return path;
  }
  return undefined;
}

/** @param text of /proc/self/mountinfo (proc_pid_mountinfo(5)) */
export function freezerMount(text: string): string | undefined {
  for (const line of text.split('\n')) {
    const [mount = '', file = ''] = line.split(' - ');
    const [type, , options = ''] = file.split(' ');
    if (type === 'cgroup' && options.split(',').includes('freezer')) return mount.split(' ')[4];
  }
  return undefined;
}
