import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { examine } from '../../src/daemon/doctor.ts';
import type { Loop } from '../../src/daemon/loop.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Settings } from '../../src/model/settings.ts';
import type { Defined } from '../../src/model/spec.ts';
import type { Containment, Shortcoming, World } from '../../src/world/world.ts';
import { defined } from '../config/ground.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';
import { twinUsers } from '../twins/users.ts';

const MOUNT = '31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate';
const FEATURES = 'nsdelegate\nfavordynmods\n';

interface Host {
  readonly shortcomings?: readonly Shortcoming[];
  readonly services?: readonly Defined[];
  readonly forking?: string | null;
  readonly trouble?: readonly Problem[];
}

/** What the doctor says of a host with these files. */
function told(
  contents: Readonly<Record<string, string>>,
  kind: Containment['kind'] = 'cgroup',
  uid = 0,
  { shortcomings = [], services = [], forking = null, trouble = [] }: Host = {},
) {
  const files = new MemoryFiles(new Injector());
  for (const [path, text] of Object.entries(contents)) files.set(path, text);
  const containment: Partial<Containment> = { kind, shortcomings };
  const world: Partial<World> = {
    files,
    users: { ...twinUsers(), self: { ...twinUsers().self, uid } },
    containment: containment as Containment,
    forking: () => forking,
  };
  const settings: Partial<Settings> = { config_directory: '/etc/pm', state_directory: '/state' };
  const desired = {
    services: new Map(services.map((one) => [one.name, one])),
    problems: [],
    files: 0,
    readable: true,
  };
  const loop: Partial<Loop> = { desired };
  return examine(world as World, settings as Settings, loop as Loop, 'linux', trouble).checks;
}

it('tells of what of the state directory is lost, and of what cannot be written there', () => {
  const lost = { code: 'state-corrupt', severity: 'error', message: 'it is lost', hint: 'look' } as const;
  const unkept = { code: 'state-unwritable', severity: 'warning', message: 'it is not kept' } as const;
  expect(told({}, 'cgroup', 0, { trouble: [lost, unkept] })).toEqual(
    expect.arrayContaining([
      { name: 'state-corrupt', ok: false, level: 'failure', detail: 'it is lost', hint: 'look' },
      { name: 'state-unwritable', ok: true, level: 'note', detail: 'it is not kept' },
    ]),
  );
});

it('says why processes are created the slower way, as a note', () => {
  const check = (...asked: Parameters<typeof told>) =>
    told(...asked).find(({ name }) => name === 'process creation');
  expect(check({})).toMatchObject({ ok: true, level: 'fine' });
  const forking = check({}, 'cgroup', 0, { forking: 'a package is missing' });
  expect(forking).toMatchObject({
    ok: true,
    level: 'note',
    detail: expect.stringContaining('a package is missing'),
  });
});

describe('the mount of cgroup2', () => {
  const mount = (...asked: Parameters<typeof told>) =>
    told(...asked).find(({ name }) => name === 'cgroup mount');
  const contents = { '/proc/self/mountinfo': MOUNT, '/sys/kernel/cgroup/features': FEATURES };

  it('is mentioned, not complained about, when starts may wait for the kernel', () => {
    const check = mount(contents);
    expect(check).toMatchObject({ ok: true, detail: expect.stringContaining('without favordynmods') });
    expect(check?.hint).toContain('remount,favordynmods /sys/fs/cgroup ');
  });

  it('is not mentioned when it is as quick as can be, cannot be read, or does not matter', () => {
    expect(mount({ ...contents, '/proc/self/mountinfo': `${MOUNT},favordynmods` })).toBeUndefined();
    for (const path of Object.keys(contents)) {
      const { [path]: _, ...others } = contents as Record<string, string>;
      expect(mount(others)).toBeUndefined();
    }
    expect(mount(contents, 'process_group')).toBeUndefined();
  });
});

describe('what is promised less without cgroups', () => {
  const AUTOGROUP = { '/proc/self/autogroup': '/autogroup-3 nice 0\n' };
  const PROMISES = [
    'escape',
    'kill',
    'notice',
    'limits',
    'rotation',
    'closed environment',
    'session numbers',
  ];
  const named = (...asked: Parameters<typeof told>) =>
    told(...asked).filter(({ name }) => PROMISES.includes(name));

  it('is told, each promise by itself, as something amiss', () => {
    const checks = named(AUTOGROUP, 'process_group', 0);
    expect(checks.map(({ name }) => name)).toEqual(PROMISES.slice(0, 5));
    for (const { ok } of checks) expect(ok).toBe(false);
  });

  it('is more for a user who may not read every environment, and on a kernel that does not number sessions', () => {
    expect(named(AUTOGROUP, 'process_group', 1000).map(({ name }) => name)).toContain('closed environment');
    expect(named({}, 'process_group', 0).map(({ name }) => name)).toContain('session numbers');
  });

  it('is nothing with cgroups', () => {
    expect(named({}, 'cgroup', 1000)).toEqual([]);
  });

  it('is documented under the same names', () => {
    const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const [, section = ''] = page.split('## What process sessions promise less');
    for (const { name } of named({}, 'process_group', 1000)) expect(section).toContain(`| ${name} |`);
    expect(named({}, 'process_group', 1000).map(({ name }) => name)).toEqual(PROMISES);
  });
});

describe('a limit that this host cannot apply', () => {
  const shortcomings: readonly Shortcoming[] = [
    {
      code: 'limit-unapplied',
      severity: 'warning',
      message: 'max_cpu, cpu_weight cannot be applied: no cpu controller',
      missing: ['max_cpu', 'cpu_weight'],
    },
  ];
  const service = (name: string, ...resources: string[]) =>
    defined(
      [
        `name: ${name}`,
        'process:',
        '  command: [sleep, "60"]',
        ...(resources.length === 0 ? [] : ['resources:', ...resources.map((line) => `  ${line}`)]),
        '',
      ].join('\n'),
    );
  const limit = (services: readonly Defined[], missing: readonly Shortcoming[] = shortcomings) =>
    told({}, 'cgroup', 0, { shortcomings: missing, services }).find(({ name }) => name === 'limit-unapplied');

  it('is a note as long as no service asks for it, also when one asks for another limit', () => {
    for (const services of [[], [service('web')], [service('web', 'max_memory: 64M')]]) {
      expect(limit(services)).toMatchObject({
        ok: true,
        level: 'note',
        detail: expect.stringContaining('no service asks for that'),
      });
    }
  });

  it('is a failure when services ask for it, and they are named', () => {
    const services = [service('web', 'max_cpu: 0.5'), service('api'), service('job', 'cpu_weight: 50')];
    expect(limit(services)).toMatchObject({
      ok: false,
      level: 'failure',
      detail: expect.stringMatching(/; asked for by web, job$/),
    });
  });

  it('names a few only of many', () => {
    const services = [...'abcdefgh'].map((name) => service(name, 'max_cpu: 1'));
    expect(limit(services)?.detail).toMatch(/; asked for by a, b, c, d, e and 3 more$/);
  });

  it('is a failure where the master file asks for it for all services together', () => {
    const [{ missing: _, ...ofAll }] = shortcomings as [Shortcoming];
    expect(limit([], [ofAll])).toMatchObject({ ok: false, level: 'failure', detail: ofAll.message });
  });
});
