import { describe, expect, test } from 'vitest';
import type { DesiredState } from '../../src/model/spec.ts';
import type { Users } from '../../src/world/world.ts';
import { WEB } from '../builders.ts';
import { TwinFiles } from '../twins/files.ts';
import { twinUsers } from '../twins/users.ts';
import { directoryOf, filesWith, sentences, web } from './ground.ts';

const HERE = '/etc/pm/config.d';

/** `web: defined`, `web: defined (broken now)` or `web: broken`, and the argument that tells versions apart. */
function told(state: DesiredState): readonly string[] {
  return [...state.services.values()].map((desired) => {
    if (desired.kind === 'broken') return `${desired.name}: broken`;
    const [version = '-'] = desired.spec.process.args;
    return `${desired.name}: ${version}${desired.problems.length > 0 ? ' (last good)' : ''}`;
  });
}

function version(number: number, ...lines: string[]): string {
  return web(`  args: [v${number}]`, ...lines);
}

const BROKEN = 'process: [\n';

test('a file that every user of the host may write is told, and followed', () => {
  const files = filesWith({ 'a.yaml': version(1), 'b.yaml': version(1) });
  files.write(`${HERE}/b.yaml`, version(1), 0o646);
  const directory = directoryOf(files);
  const warning = { code: 'config-exposed', severity: 'warning', file: expect.stringContaining('b.yaml') };
  const state = directory.load();
  expect(state.problems).toMatchObject([warning]);
  expect(told(state)).toEqual(['a: v1', 'b: v1']);
  expect(directory.check().problems).toMatchObject([warning]);
  files.write(`${HERE}/b.yaml`, version(1), 0o644);
  expect(directory.load().problems).toEqual([]);
});

test('every file with the right ending is a service, everything else is passed over', () => {
  const files = filesWith({
    'a.yaml': web(),
    'b.yml': web(),
    'C.YAML': web(),
    'd.YmL': web(),
    '.hidden.yaml': BROKEN,
    '.#lock.yaml': BROKEN,
    '#auto.yaml#': BROKEN,
    '#auto.yaml': BROKEN,
    '~tmp.yaml': BROKEN,
    'a.yaml~': BROKEN,
    'a.yaml.swp': BROKEN,
    'a.yaml.tmp': BROKEN,
    'a.yaml.bak': BROKEN,
    'a.yaml.orig': BROKEN,
    '4913': BROKEN,
    'README.md': BROKEN,
    yaml: BROKEN,
  });
  const state = directoryOf(files).load();
  expect([...state.services.keys()]).toEqual(['C', 'a', 'b', 'd']);
  expect(state).toMatchObject({ files: 4, problems: [], readable: true });
});

test('the master file is no service file, wherever it is', () => {
  const files = filesWith({ 'config.yaml': 'on_exit: stop\n', 'web.yaml': web() });
  expect([
    ...directoryOf(files, { file: `${HERE}/config.yaml` })
      .load()
      .services.keys(),
  ]).toEqual(['web']);
});

describe('a file that breaks', () => {
  test('the service keeps its last good definition, the others go on, the error has its place', () => {
    const files = filesWith({ 'web.yaml': version(1), 'api.yaml': version(1) });
    const directory = directoryOf(files);
    directory.load();
    files.write(`${HERE}/web.yaml`, web('instances: many'));
    files.write(`${HERE}/api.yaml`, version(2));
    const state = directory.load();
    expect(told(state)).toEqual(['api: v2', 'web: v1 (last good)']);
    expect(sentences(state.problems)).toEqual([
      'config.d/web.yaml:3:12  instances: "many" must be a whole number from 0 to 999, or auto',
    ]);
    expect(state.services.get('web' as never)?.problems).toEqual(state.problems);
    expect(state.problems[0]?.service).toBe('web');
    files.write(`${HERE}/web.yaml`, version(3));
    expect(told(directory.load())).toEqual(['api: v2', 'web: v3']);
  });

  test('without a good version before, it is broken', () => {
    const state = directoryOf(filesWith({ 'web.yaml': BROKEN })).load();
    expect(told(state)).toEqual(['web: broken']);
  });

  test('another daemon knows the last good definition as well', () => {
    const files = filesWith({ 'web.yaml': version(1) });
    directoryOf(files).load();
    files.write(`${HERE}/web.yaml`, BROKEN);
    expect(told(directoryOf(files).load())).toEqual(['web: v1 (last good)']);
    expect(files.status('/var/lib/pm/last-good/web.json')).toMatchObject({ mode: 0o600 });
  });

  test('a last good definition that is good no more is not used', () => {
    const files = filesWith({ 'web.yaml': web('  user: www-data') });
    directoryOf(files).load();
    files.write(`${HERE}/web.yaml`, BROKEN);
    expect(told(directoryOf(files, {}, twinUsers('root')).load())).toEqual(['web: - (last good)']);
    const users = { ...twinUsers(), user: () => undefined };
    expect(told(directoryOf(files, {}, users).load())).toEqual(['web: broken']);
  });

  test('a damaged record of it is as good as none', () => {
    const files = filesWith({ 'web.yaml': version(1) });
    directoryOf(files).load();
    files.write(`${HERE}/web.yaml`, BROKEN);
    for (const text of ['', '{', '[]', '{"file":1,"text":2}', 'null']) {
      files.write('/var/lib/pm/last-good/web.json', text);
      expect(told(directoryOf(files).load())).toEqual(['web: broken']);
    }
  });

  test.each([
    ['name: api\nprocess: [\n', 'api'],
    ['name: "api" # x\nprocess: {\n', 'api'],
    ['name: api\nprocess: {}\nfoo: 1\n', 'api'],
    ['process: [\n', 'web'],
    ['name: all\nprocess: [\n', 'web'],
  ])('%j speaks for %s', (text, name) => {
    expect(told(directoryOf(filesWith({ 'web.yaml': text })).load())).toEqual([`${name}: broken`]);
  });

  test('it goes on to speak for the service that it last defined, whatever its text says now', () => {
    const files = filesWith({ 'x.yaml': version(1, 'name: api') });
    const directory = directoryOf(files);
    directory.load();
    files.write(`${HERE}/x.yaml`, BROKEN);
    expect(told(directory.load())).toEqual(['api: v1 (last good)']);
    expect(told(directoryOf(files).load())).toEqual(['api: v1 (last good)']);
  });

  test('a file whose name cannot be told is a problem and no service', () => {
    const state = directoryOf(filesWith({ 'a b.yaml': BROKEN })).load();
    expect(told(state)).toEqual([]);
    expect(state.problems).toHaveLength(1);
  });
});

describe('everything that is wrong is told at once', () => {
  const told = (...lines: string[]) => {
    const files = filesWith({ 'web.yaml': ['process:', ...lines, ''].join('\n') });
    const directory = directoryOf(files);
    return directory.load().problems.map(({ path, code, service }) => `${path} ${code} ${service}`);
  };

  test('mistakes in the text, and those in the files and users that it names', () => {
    expect(
      told(
        '  command: [sleep, "60"]',
        '  stop_grase: 3s',
        '  user: nobody-here',
        '  supplementary_groups: [daemon, "${vars.nothing}", no-group]',
        '  nice: 99',
        '  env_files: [./one.env, "${vars.nothing}", ./three.env]',
        '  env:',
        '    A: { file: ./a.key }',
        '    B: { base64: "%%%" }',
        '    C: { file: ./c.key }',
        '  rlimits: { nofile: { soft: 10, hard: 5 }, core: many }',
      ),
    ).toEqual([
      'process.stop_grase key-unknown web',
      'process.user user-unknown web',
      'process.supplementary_groups[1] variable-unknown web',
      'process.supplementary_groups[2] user-unknown web',
      'process.nice value-invalid web',
      'process.env_files[0] env-file-unreadable web',
      'process.env_files[1] variable-unknown web',
      'process.env_files[2] env-file-unreadable web',
      'process.env.A secret-unreadable web',
      'process.env.B.base64 value-invalid web',
      'process.env.C secret-unreadable web',
      'process.rlimits.nofile value-invalid web',
      'process.rlimits.core value-invalid web',
    ]);
  });

  test('also beside a missing command, a wrong name and logs without a place', () => {
    expect(
      told(
        '  user: nobody-here',
        '  working_directory: "/srv/${instance}"',
        'name: a b',
        'logs: { stdout: out.log }',
      ).sort(),
    ).toEqual([
      'logs.stdout value-invalid web',
      'name name-invalid web',
      'process.command key-missing web',
      'process.user user-unknown web',
    ]);
  });

  test('and nothing that only follows from something else', () => {
    expect(
      told(
        '  command: "serve ${port}"',
        '  env: 7',
        '  rlimits: { nofile: { soft: many, hard: 5 } }',
        'port: -1',
      ).sort(),
    ).toEqual([
      'port value-invalid web',
      'process.env value-invalid web',
      'process.rlimits.nofile.soft value-invalid web',
    ]);
  });

  test('a file that it names is looked at again while the text is wrong', () => {
    const files = filesWith({ 'web.yaml': web('  env_files: [./one.env]', 'instances: many') });
    const directory = directoryOf(files);
    expect(directory.load().problems).toHaveLength(2);
    files.write(`${HERE}/one.env`, 'A=1\n');
    expect(directory.load().problems).toMatchObject([{ path: 'instances' }]);
    files.write(`${HERE}/web.yaml`, web('  env_files: [./one.env]'));
    expect(directory.load().problems).toEqual([]);
  });
});

describe('odd files', () => {
  test('links to nothing need no listing of the directory, however many there are', () => {
    const files = filesWith({ 'web.yaml': version(1) });
    const directory = directoryOf(files);
    const listings = () => {
      files.calls.length = 0;
      const { problems } = directory.load();
      return [problems.length, files.calls.filter((call) => call === `list ${HERE}`).length];
    };
    const [, before] = listings();
    for (const name of ['a', 'b', 'c']) files.link(`${HERE}/${name}.yaml`, 'gone.txt');
    expect(listings()).toEqual([3, before]);
  });

  test.each([
    ['a fifo or device', (files: TwinFiles) => files.odd(`${HERE}/web.yaml`), 'no regular file'],
    ['a directory', (files: TwinFiles) => files.mkdir(`${HERE}/web.yaml`), 'is a directory'],
    ['a link to nothing', (files: TwinFiles) => files.link(`${HERE}/web.yaml`, 'gone.txt'), 'leads nowhere'],
    ['a link to itself', (files: TwinFiles) => files.link(`${HERE}/web.yaml`, 'web.yaml'), 'leads to itself'],
    [
      'a file above 1 MiB',
      (files: TwinFiles) => files.write(`${HERE}/web.yaml`, '#'.repeat(1_048_577)),
      'larger than 1 MiB',
    ],
    [
      'an unreadable file',
      (files: TwinFiles) => {
        files.write(`${HERE}/web.yaml`, version(2));
        files.fail('read', `${HERE}/web.yaml`, 'EACCES');
      },
      'may not be read',
    ],
    [
      'a file whose disk fails',
      (files: TwinFiles) => {
        files.write(`${HERE}/web.yaml`, version(2));
        files.fail('read', `${HERE}/web.yaml`, 'EIO');
      },
      'cannot be read (EIO)',
    ],
  ])('%s is a problem; its service keeps what it had, the others load', (_, make, says) => {
    const files = filesWith({ 'web.yaml': version(1), 'api.yaml': version(1) });
    const directory = directoryOf(files);
    directory.load();
    files.delete(`${HERE}/web.yaml`);
    make(files);
    const state = directory.load();
    expect(told(state)).toEqual(['api: v1', 'web: v1 (last good)']);
    expect(sentences(state.problems)).toEqual([expect.stringContaining(says)]);
  });
});

describe('symbolic links', () => {
  test('a file behind a link is read, also one that replaces a regular file', () => {
    const files = filesWith({ 'web.yaml': version(1) });
    const directory = directoryOf(files);
    directory.load();
    files.write('/store/web', version(2));
    files.link(`${HERE}/web.yaml`, '/store/web');
    expect(told(directory.load())).toEqual(['web: v2']);
    files.write('/store/web', version(3));
    expect(told(directory.load())).toEqual(['web: v3']);
  });

  test('a directory that is swapped by its link is seen', () => {
    const files = new TwinFiles({ '/rel/1/web.yaml': version(1), '/rel/2/web.yaml': version(2) });
    files.link('/etc/pm/config.d', '/rel/1');
    const directory = directoryOf(files);
    expect(told(directory.load())).toEqual(['web: v1']);
    files.link('/etc/pm/config.d', '/rel/2');
    expect(told(directory.load())).toEqual(['web: v2']);
  });

  test('relative paths start at the path as configured', () => {
    const files = new TwinFiles({ '/rel/1/web.yaml': web() });
    files.link('/etc/pm/config.d', '/rel/1');
    const desired = directoryOf(files)
      .load()
      .services.get('web' as never);
    expect(desired).toMatchObject({ spec: { process: { working_directory: HERE } } });
  });
});

describe('one moment', () => {
  test('a directory that changes while it is read is read again', () => {
    const files = filesWith({ 'a.yaml': version(1), 'b.yaml': version(1) });
    files.after('read', `${HERE}/b.yaml`, () => {
      files.write('/etc/pm/new/a.yaml', version(2));
      files.write('/etc/pm/new/b.yaml', version(2));
      files.rename('/etc/pm/config.d', '/etc/pm/old');
      files.rename('/etc/pm/new', '/etc/pm/config.d');
    });
    expect(told(directoryOf(files).load())).toEqual(['a: v2', 'b: v2']);
  });

  test('one that never stands still is read three times', () => {
    const files = filesWith({ 'a.yaml': version(1) });
    let count = 0;
    const stir = (): void => {
      files.write(`${HERE}/x${count++}.txt`, '');
      files.after('status', `${HERE}/a.yaml`, stir);
    };
    stir();
    expect(told(directoryOf(files).load())).toEqual(['a: v1']);
    expect(files.calls.filter((call) => call === `list ${HERE}`)).toHaveLength(4);
  });
});

describe('a directory that is not there', () => {
  test('everything stays as it was', () => {
    const files = filesWith({ 'web.yaml': version(1), 'api.yaml': version(1) });
    const directory = directoryOf(files);
    const before = directory.load();
    files.fail('list', HERE, 'EACCES');
    const state = directory.load();
    expect(state.services).toBe(before.services);
    expect(state).toMatchObject({ readable: false, problems: [{ code: 'directory-unreadable' }] });
    files.fail('list', HERE, undefined);
    expect(directory.load().readable).toBe(true);
  });

  test('a new daemon then goes by the last good definitions', () => {
    const files = filesWith({ 'web.yaml': version(1) });
    directoryOf(files).load();
    files.delete('/etc/pm/config.d');
    const state = directoryOf(files).load();
    expect(told(state)).toEqual(['web: v1 (last good)']);
    expect(state.readable).toBe(false);
  });

  test('an empty one is readable and forgets no last good definition', () => {
    const files = filesWith({ 'web.yaml': version(1) });
    const directory = directoryOf(files);
    directory.load();
    files.delete(`${HERE}/web.yaml`);
    expect(directory.load()).toMatchObject({ readable: true, files: 0 });
    files.write(`${HERE}/web.yaml`, BROKEN);
    expect(told(directory.load())).toEqual(['web: v1 (last good)']);
  });
});

describe('one name in two files', () => {
  test('neither is followed, both are named, the others load', () => {
    const files = filesWith({ 'web.yaml': version(1), 'api.yaml': version(1) });
    const directory = directoryOf(files);
    directory.load();
    files.write(`${HERE}/web-old.yaml`, `# kept\nname: web\n${version(9)}`);
    const state = directory.load();
    expect(told(state)).toEqual(['api: v1', 'web: v1 (last good)']);
    expect(sentences(state.problems)).toEqual([
      'config.d/web-old.yaml:2:1  service "web" is also defined in config.d/web.yaml:1; keep one of them, or give one another name',
      'config.d/web.yaml:1:1  service "web" is also defined in config.d/web-old.yaml:2; keep one of them, or give one another name',
    ]);
    expect(state.services.get('web' as never)?.problems).toHaveLength(2);
  });

  test('at the first boot the service is broken, the daemon has the others', () => {
    const files = filesWith({
      'web.yaml': version(1),
      'web-old.yaml': version(2, 'name: web'),
      'api.yaml': version(1),
    });
    expect(told(directoryOf(files).load())).toEqual(['api: v1', 'web: broken']);
  });

  test('web.yaml and web.yml are two files as well', () => {
    expect(told(directoryOf(filesWith({ 'web.yaml': version(1), 'web.yml': version(2) })).load())).toEqual([
      'web: broken',
    ]);
  });

  test('a broken file that is merely called like a service takes nothing from it', () => {
    const files = filesWith({ 'web.yaml': BROKEN, 'other.yaml': version(1, 'name: web') });
    const state = directoryOf(files).load();
    expect(told(state)).toEqual(['web: v1']);
    expect(state.problems).toHaveLength(1);
  });

  test('once one gives way, the other is followed', () => {
    const files = filesWith({ 'web.yaml': version(1), 'web.yml': version(2) });
    const directory = directoryOf(files);
    directory.load();
    files.delete(`${HERE}/web.yaml`);
    expect(told(directory.load())).toEqual(['web: v2']);
  });
});

describe('looking again', () => {
  test('when nothing has changed, nothing is read or written, and the definitions are the same objects', () => {
    const files = filesWith({ 'a.yaml': version(1), 'b.yaml': BROKEN });
    const directory = directoryOf(files);
    const first = directory.load();
    files.calls.length = 0;
    const second = directory.load();
    expect(files.calls.filter((call) => /^(read|replace|remove)/.test(call))).toEqual([]);
    expect(second.services.get('a' as never)).toBe(first.services.get('a' as never));
  });

  test('a touched or re-indented file is the same definition', () => {
    const files = filesWith({ 'a.yaml': version(1) });
    const directory = directoryOf(files);
    const hash = (): string => {
      const desired = directory.load().services.get('a' as never);
      return desired?.kind === 'defined' ? desired.digest : 'broken';
    };
    const before = hash();
    files.write(`${HERE}/a.yaml`, version(1));
    expect(hash()).toBe(before);
    files.write(`${HERE}/a.yaml`, `# comment\n${version(1).replaceAll('  ', '      ')}`);
    expect(hash()).toBe(before);
  });

  test('dotenv and secret files are looked at each time', () => {
    const files = filesWith({
      'a.yaml': web('  env_files: [a.env]', '  env: { T: { file: t } }'),
      'a.env': 'A=1\n',
    });
    files.write(`${HERE}/t`, 'one', 0o600);
    const directory = directoryOf(files);
    const secrets = (): unknown => {
      const desired = directory.load().services.get('a' as never);
      return desired?.kind === 'defined' && desired.problems.length === 0
        ? Object.fromEntries(desired.secrets)
        : 'broken';
    };
    expect(secrets()).toEqual({ A: '1', T: 'one' });
    files.write(`${HERE}/a.env`, 'A=2\n');
    expect(secrets()).toEqual({ A: '2', T: 'one' });
    files.write(`${HERE}/t`, 'two', 0o600);
    expect(secrets()).toEqual({ A: '2', T: 'two' });
    files.write(`${HERE}/t`, 'two', 0o644);
    expect(secrets()).toBe('broken');
    files.write(`${HERE}/t`, 'two', 0o600);
    expect(secrets()).toEqual({ A: '2', T: 'two' });
  });

  test('a user that appears mends the service', () => {
    const files = filesWith({ 'a.yaml': web('  user: late') });
    const users = twinUsers();
    const directory = directoryOf(files, {}, users);
    expect(told(directory.load())).toEqual(['a: broken']);
    users.add('late', 500);
    expect(told(directory.load())).toEqual(['a: -']);
  });
});

describe('what is kept', () => {
  const kept = (files: TwinFiles): readonly string[] => {
    const names = files.list('/var/lib/pm/last-good');
    return Array.isArray(names) ? names : [];
  };

  test('a changed definition replaces the old one, a removed service takes its record along', () => {
    const files = filesWith({ 'a.yaml': version(1), 'b.yaml': version(1) });
    const directory = directoryOf(files);
    directory.load();
    expect(kept(files)).toEqual(['a.json', 'b.json']);
    files.calls.length = 0;
    files.write(`${HERE}/a.yaml`, version(2));
    directory.load();
    expect(files.calls.filter((call) => call.startsWith('replace'))).toEqual([
      'replace /var/lib/pm/last-good/a.json',
    ]);
    files.delete(`${HERE}/b.yaml`);
    directory.load();
    expect(kept(files)).toEqual(['a.json']);
  });

  test('a text that was read but is not followed is none that a later daemon may fall back to', () => {
    const files = filesWith({ 'a.yaml': version(1), 'b.yaml': version(1) });
    const directory = directoryOf(files);
    const first = directory.load('later');
    directory.keepGood(first.services);
    for (const file of ['a.yaml', 'b.yaml']) files.write(`${HERE}/${file}`, version(2));
    const second = directory.load('later');
    // Only `a` is deployed.
    directory.keepGood(
      new Map([...second.services, ...[...first.services].filter(([name]) => name === 'b')]),
    );
    for (const file of ['a.yaml', 'b.yaml']) files.write(`${HERE}/${file}`, 'oops: 1\n');
    expect(told(directoryOf(files).load())).toEqual(['a: v2 (last good)', 'b: v1 (last good)']);
  });

  test('what could not be written while the disk was full is written later, whatever the file says by then', () => {
    const files = filesWith({ 'a.yaml': version(1), 'b.yaml': version(1) });
    const directory = directoryOf(files);
    directory.keepGood(directory.load('later').services);
    files.write(`${HERE}/a.yaml`, version(2));
    const followed = directory.load('later').services;
    files.fail('replace', '/var/lib/pm/last-good/a.json', 'ENOSPC');
    expect(directory.keepGood(followed)).toMatchObject({ code: 'state-unwritable' });
    files.fail('replace', '/var/lib/pm/last-good/a.json', undefined);
    files.write(`${HERE}/a.yaml`, 'oops: 1\n');
    expect(directory.keepGood(directory.load('later').services)).toBe('all');
    expect(told(directoryOf(files).load())).toEqual(['a: v2 (last good)', 'b: v1']);
  });

  test('as many are written at a time as nobody notices, and all in the end', () => {
    const files = filesWith({ 'a.yaml': version(1), 'b.yaml': version(1), 'c.yaml': version(1) });
    const directory = directoryOf(files);
    const { services } = directory.load('later');
    expect(directory.keepGood(services, 2)).toBe('more');
    expect(kept(files)).toEqual(['a.json', 'b.json']);
    expect(directory.keepGood(services, 2)).toBe('all');
    expect(kept(files)).toEqual(['a.json', 'b.json', 'c.json']);
  });

  test('a new daemon does not write again what is there', () => {
    const files = filesWith({ 'a.yaml': version(1) });
    directoryOf(files).load();
    files.calls.length = 0;
    directoryOf(files).load();
    expect(files.calls.filter((call) => /^(replace|remove)/.test(call))).toEqual([]);
  });

  test('a state directory that cannot be written is one warning, and nothing else suffers', () => {
    const files = filesWith({ 'a.yaml': version(1), 'b.yaml': version(1) });
    for (const name of ['a', 'b']) files.fail('replace', `/var/lib/pm/last-good/${name}.json`, 'EROFS');
    const state = directoryOf(files).load();
    expect(told(state)).toEqual(['a: v1', 'b: v1']);
    expect(state.problems).toMatchObject([{ code: 'state-unwritable', severity: 'warning' }]);
  });
});

test('one port for two services is a warning, for the instances of one it is none', () => {
  const files = filesWith({ 'a.yaml': web('port: 80', 'instances: 2'), 'b.yaml': web('port: 80') });
  const state = directoryOf(files).load();
  expect(told(state)).toEqual(['a: -', 'b: -']);
  expect(state.problems).toMatchObject([
    { code: 'port-shared', severity: 'warning', file: 'config.d/b.yaml', line: 3, service: 'b' },
  ]);
});

test('all problems of all files come at once, in order', () => {
  const files = filesWith({ 'b.yaml': 'x: 1\ny: 2\n', 'a.yaml': web('foo: 1'), 'c.yaml': web() });
  const state = directoryOf(files).load();
  expect(state.problems.map(({ file, line }) => `${file}:${line}`)).toEqual([
    'config.d/a.yaml:3',
    'config.d/b.yaml:1',
    'config.d/b.yaml:1',
    'config.d/b.yaml:2',
  ]);
});

test('thousands of files that are no services cost nothing', () => {
  const files = filesWith({ 'web.yaml': web() });
  for (let index = 0; index < 10_000; index++) files.write(`${HERE}/part-${index}.txt`, 'x');
  const state = directoryOf(files).load();
  expect(state).toMatchObject({ files: 1, problems: [] });
  expect(files.calls.length).toBeLessThan(20);
});

describe('services that write to one log', () => {
  const log = (...lines: string[]) => web('logs:', '  stdout: /var/log/x.log', ...lines);

  test('may share it, and a different rule for it is a warning for the later one', () => {
    const same = directoryOf(filesWith({ 'a.yaml': log(), 'b.yaml': log() })).load();
    expect(same.problems).toEqual([]);
    const other = directoryOf(filesWith({ 'a.yaml': log(), 'b.yaml': log('  compress: true') })).load();
    expect(told(other)).toEqual(['a: -', 'b: -']);
    expect(other.problems).toMatchObject([
      { code: 'log-shared', severity: 'warning', file: 'config.d/b.yaml', line: 3, service: 'b' },
    ]);
  });

  test('have to say so: what both only fall back to is one warning for the later one', () => {
    const here = (...lines: string[]) => web('  working_directory: /srv', ...lines);
    const both = directoryOf(filesWith({ 'a.yaml': here(), 'b.yaml': here() })).load();
    expect(both.problems).toMatchObject([
      { code: 'log-shared', severity: 'warning', file: 'config.d/b.yaml', service: 'b' },
    ]);
    expect(both.problems[0]?.message).toContain('/srv/stdout.log is the log of a (config.d/a.yaml) too');
    const named = here('logs: { stdout: stdout.log, stderr: stderr.log }');
    expect(directoryOf(filesWith({ 'a.yaml': named, 'b.yaml': named })).load().problems).toEqual([]);
    const apart = here('logs: { stdout: b.log, stderr: b.err }');
    expect(directoryOf(filesWith({ 'a.yaml': here(), 'b.yaml': apart })).load().problems).toEqual([]);
    const half = here('logs: { stdout: b.log }');
    const errors = directoryOf(filesWith({ 'a.yaml': here(), 'b.yaml': half })).load();
    expect(errors.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('/srv/stderr.log'),
    ]);
  });

  test('a log with the name of a rotated file of another is a warning', () => {
    const files = filesWith({ 'a.yaml': log(), 'b.yaml': web('logs: { stdout: /var/log/x.log.1 }') });
    const state = directoryOf(files).load();
    expect(state.problems).toMatchObject([{ code: 'log-not-rotated', severity: 'warning', service: 'a' }]);
  });
});

describe('texts in the place of the files', () => {
  const TEXTS = [{ file: `${HERE}/web.yaml`, text: version(1) }];

  test('mean the same as the files that said so, hash and digest included', () => {
    const files = filesWith({ 'web.yaml': version(1), 'api.yaml': version(1) });
    const directory = directoryOf(files);
    const before = directory.load();
    const texts = [...before.services.values()].flatMap((each) => directory.textOf(each) ?? []);
    files.write(`${HERE}/web.yaml`, version(2));
    files.delete(`${HERE}/api.yaml`);
    expect(told(directory.load('never'))).toEqual(['web: v2']);
    const again = directory.load('later', texts);
    expect([...again.services.values()].map((each) => ({ ...each, positions: 0 }))).toEqual(
      [...before.services.values()].map((each) => ({ ...each, positions: 0 })),
    );
    expect(again).toMatchObject({ files: 2, readable: true, problems: [] });
    expect(told(directory.load())).toEqual(['web: v2']);
  });

  test('read beside: the same, worked out only where they differ; the reader itself forgets and learns nothing', () => {
    const files = filesWith({ 'web.yaml': version(1), 'api.yaml': version(1) });
    const directory = directoryOf(files);
    const before = directory.load();
    const beside = directory.beside().load('never', [
      { file: `${HERE}/web.yaml`, text: version(2) },
      { file: `${HERE}/api.yaml`, text: version(1) },
    ]);
    expect(told(beside)).toEqual(['api: v1', 'web: v2']);
    const [api] = before.services.values();
    expect([...beside.services.values()][0]).toBe(api);
    files.write(`${HERE}/web.yaml`, BROKEN);
    expect(told(directory.load())).toEqual(['api: v1', 'web: v1 (last good)']);
  });

  test('of a broken file are those that are followed', () => {
    const files = filesWith({ 'web.yaml': version(1) });
    const directory = directoryOf(files);
    directory.load();
    files.write(`${HERE}/web.yaml`, BROKEN);
    const [web] = directory.load().services.values();
    expect(web && directory.textOf(web)).toEqual({ file: `${HERE}/web.yaml`, text: version(1) });
  });

  test('that nobody knows: everything stays as it is', () => {
    const directory = directoryOf(filesWith({ 'web.yaml': version(2) }));
    directory.load('later', TEXTS);
    expect(directory.load('later', { unknown: 'is not followed' })).toMatchObject({ readable: false });
    expect(told(directory.load('later', { unknown: 'is not followed' }))[0]).toMatch('web: v1');
  });

  test('a reading that is only looked at forgets no last good version', () => {
    const files = filesWith({ 'web.yaml': version(1), 'api.yaml': version(1) });
    directoryOf(files).load();
    files.delete(`${HERE}/web.yaml`);
    directoryOf(files).load('never');
    files.write(`${HERE}/web.yaml`, BROKEN);
    expect(told(directoryOf(files).load())).toContain('web: v1 (last good)');
  });
});

describe('while nobody can tell who a user is', () => {
  const UNANSWERED = { failed: 'getent exited with 1' };
  const files = () => filesWith({ 'web.yaml': version(1, '  user: www-data', '  group: daemon') });
  const unasked = (users: Users): Users => ({ ...users, user: () => UNANSWERED, group: () => UNANSWERED });

  test('a service keeps the user and the group that it had', () => {
    const known = twinUsers();
    const silent = unasked(known);
    let users: Users = known;
    const asked: Users = {
      self: known.self,
      user: (name) => users.user(name),
      group: (name) => users.group(name),
    };
    const directory = directoryOf(files(), {}, asked);
    const credentials = { uid: 33, gid: 1 };
    expect(directory.load().services.get(WEB)).toMatchObject({ credentials, problems: [] });
    users = silent;
    const code = 'user-database-unavailable';
    expect(directory.load().services.get(WEB)).toMatchObject({
      credentials,
      problems: [
        { code, path: 'process.user', passing: true },
        { code, path: 'process.group', passing: true },
      ],
    });
    users = known;
    expect(directory.load().services.get(WEB)).toMatchObject({ credentials, problems: [] });
  });

  test('a service that was never read before is not run as somebody else', () => {
    const directory = directoryOf(files(), {}, unasked(twinUsers()));
    expect(told(directory.load())).toEqual(['web: broken']);
  });
});
