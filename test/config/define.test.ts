import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DefinePlace, defineService, removableFile, type Written } from '../../src/config/define.ts';
import { newServiceText } from '../../src/config/new-service-text.ts';
import type { NewService } from '../../src/model/new-service.ts';
import { fillIn } from '../../src/model/template.ts';
import type { TwinFiles } from '../twins/files.ts';
import { twinUsers } from '../twins/users.ts';
import { directoryOf, filesWith, HOST, specOf } from './ground.ts';

const OWN = { config_directory: '/etc/pm/config.d', state_directory: '/var/lib/pm' };
const PATH = '/etc/pm/config.d/web.yaml';

function service(more: Partial<NewService> = {}): NewService {
  return { name: 'web', command: ['node', 'server.js'], directory: '/srv/web', ...more };
}

function place(files: TwinFiles): DefinePlace {
  const settings = { file: null, service_defaults: {}, vars: {}, ...OWN };
  return { files, users: twinUsers(), host: HOST, settings, environment: {}, cwd: '/etc/pm' };
}

function ground(texts: Readonly<Record<string, string>> = {}): TwinFiles {
  const files = filesWith(texts);
  files.mkdir('/srv/web');
  return files;
}

function messages(written: Written): readonly string[] {
  return 'problems' in written ? written.problems.map(({ code, message }) => `${code}: ${message}`) : [];
}

describe('the text', () => {
  test('is what a person would write', () => {
    const text = newServiceText(
      service({ instances: 2, port: 8080, env: { MODE: 'on', N: '1' }, user: 'www' }),
      OWN,
    );
    expect(text.split('\n').slice(1).join('\n').trimStart()).toBe(
      [
        'process:',
        '  command: [node, server.js]',
        '  working_directory: /srv/web',
        '  env:',
        '    MODE: on',
        '    N: "1"',
        '  user: www',
        'instances: 2',
        'port: 8080',
        'logs:',
        '  stdout: /var/lib/pm/logs/web/stdout.log',
        '  stderr: /var/lib/pm/logs/web/stderr.log',
        '',
      ].join('\n'),
    );
  });

  test('means every word and value as it was typed', () => {
    const word = fc
      .oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(
          '${port}',
          '$${x}',
          '${',
          '$$',
          'yes',
          'null',
          '1e3',
          '~',
          '- a',
          'a: b',
          '#',
          '"',
          "'",
          'a\nb',
        ),
      )
      .filter((text) => !/[\0\ud800-\udfff]/.test(text));
    const words = fc.array(word, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        words.filter(([first]) => first !== ''),
        word,
        (command, value) => {
          const { process } = specOf(newServiceText(service({ command, env: { X: value } }), OWN));
          const run = { instance: 0, generation: 1 };
          expect(process.command.map((text) => fillIn(text, run))).toEqual(command);
          expect(fillIn(String(process.env['X']), run)).toBe(value);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('in development ignores what the daemon writes below the watched directory, and nothing else', () => {
    const watched = (directory: string): string => newServiceText(service({ directory, dev: true }), OWN);
    expect(watched('/etc/pm')).toContain('ignore:\n    - /etc/pm/config.d\n');
    expect(watched('/srv/web')).not.toContain('ignore');
    expect(watched('/srv/web')).toContain('crash_on_start: wait_for_change');
  });
});

describe('a new service', () => {
  test('becomes a file that the directory reads', () => {
    const files = ground();
    expect(defineService(service(), place(files))).toEqual({ file: 'config.d/web.yaml', was: 'new' });
    const { services, problems } = directoryOf(files).load();
    expect(problems).toEqual([]);
    expect(services.get('web' as never)).toMatchObject({
      kind: 'defined',
      spec: { process: { working_directory: '/srv/web' } },
    });
  });

  test.each([
    { env: { MODE: 'x', URL: 'http://a:80/b@c' }, mode: 0o644 },
    { env: { DB_PASSWORD: 'x' }, mode: 0o600 },
    { env: { api_token: 'x' }, mode: 0o600 },
    { env: { URL: 'postgres://u:p@db/x' }, mode: 0o600 },
  ])('with $env has a file of the mode $mode', ({ env, mode }) => {
    const files = ground();
    defineService(service({ env }), place(files));
    expect(files.status(PATH)).toMatchObject({ mode });
  });

  test.each([
    { why: 'a bad name', wanted: service({ name: '../x' }), says: 'name-invalid' },
    { why: 'an unknown user', wanted: service({ user: 'nosuch' }), says: 'user-unknown' },
    {
      why: 'a missing directory',
      wanted: service({ directory: '/nope' }),
      says: 'working-directory-missing',
    },
    {
      why: 'a file as directory',
      wanted: service({ directory: '/srv/file' }),
      says: 'working-directory-missing',
    },
    { why: 'a bad variable', wanted: service({ env: { 'A-B': '1' } }), says: 'A-B' },
  ])('with $why is refused and nothing is written', ({ wanted, says }) => {
    const files = ground();
    files.write('/srv/file', '');
    expect(messages(defineService(wanted, place(files))).join('\n')).toContain(says);
    expect(files.list('/etc/pm/config.d')).toEqual([]);
    expect(files.calls.filter((call) => call.startsWith('create'))).toEqual([]);
  });

  test.each(['web.yaml', 'web.yml', 'web.YAML'])('does not take the place of %s', (name) => {
    const files = ground({ [name]: 'old' });
    expect(messages(defineService(service(), place(files)))).toEqual([
      `name-duplicate: config.d/${name} exists already and is not overwritten`,
    ]);
    expect(files.text(`/etc/pm/config.d/${name}`)).toBe('old');
  });

  test('does not take the place of a file that appears at the last moment, or of a link that leads nowhere', () => {
    const racing = ground();
    racing.after('status', '/srv/web', () => racing.write(PATH, 'theirs'));
    expect(messages(defineService(service(), place(racing)))[0]).toContain('name-duplicate');
    expect(racing.text(PATH)).toBe('theirs');
    const linked = ground();
    linked.link(PATH, '/gone');
    expect(messages(defineService(service(), place(linked)))[0]).toContain('name-duplicate');
    expect(linked.linkTarget(PATH)).toBe('/gone');
  });

  test('that is there already in the same words is known again', () => {
    const files = ground();
    defineService(service(), place(files));
    expect(defineService(service(), place(files))).toEqual({ file: 'config.d/web.yaml', was: 'the_same' });
    expect(messages(defineService(service({ port: 80 }), place(files)))[0]).toContain('name-duplicate');
  });
});

describe('the file of a service', () => {
  const TEXT = 'process:\n  command: [sleep, "60"]\n';

  function removable(files: TwinFiles, before: () => void = () => {}): ReturnType<typeof removableFile> {
    const desired = directoryOf(files)
      .load()
      .services.get('web' as never);
    if (desired === undefined) throw new Error('no service web');
    before();
    return removableFile(desired, place(files));
  }

  test('may be removed, also when it is broken or gone already', () => {
    expect(removable(ground({ 'web.yaml': TEXT }))).toEqual({ path: PATH });
    expect(removable(ground({ 'web.yaml': 'process: 1\n' }))).toEqual({ path: PATH });
    const files = ground({ 'web.yaml': TEXT });
    expect(removable(files, () => files.delete(PATH))).toEqual({ path: PATH });
  });

  test('stays when it is a symbolic link', () => {
    const files = ground();
    files.write('/git/web.yaml', TEXT);
    files.link(PATH, '/git/web.yaml');
    expect(removable(files)).toMatchObject({
      message: expect.stringContaining('symbolic link to /git/web.yaml'),
    });
  });

  test('stays when another file defines the service too', () => {
    const files = ground({ 'a.yaml': `name: web\n${TEXT}`, 'web.yaml': TEXT });
    expect(removable(files)).toMatchObject({ message: expect.stringContaining('a.yaml') });
  });

  test('stays when it defines another service by now', () => {
    const files = ground({ 'web.yaml': TEXT });
    expect(removable(files, () => files.write(PATH, `name: shop\n${TEXT}`))).toMatchObject({
      message: expect.stringContaining('defines shop by now'),
    });
  });
});
