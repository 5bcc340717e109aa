/** Who may decide by the files what the daemon runs, and what may they call it? */
import fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { loadSettings } from '../../src/config/settings.ts';
import { whoRuns } from '../../src/config/who.ts';
import { isServiceName } from '../../src/model/names.ts';
import { systemFiles } from '../../src/world/files.ts';
import { systemUsers } from '../../src/world/users.ts';
import { temporaryDirectory } from '../linux/ground.ts';

let directory: string;
const at = (name: string): string => join(directory, name);

beforeEach(() => {
  directory = fs.realpathSync(temporaryDirectory());
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  fs.mkdirSync(at('config.d'));
  fs.writeFileSync(at('config.yaml'), 'config_directory: config.d\n');
});

function warnings(): readonly string[] {
  const loaded = loadSettings({
    ...{ file: at('config.yaml'), cwd: directory, env: {}, flags: {}, hostname: 'host' },
    ...{ files: systemFiles(), users: systemUsers() },
  });
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.warnings.map(({ code, message }) => `${code} ${message.split(' ')[0]}`);
}

test.each([
  ['the directory of the service files', 'config.d', 0o777],
  ['that directory, also a sticky one', 'config.d', 0o1777],
  ['the master file', 'config.yaml', 0o666],
  ['the directory of the master file', '.', 0o777],
])('everybody may write %s: it is told', (_title, name, mode) => {
  fs.chmodSync(at(name), mode);
  expect(warnings()).toEqual([`config-exposed ${at(name)}`]);
});

test('what a group may write, and a master file in a sticky directory, is as it was meant', () => {
  fs.chmodSync(at('config.d'), 0o775);
  fs.chmodSync(at('config.yaml'), 0o664);
  fs.chmodSync(directory, 0o1777);
  expect(warnings()).toEqual([]);
});

test('the name of a service is one component of a path, one word of a line, and no option', () => {
  const hostile = [
    '..',
    '.',
    'a/b',
    '/a',
    '',
    'a\nb',
    'a b',
    '-rf',
    'a\u0000',
    'a\u001b[2J',
    'a\u202eb',
    'all',
  ];
  expect(hostile.filter((text) => isServiceName(text))).toEqual([]);
  expect(isServiceName('web-1.example_b')).toBe(true);
});

test('root under another name is not taken for a user', () => {
  const users = { ...systemUsers(), user: () => ({ ...systemUsers().self, uid: 0, user: 'toor' }) };
  const origin = { place: () => ({}), source: () => undefined, name: () => '' };
  expect(whoRuns({ user: 'toor' }, users, origin)).toMatchObject({
    problems: [{ message: expect.stringContaining('root under another name') }],
  });
});
