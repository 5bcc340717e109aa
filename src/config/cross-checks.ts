/** Do the fields of one definition fit each other, and the rights of the daemon? */
import type { Problem } from '../model/problem.ts';
import type { ServiceSpec } from '../model/spec.ts';
import { printDuration } from '../model/units.ts';
import { parseCron } from '../policy/cron.ts';
import { zoneNamed } from '../policy/time-zone.ts';
import type { HostFacts } from '../world/host-facts.ts';
import { isDeafTo } from './argv.ts';
import { type Origin, type Path, problemAt } from './raw-tree.ts';

/** `root`: whether the daemon is root. */
export interface Ground {
  readonly root: boolean;
  readonly host: HostFacts;
}

export function crossChecks(spec: ServiceSpec, { root, host }: Ground, origin: Origin): readonly Problem[] {
  return [
    ...unheardArguments(spec, origin),
    ...limitsInOrder(spec, origin),
    ...rights(spec, root, origin),
    ...backoff(spec, origin),
    ...schedule(spec, host, origin),
    ...reload(spec, origin),
    ...rollout(spec, origin),
    ...ownDependency(spec, origin),
  ];
}

function unheardArguments({ process }: ServiceSpec, origin: Origin): readonly Problem[] {
  if (!isDeafTo(process.args, process.command)) return [];
  const says = 'they are $0, $1, … of the shell, of which process.command, a text, uses none';
  const hint = 'write process.command as a list';
  return [problemAt(origin, ['process', 'args'], { code: 'value-invalid', says, hint, severity: 'warning' })];
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

function schedule({ process, instances }: ServiceSpec, host: HostFacts, origin: Origin): readonly Problem[] {
  const wanted = process.schedule;
  if (wanted === null) return [];
  const problems: Problem[] = [];
  const cron = parseCron(wanted.cron, wanted.timezone, host.zone);
  if ('problem' in cron) {
    const isZone = wanted.timezone !== null && zoneNamed(wanted.timezone) === undefined;
    const path = ['process', 'schedule', isZone ? 'timezone' : 'cron'];
    problems.push(problemAt(origin, path, { code: 'value-invalid', says: cron.problem, hint: cron.hint }));
  }
  if (instances > 1) {
    const says = `a service with a schedule runs one at a time, not ${instances}`;
    problems.push(problemAt(origin, ['instances'], { code: 'value-invalid', says }));
  }
  return problems;
}

function reload({ process }: ServiceSpec, origin: Origin): readonly Problem[] {
  if (process.reload_signal === null || process.reload_command === null) return [];
  const says = 'process.reload_command says already how to reload';
  const path: Path = ['process', 'reload_signal'];
  return [problemAt(origin, path, { code: 'value-invalid', says, hint: 'keep one of them' })];
}

function rollout({ rollout: { timeout } }: ServiceSpec, origin: Origin): readonly Problem[] {
  if (timeout > 0) return [];
  const says = '0 leaves a new process no time to become ready';
  return [problemAt(origin, ['rollout', 'timeout'], { code: 'value-invalid', says })];
}

function ownDependency({ name, depends_on }: ServiceSpec, origin: Origin): readonly Problem[] {
  if (!Object.hasOwn(depends_on, name)) return [];
  const inList = Object.keys(depends_on).indexOf(name);
  const inMap: Path = ['depends_on', name];
  const path = origin.source(inMap) === undefined ? ['depends_on', inList] : inMap;
  const says = `${name} would wait for itself: ${name} -> ${name}`;
  return [problemAt(origin, path, { code: 'dependency-cycle', says, of: 'key' })];
}
