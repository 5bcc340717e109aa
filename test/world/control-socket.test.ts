import fs from 'node:fs';
import { createServer } from 'node:http';
import os from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { listenOn } from '../../src/world/control-socket.ts';

let directory: string;

const PID = 4711;

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
});

function listen(path: string, mode = 0o600): Promise<string | undefined> {
  const server = createServer();
  onTestFinished(() => void server.close());
  return listenOn(server, { path, mode, uid: null, gid: null, own: join(directory, 'state') }, PID);
}

const modeOf = (path: string) => (fs.lstatSync(path).mode & 0o777).toString(8);

test('directories that are made for the socket can be entered by whoever may use it', async () => {
  const path = join(directory, 'run', 'sub', 'pm.sock');
  expect(await listen(path, 0o660)).toBeUndefined();
  const entered = (0o755 & ~process.umask()).toString(8);
  expect([join(directory, 'run'), join(directory, 'run', 'sub')].map(modeOf)).toEqual([entered, entered]);
  expect(modeOf(path)).toBe('660');
  expect(fs.readdirSync(join(path, '..'))).toEqual(['pm.sock']);
});

test('the directory of the daemon alone is made again for nobody else', async () => {
  expect(await listen(join(directory, 'state', 'pm.sock'), 0o660)).toBeUndefined();
  expect(modeOf(join(directory, 'state'))).toBe('700');
});

test('where not even the temporary name can be removed, the answer is why', async () => {
  const path = join(directory, 'pm.sock');
  fs.mkdirSync(`${path}.${PID}`);
  expect(await listen(path)).toMatch(/^the socket \S+ cannot be opened: .*pm\.sock\.4711/);
  expect(fs.existsSync(path)).toBe(false);
  fs.rmdirSync(`${path}.${PID}`);
  expect(await listen(path)).toBeUndefined();
});
