import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { runFed } from '../../src/world/fed-command.ts';
import { failSpawn, SPAWN_FAILURES } from './failing-spawn.ts';

function run(command: readonly string[], timeout = 10_000, input = 'hello\n'): Promise<string | undefined> {
  return new Promise((resolve) => {
    runFed({ command, input, environment: { PATH: '/usr/bin:/bin', NAME: 'value' }, timeout }, resolve);
  });
}

test('it gets the text, and no environment but the one that is given', async () => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'pm-fed-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const file = join(directory, 'said');
  expect(await run(['/bin/sh', '-c', `cat > ${file}; env >> ${file}`])).toBeUndefined();
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines[0]).toBe('hello');
  expect(lines).toContain('NAME=value');
  expect(lines.filter((line) => !/^(hello|NAME|PATH|PWD|OLDPWD|SHLVL|_)/.test(line))).toEqual([]);
});

test('how it failed', async () => {
  expect(await run(['/bin/sh', '-c', 'exit 3'])).toBe('it exited with 3');
  expect(await run(['/bin/sh', '-c', 'kill -9 $$'])).toBe('it was ended by SIGKILL');
  expect(await run(['/nonexistent/program'])).toContain('ENOENT');
  // It does not read, and is given more than a pipe holds.
  expect(await run(['/bin/true'], 10_000, 'x'.repeat(1_000_000))).toBeUndefined();
});

test.each(SPAWN_FAILURES)('how it failed: %s', async (_, code) => {
  failSpawn(code);
  expect(await run(['/bin/true'])).toContain(`(${code})`);
});

test('cancelled, it ends and nothing is told of it', async () => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'pm-fed-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const file = join(directory, 'pid');
  const told: unknown[] = [];
  const command = ['/bin/sh', '-c', `echo $$ > ${file}.new; mv ${file}.new ${file}; exec sleep 60`];
  const environment = { PATH: '/usr/bin:/bin' };
  const cancel = runFed({ command, input: '', environment, timeout: 60_000 }, (failed) => told.push(failed));
  await expect.poll(() => fs.existsSync(file)).toBe(true);
  const pid = fs.readFileSync(file, 'utf8').trim();
  cancel();
  await expect.poll(() => fs.existsSync(`/proc/${pid}`)).toBe(false);
  expect(told).toEqual([]);
});

test('it may be given more time than a timer can count', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const days = 30 * 24 * 3600 * 1000;
  const told = vi.fn();
  const ended = new Promise<string | undefined>((resolve) => {
    const options = { command: ['/bin/sleep', '1000'], input: '', environment: {}, timeout: days };
    runFed(options, (failed) => {
      told();
      resolve(failed);
    });
  });
  await vi.advanceTimersByTimeAsync(days - 1);
  expect(told).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(await ended).toBe('it was killed after 2592000 s');
});

test('at its time it is killed with what it started', async () => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'pm-fed-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const file = join(directory, 'pid');
  expect(await run(['/bin/sh', '-c', `sleep 60 & echo $! > ${file}; wait`], 1500)).toBe(
    'it was killed after 1.5 s',
  );
  const pid = fs.readFileSync(file, 'utf8').trim();
  const deadline = Date.now() + 5000;
  const isGone = (): boolean => {
    try {
      return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === true;
    } catch {
      return true;
    }
  };
  while (!isGone()) {
    if (Date.now() > deadline) throw new Error(`${pid} still lives`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});
