/** Does the main process of a service live where no freezer of that service reaches it? */
import type { RunId, ServiceName } from '../model/names.ts';
import { readableProcesses } from './cgroup-files.ts';
import { seemsUsed } from './cgroup-history.ts';
import type { CgroupTree } from './cgroup-tree.ts';

/**
 * Looked at anew each time: nothing tells when a process leaves its cgroup. What cannot be read is taken for being where
 * it belongs; then the freezer says why it fails.
 * @param mainOf the main process of a run while it lives, wherever it is; undefined: it has ended, or nobody knows it
 */
export function hasStray(
  tree: CgroupTree,
  service: ServiceName,
  mainOf: (run: RunId) => number | undefined,
): boolean {
  return (tree.runsOf(service) ?? []).some((key) => {
    const directory = tree.ofRun(key);
    const { pids, failed } = readableProcesses(directory);
    // Asked last: who ended while the others were listed is not outside.
    const main = mainOf(key.id);
    if (main === undefined || failed !== undefined || pids.includes(main)) return false;
    // To a cgroup that was never used its launcher is still on the way, and finds it frozen.
    return seemsUsed(directory);
  });
}
