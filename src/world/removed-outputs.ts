/** Does a process write to a file that somebody has removed? */
import fs from 'node:fs';

/** How the kernel ends the name of a file that has none any more (proc_pid_fd(5)). */
const DELETED = / \(deleted\)$/;

/**
 * The files that were removed under the standard output and the standard error of a process, by the paths that they had.
 * None where the process is gone, or may not be looked into.
 */
export function removedOutputs(pid: number): readonly string[] {
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
  return [...new Set(paths)];
}
