/** What does this host give, and what is missing for the promises to hold? */
import type { DoctorView } from '../api/contract.ts';
import type { ServiceName } from '../model/names.ts';
import { type Problem, sentence } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import { firstAndMore } from '../model/shown-words.ts';
import type { DesiredState, Resources } from '../model/spec.ts';
import { count } from '../model/units.ts';
import { joinsSlowly } from '../world/cgroup-mount.ts';
import { isFailure, type Shortcoming, type World } from '../world/world.ts';
import type { Loop } from './loop.ts';
import { weakerPromises } from './weaker-promises.ts';

type Check = DoctorView['checks'][number];

/** What was found; whether that is well follows from its level. */
type Finding = Omit<Check, 'ok'>;

/** @param trouble with the state directory, beside that it cannot be written now */
export function examine(
  world: World,
  settings: Settings,
  loop: Loop,
  system: string,
  trouble: readonly Problem[],
): DoctorView {
  const { services } = loop.desired;
  const found: readonly Finding[] = [
    { name: 'system', level: 'fine', detail: system },
    containmentCheck(world),
    ...mountCheck(world),
    ...world.containment.shortcomings.map((shortcoming) => shortcomingCheck(shortcoming, services)),
    ...weakerPromises(world).map((promise): Finding => ({ ...promise, level: 'failure' })),
    creationCheck(world),
    userCheck(world),
    directoryCheck(settings, loop),
    stateCheck(world, settings),
    ...trouble.map(troubleCheck),
    watchCheck(world),
  ];
  return {
    checks: found.map(
      ({ name, level, ...rest }): Check => ({ name, ok: level !== 'failure', level, ...rest }),
    ),
  };
}

function containmentCheck(world: World): Finding {
  const cgroup = world.containment.kind === 'cgroup';
  return {
    name: 'containment',
    level: cgroup ? 'fine' : 'failure',
    detail: cgroup ? 'each run is a cgroup' : 'each run is a session of processes',
  };
}

/** A limit that cannot be had is a failure only for those who ask for it. */
function shortcomingCheck(
  { code, message, hint, missing }: Shortcoming,
  services: DesiredState['services'],
): Finding {
  const asking = missing === undefined ? [] : askingFor(missing, services);
  const isIdle = missing !== undefined && asking.length === 0;
  return {
    name: code,
    level: isIdle ? 'note' : 'failure',
    detail: `${message}${isIdle ? '; no service asks for that' : ''}${asking.length === 0 ? '' : `; asked for by ${firstAndMore(asking, MOST_NAMES)}`}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

function askingFor(
  keys: readonly (keyof Resources)[],
  services: DesiredState['services'],
): readonly ServiceName[] {
  return [...services.values()].flatMap((service) => {
    if (service.kind !== 'defined') return [];
    return keys.some((key) => service.spec.resources[key] !== null) ? [service.name] : [];
  });
}

/** More names than this are counted only. */
const MOST_NAMES = 5;

/** Bytes; a host with thousands of mounts has a long list. */
const MOUNTINFO_LIMIT = 8 * 1024 * 1024;

/** Nothing is amiss without the option: that is the administrator's choice. */
function mountCheck({ containment, files }: World): readonly Finding[] {
  const mountinfo = files.read('/proc/self/mountinfo', MOUNTINFO_LIMIT);
  const features = files.read('/sys/kernel/cgroup/features', 4096);
  if (containment.kind !== 'cgroup' || isFailure(mountinfo) || isFailure(features)) return [];
  const point = joinsSlowly(mountinfo, features);
  if (point === undefined) return [];
  return [
    {
      name: 'cgroup mount',
      level: 'note',
      detail: `${point} is mounted without favordynmods: a start may wait up to about 15 ms for the kernel`,
      hint: `mount -o remount,favordynmods ${point} spares that, and makes every fork and exit on the host a little slower`,
    },
  ];
}

function creationCheck(world: World): Finding {
  const why = world.forking();
  const name = 'process creation';
  if (why === null) return { name, level: 'fine', detail: 'by posix_spawn(3), whatever the daemon weighs' };
  return {
    name,
    level: 'note',
    detail: `by fork(2), half a millisecond slower or more: ${why}`,
    hint: 'on Linux with x64 or arm64 an installation with optional packages brings what is missing',
  };
}

function userCheck(world: World): Finding {
  const root = world.users.self.uid === 0;
  return {
    name: 'user',
    level: 'fine',
    detail: root
      ? 'runs as root: services may run as any user'
      : `runs as ${world.users.self.user}: services run as this user, process.user and negative nice are refused`,
  };
}

function directoryCheck(settings: Settings, loop: Loop): Finding {
  const { readable, files, problems } = loop.desired;
  const first = problems.find((problem) => problem.severity === 'error');
  return {
    name: 'configuration',
    level: readable && first === undefined ? 'fine' : 'failure',
    detail: `${settings.config_directory}: ${count(files, 'file')}, ${count(problems.length, 'problem')}${
      first === undefined ? '' : `, the first: ${sentence(first)}`
    }`,
  };
}

function stateCheck(world: World, settings: Settings): Finding {
  const path = `${settings.state_directory}/.doctor`;
  const failure = world.files.replace(path, 'ok\n', { mode: 0o600, durable: false });
  if (failure === undefined) world.files.remove(path);
  return {
    name: 'state directory',
    level: failure === undefined ? 'fine' : 'failure',
    detail: `${settings.state_directory} ${failure === undefined ? 'can be written' : `cannot be written (${failure.failed})`}`,
  };
}

function troubleCheck({ code, severity, message, hint }: Problem): Finding {
  return {
    name: code,
    level: severity === 'error' ? 'failure' : 'note',
    detail: message,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** inotify(7): each watched run, file and directory takes one. */
function watchCheck(world: World): Finding {
  const text = world.files.read('/proc/sys/fs/inotify/max_user_watches', 64);
  if (isFailure(text)) return { name: 'inotify', level: 'fine', detail: 'this host does not tell its limit' };
  const limit = Number(text.trim());
  const detail = `fs.inotify.max_user_watches is ${limit}`;
  if (limit >= 8192) return { name: 'inotify', level: 'fine', detail };
  return { name: 'inotify', level: 'failure', detail, hint: 'raise it to 8192 or more' };
}
