import { expect, test } from 'vitest';
import { type CheckInput, checkDirectory } from '../../src/config/check.ts';
import { TwinFiles } from '../twins/files.ts';
import { twinUsers } from '../twins/users.ts';
import { filesWith, HOST, sentences, web } from './ground.ts';

function check(files: TwinFiles, change: Partial<CheckInput> = {}) {
  const input = {
    cwd: '/etc/pm',
    env: {},
    flags: {},
    files,
    users: twinUsers(),
    hostname: 'h',
    host: HOST,
    ...change,
  };
  const { errors, warnings, ...rest } = checkDirectory(input);
  return { ...rest, errors: sentences(errors), warnings: sentences(warnings) };
}

test('a right configuration', () => {
  expect(check(filesWith({ 'a.yaml': web(), 'b.yaml': web() }))).toEqual({
    files: 2,
    errors: [],
    warnings: [],
    unchecked: [],
  });
});

test('errors of all files, with their places', () => {
  const files = filesWith({ 'a.yaml': web('instances: x'), 'b.yaml': web('foo: 1'), 'c.yaml': web() });
  expect(check(files)).toMatchObject({
    files: 3,
    errors: [
      expect.stringMatching(/^config\.d\/a\.yaml:3:12/),
      expect.stringMatching(/^config\.d\/b\.yaml:3:1/),
    ],
  });
});

test('service files in a directory of the directory, which nobody reads, are told', () => {
  const files = filesWith({ 'a.yaml': web(), 'notes.txt': 'no directory' });
  files.write('/etc/pm/config.d/team/b.yaml', web());
  files.write('/etc/pm/config.d/team/deeper/c.yaml', web());
  files.write('/etc/pm/config.d/texts/readme.md', 'no service');
  files.write('/etc/pm/config.d/.git/d.yaml', 'no service');
  expect(check(files)).toMatchObject({
    files: 1,
    errors: [],
    warnings: [
      'config.d/team  the YAML files in this directory are not read: only those of config.d itself are',
    ],
  });
  expect(check(files, { only: ['config.d/a.yaml'] }).warnings).toEqual([]);
});

test('errors of the master file', () => {
  const files = filesWith({ 'a.yaml': web() });
  files.write('/etc/pm/config.yaml', 'sock_mode: 999\n');
  expect(check(files)).toMatchObject({ files: 0, errors: [expect.stringMatching(/^config\.yaml:1:12/)] });
});

test('nothing of an earlier daemon counts, and nothing is written', () => {
  const files = filesWith({ 'a.yaml': 'process: [\n' });
  files.write(
    '/var/lib/processmaster/last-good/b.json',
    JSON.stringify({ file: '/etc/pm/config.d/a.yaml', text: web() }),
  );
  expect(check(files).errors.length).toBeGreaterThan(0);
  expect(files.calls.filter((call) => /replace|remove|last-good/.test(call))).toEqual([]);
});

test('what is only wrong on this host is a warning', () => {
  const files = filesWith({ 'a.yaml': web('  user: nosuch'), 'b.yaml': web('  user: daemon', '  nice: -1') });
  const result = check(files, { users: twinUsers('www-data') });
  expect(result.errors).toEqual([]);
  expect(result.warnings).toEqual([
    expect.stringContaining('this host knows no user "nosuch"'),
    expect.stringContaining('only root may run a process as user daemon'),
    expect.stringContaining('-1 needs a daemon that runs as root'),
  ]);
});

test('only the files that are named, wherever they are', () => {
  const files = filesWith({ 'a.yaml': 'x\n' });
  files.write('/home/me/new.yaml', web());
  expect(check(files, { only: ['/home/me/new.yaml'] })).toEqual({
    files: 1,
    errors: [],
    warnings: [],
    unchecked: [],
  });
  expect(check(files, { only: ['config.d/a.yaml', 'no.yaml'] })).toMatchObject({
    files: 2,
    errors: [expect.stringMatching(/^config\.d\/a\.yaml:1:1/), 'no.yaml  this file does not exist (ENOENT)'],
  });
});

test('two files with one name, and a directory that is not there', () => {
  expect(check(filesWith({ 'a.yaml': web('name: x'), 'b.yaml': web('name: x') })).errors).toHaveLength(2);
  expect(check(new TwinFiles())).toMatchObject({
    files: 0,
    errors: [expect.stringContaining('config.d  the configuration directory does not exist (ENOENT)')],
  });
});

/** Of each file, checked as the only one that is named: what is told, by places and sentences. */
function alone(files: TwinFiles, name: string) {
  const { errors, warnings } = check(files, { only: [name] });
  return [...errors, ...warnings];
}

test('a named file of the directory is judged among all others', () => {
  const files = filesWith({
    'a.yaml': web('depends_on: [nosuch]'),
    'b.yaml': web('depends_on: [c]'),
    'c.yaml': web('depends_on: [b]'),
    'd.yaml': web('name: twin'),
    'e.yaml': web('name: twin'),
    'f.yaml': web('depends_on: [g]'),
    'g.yaml': web(),
  });
  const told = (name: string) => alone(files, `config.d/${name}`);
  expect(told('a.yaml')).toEqual([expect.stringContaining('there is no service "nosuch"')]);
  expect(told('b.yaml')).toEqual([expect.stringContaining('b -> c -> b')]);
  expect(told('d.yaml')).toEqual([expect.stringContaining('also defined in config.d/e.yaml')]);
  expect(told('f.yaml')).toEqual([]);
  expect(check(files, { only: ['config.d/a.yaml', 'config.d/f.yaml'] })).toMatchObject({
    files: 2,
    errors: [expect.stringMatching(/^config\.d\/a\.yaml:/)],
    unchecked: [],
  });
});

test('a quarrel is told to each of those that have a part in it, and to nobody else', () => {
  const files = filesWith({
    'a.yaml': web('port: 8080', 'logs: {stdout: /var/log/x.log, rotation_size: 1M}'),
    'b.yaml': web('port: 8080', 'logs: {stdout: /var/log/x.log, rotation_size: 2M}'),
    'c.yaml': web(),
    'once.yaml': web('depends_on: {c: completed}'),
  });
  for (const name of ['a.yaml', 'b.yaml']) {
    expect(alone(files, `config.d/${name}`)).toEqual([
      expect.stringContaining('8080 is the port of a (config.d/a.yaml) too'),
      expect.stringContaining('/var/log/x.log is shared with a'),
    ]);
  }
  for (const name of ['c.yaml', 'once.yaml']) {
    expect(alone(files, `config.d/${name}`)).toEqual([expect.stringContaining('c is never completed')]);
  }
});

test('of a file elsewhere nobody can say whether the services are there that it waits for', () => {
  const files = filesWith({ 'a.yaml': web(), 'new.yaml': web() });
  files.write('/home/me/new.yaml', web('depends_on: [a, other, nosuch]'));
  files.write('/home/me/other.yaml', web());
  const only = ['/home/me/new.yaml', '/home/me/other.yaml', '/home/me/../me/new.yaml', 'config.d/a.yaml'];
  expect(check(files, { only })).toEqual({
    files: 3,
    errors: [],
    warnings: [],
    unchecked: [{ file: '/home/me/new.yaml', depends_on: ['a', 'nosuch'] }],
  });
});

test('when the others cannot be read, that is told', () => {
  const files = filesWith({ 'a.yaml': web() });
  files.fail('list', '/etc/pm/config.d', 'EACCES');
  const { errors } = check(files, { only: ['config.d/a.yaml'] });
  expect(errors).toEqual([expect.stringContaining('EACCES')]);
});
