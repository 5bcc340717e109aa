import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lockState } from '../../src/world/state-lock.ts';
import { failingCall } from './failing-call.ts';

function stateDirectory(): string {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  return directory;
}

function locked(directory: string): () => void {
  const lock = lockState(directory);
  if ('code' in lock) throw new Error(lock.message);
  return lock.unlock;
}

test('a state directory is had by one at a time, who is named', () => {
  const directory = stateDirectory();
  const unlock = locked(directory);
  expect(lockState(directory)).toMatchObject({
    code: 'daemon-running',
    message: expect.stringContaining(`${process.pid} `),
  });
  unlock();
  locked(directory)();
});

test('what was started meanwhile does not keep it', async () => {
  const directory = stateDirectory();
  const unlock = locked(directory);
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  unlock();
  locked(directory)();
});

test('it is known when its file is gone, or another one in its place, and not guessed', () => {
  const directory = stateDirectory();
  const lock = lockState(directory);
  if ('code' in lock) throw new Error(lock.message);
  const path = join(directory, 'runs', 'lock');
  expect(lock.isThere()).toBe(true);
  fs.rmSync(path);
  expect(lock.isThere()).toBe(false);
  fs.writeFileSync(path, '');
  expect(lock.isThere()).toBe(false);
  expect(lock.renew()).toBeUndefined();
  expect(lock.isThere()).toBe(true);
  fs.rmSync(join(directory, 'runs'), { recursive: true });
  expect(lock.isThere()).toBe(false);
  expect(lock.renew()).toBeUndefined();
  // A disk that does not answer says nothing: who believed it would find his own lock and take it for that of another.
  const mend = failingCall('statSync', (asked) => asked === path, 'EIO');
  expect(lock.isThere()).toBe(true);
  mend();
  lock.unlock();
});

test('a directory that cannot be written is no other daemon', () => {
  expect(lockState('/dev/null/state')).toMatchObject({ code: 'state-unwritable' });
});
