/** Do the fields of one definition fit each other, and the rights of the daemon? */
import type { Problem } from '../model/problem.ts';
import type { ServiceSpec } from '../model/spec.ts';
import { printDuration } from '../model/units.ts';
import { type Origin, type Path, problemAt } from './raw-tree.ts';

/** @param root whether the daemon is root */
export function crossChecks(spec: ServiceSpec, root: boolean, origin: Origin): readonly Problem[] {
  return [...limitsInOrder(spec, origin), ...rights(spec, root, origin), ...backoff(spec, origin)];
}

/** setrlimit(2): EINVAL when the soft limit is above the hard one. */
function limitsInOrder(spec: ServiceSpec, origin: Origin): readonly Problem[] {
  return Object.entries(spec.process.rlimits).flatMap(([name, { soft, hard }]) => {
    if (hard === null || (soft !== null && soft <= hard)) return [];
    const says = `the soft limit ${soft ?? 'unlimited'} is above the hard limit ${hard}`;
    return [problemAt(origin, ['process', 'rlimits', name], { code: 'value-invalid', says })];
  });
}

/** setpriority(2) wants CAP_SYS_NICE, proc_pid_oom_score_adj(5) wants CAP_SYS_RESOURCE. */
function rights(spec: ServiceSpec, root: boolean, origin: Origin): readonly Problem[] {
  if (root) return [];
  const { nice, oom_score_adjust } = spec.process;
  return Object.entries({ nice, oom_score_adjust }).flatMap(([key, value]) => {
    if (value === null || value >= 0) return [];
    const path: Path = ['process', key];
    const says = `${value} needs a daemon that runs as root`;
    return [problemAt(origin, path, { code: 'privilege-missing', says })];
  });
}

function backoff(spec: ServiceSpec, origin: Origin): readonly Problem[] {
  const { restart_backoff: first, max_backoff: most } = spec.restart_policy;
  if (most >= first) return [];
  const says = `${printDuration(most)} is less than restart_backoff, ${printDuration(first)}, and changes nothing`;
  const path: Path = ['restart_policy', 'max_backoff'];
  return [problemAt(origin, path, { code: 'value-invalid', says, severity: 'warning' })];
}
