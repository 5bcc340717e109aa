import { describe, expect, it } from 'vitest';
import { freezerMount, pathInFreezer } from '../../src/world/old-freezer.ts';

describe('the freezer of cgroup v1', () => {
  it.each([
    ['6:freezer:/batch\n0::/\n', '/batch'],
    ['6:cpu,freezer:/a:b\n', '/a:b'],
    ['6:freezer:/\n0::/some/where\n', undefined],
    ['0::/freezer\n', undefined],
    ['', undefined],
  ])('of a process with %j is %s', (text, path) => {
    expect(pathInFreezer(text)).toBe(path);
  });

  it('is found by its mount, and not taken for another hierarchy', () => {
    const cpu = '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu';
    const freezer = '37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime shared:3 - cgroup cgroup rw,freezer';
    const unified = '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,freezer';
    expect(freezerMount([cpu, unified, freezer, ''].join('\n'))).toBe('/sys/fs/cgroup/freezer');
    expect(freezerMount([cpu, unified].join('\n'))).toBeUndefined();
  });
});
