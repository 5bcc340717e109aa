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
  expect(check(files, { only: ['/home/me/new.yaml'] })).toEqual({ files: 1, errors: [], warnings: [] });
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
