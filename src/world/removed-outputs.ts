/** Does a process write to a log that somebody has removed? */
import fs from 'node:fs';
import { basename, dirname, isAbsolute } from 'node:path';
import { LINKS } from './safe-walk.ts';

/** How the kernel ends the name of a file that has none any more (proc_pid_fd(5)). */
const DELETED = / \(deleted\)$/;

/**
 * The logs that were removed under the standard output and the standard error of a process, by the paths that they had.
 * None where the process is gone, or may not be looked into.
 * @param logs the paths that it was given: what it has opened and removed itself is its own affair
 */
export function removedOutputs(pid: number, logs: readonly string[]): readonly string[] {
  const paths = [1, 2].flatMap((descriptor) => {
    const link = `/proc/${pid}/fd/${descriptor}`;
    try {
      const { nlink } = fs.statSync(link);
      // A pipe and a socket have a name of their own kind; what lies in memory only (memfd_create(2)) was never a log.
      const target = nlink === 0 ? fs.readlinkSync(link) : '';
      return target.startsWith('/') && !target.startsWith('/memfd:') ? [target.replace(DELETED, '')] : [];
    } catch {
      return [];
    }
  });
  if (paths.length === 0) return [];
  const names = logs.flatMap(namesOf);
  return [...new Set(paths)].filter((path) => names.some((name) => basename(path).startsWith(name)));
}

/**
 * Its own, and those behind links. Only these tell a log: the kernel names the directory as it is called now, without
 * links; and whoever has moved a log away before, by a name that mostly begins with the old one, may have chosen another.
 */
function namesOf(log: string): readonly string[] {
  const names = [basename(log)];
  let path = log;
  try {
    while (names.length <= LINKS) {
      const target = fs.readlinkSync(path);
      path = isAbsolute(target) ? target : `${dirname(path)}/${target}`;
      names.push(basename(path));
    }
  } catch {
    // No link: this is what they lead to, whether it is still there or not.
  }
  return names;
}
