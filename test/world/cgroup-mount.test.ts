import { describe, expect, it } from 'vitest';
import {
  type BaseInput,
  baseDirectory,
  directoryOf,
  isPlainName,
  joinsSlowly,
  mayHandOn,
  parseMountinfo,
  parseOwnCgroup,
} from '../../src/world/cgroup-mount.ts';

/** Lines in the shape of proc_pid_mountinfo(5): id parent dev root point options optional - type source super. */
const UNIFIED = '31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate';
const HYBRID = [
  '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
  '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
].join('\n');

describe('the cgroup2 mount', () => {
  it('is found on unified and hybrid hosts, with or without optional fields', () => {
    expect(parseMountinfo(UNIFIED)).toEqual({ point: '/sys/fs/cgroup', root: '/', writable: true });
    expect(parseMountinfo(HYBRID)).toEqual({ point: '/sys/fs/cgroup/unified', root: '/', writable: true });
    expect(parseMountinfo('35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory')).toBeUndefined();
    expect(parseMountinfo('')).toBeUndefined();
  });

  it('may have blanks and backslashes in its path', () => {
    const line = '41 31 0:38 / /mnt/my\\040cgroups\\134x rw - cgroup2 cgroup2 rw';
    expect(parseMountinfo(line)?.point).toBe('/mnt/my cgroups\\x');
  });

  it('is read-only if either the mount or the file system is', () => {
    expect(parseMountinfo('41 31 0:38 / /c ro,nosuid - cgroup2 cgroup2 rw')?.writable).toBe(false);
    expect(parseMountinfo('41 31 0:38 / /c rw,nosuid - cgroup2 cgroup2 ro')?.writable).toBe(false);
  });

  it('is the writable one that shows the most, where there are several', () => {
    const lines = [
      '50 23 0:28 / /read-only ro - cgroup2 cgroup2 rw',
      '51 23 0:28 /part /bind rw - cgroup2 cgroup2 rw',
      '52 23 0:28 / /whole rw - cgroup2 cgroup2 rw',
    ];
    expect(parseMountinfo(lines.join('\n'))?.point).toBe('/whole');
  });
});

describe('joining a cgroup', () => {
  const KNOWN = 'nsdelegate\nfavordynmods\nmemory_localevents\n';

  it('is slow where the option could be had and is not', () => {
    expect(joinsSlowly(UNIFIED, KNOWN)).toBe('/sys/fs/cgroup');
    expect(joinsSlowly(HYBRID, KNOWN)).toBe('/sys/fs/cgroup/unified');
  });

  it.each([
    ['the option is there', `${UNIFIED},favordynmods`, KNOWN],
    ['the kernel does not know it', UNIFIED, 'nsdelegate\nmemory_localevents\n'],
    ['there is no cgroup2', '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory', KNOWN],
  ])('is nothing to speak of where %s', (_what, mountinfo, features) => {
    expect(joinsSlowly(mountinfo, features)).toBeUndefined();
  });
});

describe('the own cgroup', () => {
  it('is the line of version 2', () => {
    expect(parseOwnCgroup('4:memory:/a\n1:name=systemd:/b\n0::/system.slice/x.service\n')).toBe(
      '/system.slice/x.service',
    );
    expect(parseOwnCgroup('0::/gone (deleted)\n')).toBe('/gone');
    expect(parseOwnCgroup('4:memory:/a\n')).toBeUndefined();
  });

  it('has a directory only where the mount shows it', () => {
    const part = { point: '/mnt', root: '/docker/1', writable: true };
    expect(directoryOf({ ...part, root: '/' }, '/a/b')).toBe('/mnt/a/b');
    expect(directoryOf(part, '/docker/1/x')).toBe('/mnt/x');
    expect(directoryOf(part, '/docker/2')).toBeUndefined();
    expect(directoryOf(part, '/docker')).toBeUndefined();
  });
});

describe('the base of our tree', () => {
  const input: BaseInput = {
    mount: { point: '/sys/fs/cgroup', root: '/', writable: true },
    own: '/',
    name: 'processmaster',
    isRoot: true,
  };

  it.each<[string, Partial<BaseInput>, string]>([
    ['root takes the top', {}, '/sys/fs/cgroup/processmaster'],
    [
      'root in a login session takes the top',
      { own: '/user.slice/session-3.scope' },
      '/sys/fs/cgroup/processmaster',
    ],
    [
      'root in a unit takes the top, for the unit can only be started again while nothing is left below it',
      { own: '/system.slice/pm.service' },
      '/sys/fs/cgroup/processmaster',
    ],
    [
      'also where systemd has made a part of the unit for it',
      { own: '/system.slice/pm.service/supervisor' },
      '/sys/fs/cgroup/processmaster',
    ],
    [
      'an ordinary user in a unit takes that',
      { own: '/user.slice/user-1.slice/user@1.service/app.slice/pm.service', isRoot: false },
      '/sys/fs/cgroup/user.slice/user-1.slice/user@1.service/app.slice/pm.service/processmaster',
    ],
    [
      'an ordinary user takes its own cgroup',
      { own: '/user.slice/pm.scope', isRoot: false },
      '/sys/fs/cgroup/user.slice/pm.scope/processmaster',
    ],
    [
      'a daemon started from within goes on with its tree',
      { own: '/a/processmaster/daemon' },
      '/sys/fs/cgroup/a/processmaster',
    ],
    [
      'also as an ordinary user',
      { own: '/a/processmaster/daemon', isRoot: false },
      '/sys/fs/cgroup/a/processmaster',
    ],
    ['another tree is another tree', { own: '/other/daemon' }, '/sys/fs/cgroup/processmaster'],
  ])('%s', (_, changes, expected) => {
    expect(baseDirectory({ ...input, ...changes })).toBe(expected);
  });

  it('cannot be had by an ordinary user whose cgroup is not visible', () => {
    const mount = { point: '/c', root: '/docker/1', writable: true };
    expect(baseDirectory({ ...input, mount, own: '/user.slice', isRoot: false })).toBeUndefined();
  });

  it('hands on no controllers of the unit into which systemd puts the next daemon', () => {
    const unit = '/sys/fs/cgroup/app.slice/pm.service';
    expect(mayHandOn(unit, unit)).toBe(false);
    expect(mayHandOn(`${unit}/processmaster`, unit)).toBe(true);
    expect(mayHandOn('/sys/fs/cgroup', unit)).toBe(true);
    // A scope is made anew each time.
    expect(mayHandOn('/sys/fs/cgroup/run-1.scope', '/sys/fs/cgroup/run-1.scope')).toBe(true);
    expect(mayHandOn(unit, undefined)).toBe(true);
  });

  it.each(['/pm', '..', '.', 'a/b', '', 'a b', 'x\n', '-a', 'a'.repeat(65)])(
    'has one plain name, not %j',
    (name) => {
      expect(isPlainName(name)).toBe(false);
    },
  );
  it.each(['processmaster', 'pm-2', 'a.b_c'])('may be called %j', (name) =>
    expect(isPlainName(name)).toBe(true),
  );
});
