import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type GroupCommand, runInGroup } from '../../src/world/group-command.ts';
import { failSpawn, SPAWN_FAILURES } from './failing-spawn.ts';

function run(script: string, more: Partial<GroupCommand> = {}) {
  return runInGroup({
    argv: ['/bin/sh', '-c', script],
    environment: { PATH: '/usr/bin:/bin' },
    ...{ input: 'hello\n', timeout: 20_000, most: 1000 },
    ...more,
  });
}

/** A file that tells the pid of a process, and whether that one is gone. */
function pidFile(): { readonly path: string; readonly isGone: () => boolean } {
  const directory = fs.mkdtempSync(join(tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const path = join(directory, 'pid');
  const isGone = (): boolean => {
    try {
      const stat = fs.readFileSync(`/proc/${fs.readFileSync(path, 'utf8').trim()}/stat`, 'utf8');
      return stat.split(') ')[1]?.startsWith('Z') === true;
    } catch {
      return true;
    }
  };
  return { path, isGone };
}

test('what it says comes back, with its exit code', async () => {
  const { code, stdout, stderr, failed } = await run('cat; echo no >&2; exit 3');
  expect([code, stdout.toString(), stderr.toString(), failed]).toEqual([3, 'hello\n', 'no\n', undefined]);
});

test.each([
  ['missing', { argv: ['/nonexistent/program'] }],
  ['too_much', { argv: ['/bin/sh', '-c', 'while :; do echo more; done'] }],
  ['cancelled', { cancel: AbortSignal.abort() }],
] as const)('why it has no answer: %s', async (failed, command) => {
  expect(await run('sleep 60', command)).toMatchObject({ code: 1, failed });
});

test.each(SPAWN_FAILURES)('why it has no answer: %s', async (_, code) => {
  failSpawn(code);
  expect(await run('true')).toMatchObject({ code: 1, failed: expect.stringContaining(`(${code})`) });
});

test('what ended it is told', async () => {
  expect(await run('kill -9 $$')).toMatchObject({ code: 1, signal: 'SIGKILL' });
});

test('at its limit all that it started ends with it', async () => {
  const { path, isGone } = pidFile();
  const answer = await run(`sleep 60 & echo $! > ${path}; echo begun; wait`, { timeout: 1500 });
  expect([answer.failed, answer.stdout.toString()]).toEqual(['too_slow', 'begun\n']);
  await expect.poll(isGone).toBe(true);
});

test('when nobody wants the answer any more, all that it started ends with it', async () => {
  const { path, isGone } = pidFile();
  const end = new AbortController();
  const answer = run(`sleep 60 & echo $! > ${path}.new; mv ${path}.new ${path}; wait`, {
    cancel: end.signal,
  });
  await expect.poll(() => fs.existsSync(path)).toBe(true);
  end.abort();
  expect(await answer).toMatchObject({ failed: 'cancelled' });
  await expect.poll(isGone).toBe(true);
});
