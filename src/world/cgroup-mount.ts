/** Where is the cgroup2 file system, and which part of it is ours? */
import { posix } from 'node:path';

export interface Mount {
  /** Where it is mounted: `/sys/fs/cgroup`, on hybrid hosts `/sys/fs/cgroup/unified`. */
  readonly point: string;
  /** Which cgroup is seen at that point; `/` unless a part was bind-mounted. */
  readonly root: string;
  readonly writable: boolean;
}

/**
 * The cgroup2 mount; where there are several the one that shows the most, undefined where there is none.
 * @param text the content of /proc/self/mountinfo, by proc_pid_mountinfo(5)
 */
export function parseMountinfo(text: string): Mount | undefined {
  const mounts = cgroup2Lines(text).map(({ root, point, options, superOptions }) => {
    const writable = !options.includes('ro') && !superOptions.includes('ro');
    return { point: plainText(point), root: plainText(root), writable };
  });
  return mounts.sort((a, b) => Number(b.writable) - Number(a.writable) || a.root.length - b.root.length)[0];
}

/**
 * Where joining a cgroup waits for a quiet point of all cores (an RCU grace period) although this kernel could do
 * without: the mount point of cgroup2 without `favordynmods` (Linux 6.0, Documentation/admin-guide/cgroup-v2.rst).
 * undefined where that cannot be told or be had. The option is that of the whole hierarchy, whichever mount is seen.
 * @param mountinfo the content of /proc/self/mountinfo
 * @param features the content of /sys/kernel/cgroup/features: the mount options that this kernel knows
 */
export function joinsSlowly(mountinfo: string, features: string): string | undefined {
  const [line] = cgroup2Lines(mountinfo);
  if (line === undefined || !features.split('\n').includes('favordynmods')) return undefined;
  return line.superOptions.includes('favordynmods') ? undefined : plainText(line.point);
}

interface MountLine {
  readonly root: string;
  readonly point: string;
  readonly options: readonly string[];
  readonly superOptions: readonly string[];
}

function cgroup2Lines(mountinfo: string): readonly MountLine[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [left, right] = line.split(' - ');
    const [, , , root, point, options] = (left ?? '').split(' ');
    const [type, , superOptions] = (right ?? '').split(' ');
    if (type !== 'cgroup2' || root === undefined || point === undefined) return [];
    const list = (text: string | undefined) => (text ?? '').split(',');
    return [{ root, point, options: list(options), superOptions: list(superOptions) }];
  });
}

/** Blanks, tabs, line breaks and backslashes are written as three octal digits. */
function plainText(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/**
 * The cgroup2 path of a process, from the root of its cgroup namespace: `/system.slice/x.service`.
 * @param text the content of /proc/<pid>/cgroup, by cgroups(7): the line of version 2 starts with `0::`
 */
export function parseOwnCgroup(text: string): string | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith('0::/'));
  // The kernel says so of a cgroup that was removed while a process was still in it.
  return line?.slice(3).replace(/ \(deleted\)$/, '');
}

/** The directory in which a cgroup path is seen; undefined when the mount does not show it. */
export function directoryOf(mount: Mount, cgroup: string): string | undefined {
  const inside = posix.relative(mount.root, cgroup);
  return inside.startsWith('..') ? undefined : posix.join(mount.point, inside);
}

/** One plain path component; everything else could lead out of our part of the tree. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(name);
}

export interface BaseInput {
  readonly mount: Mount;
  /** The cgroup of this daemon. */
  readonly own: string;
  readonly name: string;
  readonly isRoot: boolean;
}

/**
 * The directory of our tree. A daemon that runs in the `daemon` of such a tree goes on with that tree; root takes
 * `<mount>/<name>`; everybody else can only have what was delegated: their own cgroup.
 *
 * Root does so also in a unit that systemd has delegated (systemd.resource-control(5), Delegate=). Below it, controllers
 * could reach our services only through the cgroup of the unit, and into one that hands controllers on nothing can be
 * put (cgroup-v2.rst, "No Internal Process Constraint"): as long as a service is left there, systemd could not start the
 * unit again, and the next daemon would never come to look after it.
 */
export function baseDirectory({ mount, own, name, isRoot }: BaseInput): string | undefined {
  const directory = directoryOf(mount, own);
  if (directory !== undefined && own.endsWith(`/${name}/daemon`)) return posix.dirname(directory);
  if (isRoot) return posix.join(mount.point, name);
  return directory === undefined ? undefined : posix.join(directory, name);
}

/**
 * May a cgroup hand its controllers on to those below it? Not the one of a systemd service in which we were started: there
 * systemd puts the next daemon, and finds it closed while anything of ours is left below it.
 * @param home the cgroup in which this process was started; undefined: nobody can tell
 */
export function mayHandOn(cgroup: string, home: string | undefined): boolean {
  return cgroup !== home || !home.endsWith('.service');
}
