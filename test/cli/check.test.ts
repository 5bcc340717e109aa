import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { paintFor } from '../../src/cli/paint.ts';
import { pmctl } from '../../src/cli/pmctl.ts';
import { renderCheck } from '../../src/cli/render-check.ts';
import { fakeTerminal } from './fake-terminal.ts';

function project(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'check-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'config.d'));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text);
  return directory;
}

async function check(directory: string, ...argv: string[]) {
  const terminal = fakeTerminal({ directory });
  const exit = await pmctl(['check', ...argv], terminal);
  return { exit, out: terminal.out(), err: terminal.err() };
}

const GOOD = 'process:\n  command: [sleep, "1"]\n';
const BAD = 'process:\n  command: [sleep, "1"]\nrestart_policy:\n  max_backof: 3s\n';

test('right files: exit 0 and how many there are', async () => {
  const directory = project({ 'config.d/api.yaml': GOOD, 'config.d/web.yaml': GOOD });
  expect(await check(directory)).toEqual({ exit: 0, out: '2 files, no errors\n', err: '' });
});

test('each error is a line that an editor can jump to; exit 1', async () => {
  const directory = project({ 'config.d/api.yaml': BAD, 'config.d/web.yaml': GOOD });
  const { exit, out } = await check(directory);
  const [first, last] = out.split('\n');
  expect(first).toMatch(/^config\.d\/api\.yaml:4:3 {2}error {4}.*max_backof.*max_backoff/);
  expect(last).toBe('1 error in 1 of 2 files');
  expect(exit).toBe(1);
});

test('only the named files are judged', async () => {
  const directory = project({ 'config.d/api.yaml': BAD, 'config.d/web.yaml': GOOD });
  expect((await check(directory, 'config.d/web.yaml')).exit).toBe(0);
  expect((await check(directory, 'config.d/api.yaml')).exit).toBe(1);
});

test('a named file is judged as the daemon would, and only that is told', async () => {
  const lonely = `${GOOD}depends_on: [nosuch]\n`;
  const directory = project({ 'config.d/api.yaml': lonely, 'config.d/web.yaml': BAD });
  const { exit, out } = await check(directory, 'config.d/api.yaml');
  expect(out).toMatch(
    /^config\.d\/api\.yaml:3:\d+ {2}error .*there is no service "nosuch".*\n1 error in 1 of 1 file\n$/,
  );
  expect(exit).toBe(1);
});

test('a configuration directory may be named by a link to it', async () => {
  const directory = project({ 'config.d/api.yaml': `${GOOD}depends_on: [nosuch]\n` });
  symlinkSync('config.d', join(directory, 'services'));
  expect((await check(directory, 'services/api.yaml')).exit).toBe(1);
});

test('what could not be checked of a file elsewhere is told, and is no failure', async () => {
  const directory = project({ 'lone.yaml': `${GOOD}depends_on: [db, api]\n`, 'config.d/api.yaml': GOOD });
  const { exit, out } = await check(directory, 'lone.yaml');
  expect(out).toMatch(
    /^lone\.yaml {2}note .*db, api.*outside of the configuration directory\n1 file, no errors\n$/,
  );
  expect(exit).toBe(0);
  expect(JSON.parse((await check(directory, 'lone.yaml', '--json')).out).unchecked).toEqual([
    { file: 'lone.yaml', depends_on: ['db', 'api'] },
  ]);
});

test('--json has the errors with file, line, column, path and message', async () => {
  const directory = project({ 'config.d/api.yaml': BAD });
  const { out } = await check(directory, '--json');
  const view = JSON.parse(out);
  expect(view).toMatchObject({
    files: 1,
    errors: [{ file: 'config.d/api.yaml', line: 4, column: 3, path: 'restart_policy.max_backof' }],
    warnings: [],
  });
});

test('warnings are told and are no failure; texts of files are harmless', () => {
  const plain = paintFor({ terminal: false, refused: false, environment: {} });
  const warning = {
    file: 'a\u001b[2J.yaml',
    line: 1,
    column: null,
    path: null,
    message: 'odd',
    code: 'value-invalid',
    severity: 'warning',
    hint: 'mend it',
  } as const;
  expect(renderCheck({ files: 3, errors: [], warnings: [warning], unchecked: [] }, plain)).toEqual([
    'a\\x1b[2J.yaml:1:1  warning  odd; mend it',
    '1 warning in 1 of 3 files',
  ]);
});
