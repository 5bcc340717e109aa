import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lockState } from '../../src/world/state-lock.ts';

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

test('a directory that cannot be written is no other daemon', () => {
  expect(lockState('/dev/null/state')).toMatchObject({ code: 'state-unwritable' });
});
