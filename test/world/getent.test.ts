import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { getent } from '../../src/world/getent.ts';
import type { Said } from '../../src/world/name-service.ts';
import { failSpawn, SPAWN_FAILURES } from './failing-spawn.ts';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'pmtest-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(directory, { recursive: true });
});

function does(script: string): void {
  fs.writeFileSync(join(directory, 'getent'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', [directory, process.env['PATH']].join(delimiter));
}

const soon = (patience: number) =>
  new Promise<Said>((resolve) => getent.soon('passwd', 'ann', patience, resolve));

it.each([
  ['says what it found', 'echo "$1:$2"', 'passwd:ann\n'],
  ['surely found nothing', 'exit 2', ''],
  ['could not ask', 'echo rest; exit 1', { failed: 'getent exited with 1', late: false }],
  ['was killed', 'kill -9 $$', { failed: 'getent was ended by SIGKILL', late: false }],
])('tells that it %s', async (_, script, said) => {
  does(script);
  expect(getent.now('passwd', 'ann', 10_000)).toEqual(said);
  expect(await soon(10_000)).toEqual(said);
});

it('is not waited for longer than that, also where something else holds its output', async () => {
  does('sleep 60 & echo $! >> "$0.pids"; wait');
  const late = { failed: 'getent gave no answer within 0.5 s', late: true };
  expect(getent.now('passwd', 'ann', 500)).toEqual(late);
  expect(await soon(500)).toEqual(late);
  const pids = fs.readFileSync(join(directory, 'getent.pids'), 'utf8').trim().split('\n');
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
});

it('knows nobody where there is no such program', async () => {
  vi.stubEnv('PATH', directory);
  expect(getent.now('passwd', 'ann', 10_000)).toBe('');
  expect(await soon(10_000)).toBe('');
});

it.each(SPAWN_FAILURES)('tells that it could not be asked when %s', async (_, code) => {
  failSpawn(code);
  expect(await soon(10_000)).toEqual({ failed: expect.stringContaining(`(${code})`), late: false });
});
