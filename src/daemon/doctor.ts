/** What does this host give, and what is missing for the promises to hold? */
import type { DoctorView } from '../api/contract.ts';
import { sentence } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import { joinsSlowly } from '../world/cgroup-mount.ts';
import { isFailure, type World } from '../world/world.ts';
import type { Loop } from './loop.ts';
import { weakerPromises } from './weaker-promises.ts';

type Check = DoctorView['checks'][number];

export function examine(world: World, settings: Settings, loop: Loop, system: string): DoctorView {
  return {
    checks: [
      { name: 'system', ok: true, detail: system },
      containmentCheck(world),
      ...mountCheck(world),
      ...world.containment.shortcomings.map(
        (problem): Check => ({
          name: problem.code,
          ok: false,
          detail: problem.message,
          ...(problem.hint === undefined ? {} : { hint: problem.hint }),
        }),
      ),
      ...weakerPromises(world).map((promise): Check => ({ ...promise, ok: false })),
      userCheck(world),
      directoryCheck(settings, loop),
      stateCheck(world, settings),
      watchCheck(world),
    ],
  };
}

function containmentCheck(world: World): Check {
  const cgroup = world.containment.kind === 'cgroup';
  return {
    name: 'containment',
    ok: cgroup,
    detail: cgroup ? 'each run is a cgroup' : 'each run is a session of processes',
  };
}

/** Bytes; a host with thousands of mounts has a long list. */
const MOUNTINFO_LIMIT = 8 * 1024 * 1024;

/** Nothing is amiss without the option: that is the administrator's choice. */
function mountCheck({ containment, files }: World): readonly Check[] {
  const mountinfo = files.read('/proc/self/mountinfo', MOUNTINFO_LIMIT);
  const features = files.read('/sys/kernel/cgroup/features', 4096);
  if (containment.kind !== 'cgroup' || isFailure(mountinfo) || isFailure(features)) return [];
  const point = joinsSlowly(mountinfo, features);
  if (point === undefined) return [];
  return [
    {
      name: 'cgroup mount',
      ok: true,
      detail: `${point} is mounted without favordynmods: a start may wait up to about 10 ms for the kernel`,
      hint: `mount -o remount,favordynmods ${point} spares that, and makes every fork and exit on the host a little slower`,
    },
  ];
}

function userCheck(world: World): Check {
  const root = world.users.self.uid === 0;
  return {
    name: 'user',
    ok: true,
    detail: root
      ? 'runs as root: services may run as any user'
      : `runs as ${world.users.self.user}: services run as this user, process.user and negative nice are refused`,
  };
}

function directoryCheck(settings: Settings, loop: Loop): Check {
  const { readable, files, problems } = loop.desired;
  const first = problems.find((problem) => problem.severity === 'error');
  return {
    name: 'configuration',
    ok: readable && first === undefined,
    detail: `${settings.config_directory}: ${files} files, ${problems.length} problems${
      first === undefined ? '' : `, the first: ${sentence(first)}`
    }`,
  };
}

function stateCheck(world: World, settings: Settings): Check {
  const path = `${settings.state_directory}/.doctor`;
  const failure = world.files.replace(path, 'ok\n', { mode: 0o600, durable: false });
  if (failure === undefined) world.files.remove(path);
  return {
    name: 'state directory',
    ok: failure === undefined,
    detail: `${settings.state_directory} ${failure === undefined ? 'can be written' : `cannot be written (${failure.failed})`}`,
  };
}

/** inotify(7): each watched run, file and directory takes one. */
function watchCheck(world: World): Check {
  const text = world.files.read('/proc/sys/fs/inotify/max_user_watches', 64);
  if (isFailure(text)) return { name: 'inotify', ok: true, detail: 'this host does not tell its limit' };
  const limit = Number(text.trim());
  const check = { name: 'inotify', ok: limit >= 8192, detail: `fs.inotify.max_user_watches is ${limit}` };
  return check.ok ? check : { ...check, hint: 'raise it to 8192 or more' };
}
