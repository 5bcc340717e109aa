import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hashOf, parseTokens } from '../../src/api/tokens.ts';
import { pmctl } from '../../src/cli/pmctl.ts';
import { fakeTerminal } from './fake-terminal.ts';

function ground() {
  const directory = fs.mkdtempSync(join(tmpdir(), 'pmctl-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true, force: true }));
  const run = async (...words: readonly string[]) => {
    const terminal = fakeTerminal({ directory });
    const exit = await pmctl(['token', ...words], terminal);
    return { exit, out: terminal.out(), err: terminal.err() };
  };
  return { directory, file: join(directory, 'tokens'), run };
}

describe('a new token', () => {
  test('is printed once, and the file has its hash alone', async () => {
    const { file, run } = ground();
    const { exit, out, err } = await run('new', 'ci', '--role', 'operate', '--file', 'tokens');
    expect(exit).toBe(0);
    const secret = out.trim();
    expect(err).toBe(`pmctl: the token of ci (operate) is shown once; ${file} has its hash\n`);
    expect(fs.readFileSync(file, 'utf8')).toBe(`ci operate ${hashOf(secret)}\n`);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  });

  test('may read, unless it is said otherwise; for programs as JSON', async () => {
    const { file, run } = ground();
    const made = JSON.parse((await run('new', 'ci', '--file', file, '--json')).out);
    expect(made).toEqual({ name: 'ci', role: 'read', token: expect.any(String), file });
    expect(parseTokens(fs.readFileSync(file, 'utf8')).tokens).toMatchObject([{ name: 'ci', role: 'read' }]);
  });

  test('of a name that has one, of a bad name or role, is refused, and nothing is written', async () => {
    const { file, run } = ground();
    await run('new', 'ci', '--file', file);
    const before = fs.readFileSync(file, 'utf8');
    expect(await run('new', 'ci', '--file', file)).toMatchObject({
      exit: 1,
      out: '',
      err: expect.stringContaining('ci has a token'),
    });
    expect(await run('new', 'a b', '--file', file)).toMatchObject({ exit: 64, out: '' });
    expect(await run('new', 'x', '--role', 'root', '--file', file)).toMatchObject({ exit: 64, out: '' });
    expect(await run('new', '--file', file)).toMatchObject({ exit: 64, out: '' });
    expect(await run('give', 'x', '--file', file)).toMatchObject({ exit: 64, out: '' });
    expect(fs.readFileSync(file, 'utf8')).toBe(before);
  });

  test('asked for in wrong words is told so, also where no file of tokens is known', async () => {
    const { run } = ground();
    const wrong = { exit: 64, out: '' };
    expect(await run('nwe', 'x')).toEqual({ ...wrong, err: expect.stringContaining('new, list or revoke') });
    expect(await run('list', 'x')).toEqual({ ...wrong, err: expect.stringContaining('too many words: x') });
    expect(await run('revoke')).toEqual({ ...wrong, err: expect.stringContaining('token revoke NAME') });
  });

  test('goes where the master file says', async () => {
    const { directory, run } = ground();
    expect(await run('new', 'ci')).toMatchObject({ exit: 64, err: expect.stringContaining('--file') });
    fs.writeFileSync(join(directory, 'config.yaml'), 'api: { listen: 4480, tokens: secret/tokens }\n');
    expect((await run('new', 'ci')).exit).toBe(0);
    expect(fs.existsSync(join(directory, 'secret/tokens'))).toBe(true);
  });
});

test('tokens are listed without their hashes, and what is wrong with the file is told', async () => {
  const { file, run } = ground();
  fs.writeFileSync(file, `# people\nann admin ${hashOf('a')}\nbob root x\n`);
  const { exit, out, err } = await run('list', '--file', file);
  expect(exit).toBe(0);
  expect(out).toMatch(/^NAME +ROLE\nann +admin\n$/);
  expect(err).toBe(`pmctl: ${file}:3  the role of bob is none of read, operate, admin\n`);
  expect(JSON.parse((await run('list', '--file', file, '--json')).out)).toEqual({
    tokens: [{ name: 'ann', role: 'admin' }],
  });
});

test('a token that is revoked is gone; everything else in the file stays', async () => {
  const { file, run } = ground();
  const [ann, bob] = [`ann admin ${hashOf('a')}`, `bob read ${hashOf('b')}`];
  fs.writeFileSync(file, `# people\n${ann}\n\n  ${bob}\n`, { mode: 0o640 });
  expect(await run('revoke', 'ann', '--file', file)).toMatchObject({ exit: 0 });
  expect(fs.readFileSync(file, 'utf8')).toBe(`# people\n\n  ${bob}\n`);
  expect(fs.statSync(file).mode & 0o777).toBe(0o640);
  expect(await run('revoke', 'ann', '--file', file)).toMatchObject({
    exit: 1,
    err: expect.stringContaining('no token of "ann"'),
  });
  expect(await run('revoke', 'x', '--file', `${file}2`)).toMatchObject({
    exit: 1,
    err: expect.stringContaining('ENOENT'),
  });
});
