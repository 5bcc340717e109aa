import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/config/hash.ts';
import { TwinFiles } from '../twins/files.ts';
import { define, defined, web } from './ground.ts';

const HERE = '/etc/pm/config.d';

describe('secrets', () => {
  test('the value is beside the definition, in it only where it came from and a digest', () => {
    const files = new TwinFiles();
    files.write('/run/token', 'hunter2\n', 0o640);
    const { spec, secrets } = defined(
      web('  env: { A: { file: /run/token }, B: { base64: aGVsbG8= }, C: plain }'),
      { files },
    );
    expect(spec.process.env).toEqual({
      A: { secret: '/run/token', digest: digestOf('hunter2') },
      B: { secret: 'base64', digest: digestOf('hello') },
      C: 'plain',
    });
    expect([...secrets]).toEqual([
      ['A', 'hunter2'],
      ['B', 'hello'],
    ]);
    expect(JSON.stringify(spec)).not.toMatch(/hunter2|hello/);
  });

  test('of its own is nothing of an inherited one', () => {
    const files = new TwinFiles();
    files.write('/run/token', 'theirs', 0o600);
    const around = { files, defaults: { process: { env: { A: { file: '/run/token' }, B: 'b' } } } };
    const { spec, secrets } = defined(web('  env: { A: { base64: b3du } }'), around);
    expect(spec.process.env).toMatchObject({ A: { secret: 'base64' }, B: 'b' });
    expect([...secrets]).toEqual([['A', 'own']]);
  });

  test('one newline at the end does not count', () => {
    const files = new TwinFiles();
    files.write(`${HERE}/two`, 'x\n\n', 0o600);
    files.write(`${HERE}/crlf`, 'x\r\n', 0o600);
    const { secrets } = defined(web('  env: { A: { file: two }, B: { file: crlf } }'), { files });
    expect([...secrets.values()]).toEqual(['x\n', 'x']);
  });

  test.each([
    ['missing', (_: TwinFiles) => {}, '/s does not exist (ENOENT)'],
    ['a device', (files: TwinFiles) => files.odd('/s'), '/s is no regular file'],
    ['a directory', (files: TwinFiles) => files.mkdir('/s'), '/s is no regular file'],
    [
      'too large',
      (files: TwinFiles) => files.write('/s', 'x'.repeat(65_537), 0o600),
      '/s is too large (EFBIG)',
    ],
    [
      'open to all',
      (files: TwinFiles) => files.write('/s', 'x', 0o644),
      'can be read by every user of the host',
    ],
    ['no UTF-8', (files: TwinFiles) => files.write('/s', 'x\uFFFD', 0o600), '/s is no UTF-8 text'],
    ['with a NUL', (files: TwinFiles) => files.write('/s', 'x\0', 0o600), 'NUL'],
    [
      'unreadable',
      (files: TwinFiles) => {
        files.write('/s', 'x', 0o600);
        files.fail('read', '/s', 'EACCES');
      },
      '/s may not be read (EACCES)',
    ],
  ])('a file that is %s is refused', (_, prepare, says) => {
    const files = new TwinFiles();
    prepare(files);
    const problems = define(web('  env: { A: { file: /s } }'), { files });
    expect(problems).toEqual([expect.stringMatching(/^config\.d\/web\.yaml:3:13 {2}process\.env\.A: /)]);
    expect(problems).toEqual([expect.stringContaining(says)]);
  });

  test.each(['%%%', 'aGk', 'aGk=x', '====', '/w==', 'AA=='])(
    'base64 %s is refused without being shown',
    (text) => {
      const problems = define(web(`  env: { A: { base64: "${text}" } }`));
      expect(problems).toEqual([expect.stringMatching(/base64|UTF-8/)]);
      expect(String(problems)).not.toContain(text);
    },
  );
});

describe('dotenv files', () => {
  test('later files win over earlier ones, env over all of them', () => {
    const files = new TwinFiles({
      [`${HERE}/a.env`]: 'A=1\nB=1\nC=1\n# comment\nexport D="two words"\n',
      [`${HERE}/b.env`]: 'B=2\nC=2\n',
    });
    const { spec, secrets } = defined(web('  env_files: [a.env, b.env]', '  env: { C: "3" }'), { files });
    expect(Object.fromEntries(secrets)).toEqual({ A: '1', B: '2', D: 'two words' });
    expect(spec.process.env).toEqual({ C: '3' });
    expect(spec.process.env_files).toEqual([
      {
        path: `${HERE}/a.env`,
        values: { A: digestOf('1'), B: digestOf('1'), C: digestOf('1'), D: digestOf('two words') },
      },
      { path: `${HERE}/b.env`, values: { B: digestOf('2'), C: digestOf('2') } },
    ]);
  });

  test('their content counts as a change, their comments do not', () => {
    const files = new TwinFiles({ [`${HERE}/.env`]: 'A=1\n' });
    const text = web('  env_files: [.env]');
    const before = defined(text, { files }).hash;
    files.write(`${HERE}/.env`, '# new comment\nA=1\n');
    expect(defined(text, { files }).hash).toBe(before);
    files.write(`${HERE}/.env`, 'A=2\n');
    expect(defined(text, { files }).hash).not.toBe(before);
  });

  test('one that cannot be read is an error at its line', () => {
    expect(define(web('  env_files: [no.env]'))).toEqual([
      `config.d/web.yaml:3:15  process.env_files[0]: ${HERE}/no.env does not exist (ENOENT)`,
    ]);
  });

  test('names that no variable can have are refused', () => {
    const files = new TwinFiles({ [`${HERE}/.env`]: 'A B=1\n' });
    expect(String(define(web('  env_files: [.env]'), { files }))).toContain('is no name of a variable');
  });
});

describe('users', () => {
  test('a user brings its own group and the complete list of its groups', () => {
    expect(defined(web('  user: www-data')).credentials).toMatchObject({
      uid: 33,
      gid: 33,
      groups: null,
      user: 'www-data',
    });
  });

  test('numbers, groups and further groups', () => {
    const text = web('  user: 33', '  group: daemon', '  supplementary_groups: [root, 33]');
    expect(defined(text).credentials).toMatchObject({ uid: 33, gid: 1, groups: [0, 33] });
    expect(defined(web('  user: 33', '  supplementary_groups: []')).credentials?.groups).toEqual([]);
  });

  test('nobody in particular: as the daemon', () => {
    expect(defined(web()).credentials).toBeNull();
  });

  test.each([
    ['  user: nosuch', '3:9  process.user: this host knows no user "nosuch"'],
    ['  group: nosuch', '3:10  process.group: this host knows no group "nosuch"'],
    [
      '  supplementary_groups: [root, no]',
      '3:32  process.supplementary_groups[1]: this host knows no group "no"',
    ],
    ['  user: toor', '3:9  process.user: user "toor" is root under another name: write root if you mean it'],
    ['  user: "00"', '3:9  process.user: this host knows no user "00"'],
  ])('%s is refused', (line, expected) => {
    expect(define(web(line))).toEqual([`config.d/web.yaml:${expected}`]);
  });

  test('without root a service can only run as the daemon', () => {
    const as = 'www-data' as const;
    expect(defined(web('  user: www-data'), { as }).credentials).toBeNull();
    expect(define(web('  user: daemon'), { as })).toEqual([
      'config.d/web.yaml:3:9  process.user: only root may run a process as user daemon; the daemon runs as www-data',
    ]);
    expect(define(web('  group: daemon'), { as })).toEqual([expect.stringContaining('only root may')]);
    expect(define(web('  supplementary_groups: [daemon]'), { as })).toEqual([
      expect.stringContaining('only root may'),
    ]);
  });

  test('root may be named', () => {
    expect(defined(web('  user: root')).credentials?.uid).toBe(0);
    expect(defined(web('  user: 0')).credentials?.uid).toBe(0);
  });
});
