import fs from 'node:fs';
import { request } from 'node:http';
import os from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { Serving } from '../../src/daemon/serving.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemFiles } from '../../src/world/files.ts';
import type { World } from '../../src/world/world.ts';
import { fakeControl } from '../api/fake-control.ts';
import { credentials } from '../builders.ts';

let directory: string;
let said: string[];
let user: World['users']['user'];

const socket = () => join(directory, 'run', 'pm.sock');

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  said = [];
  user = () => undefined;
});

async function opened(): Promise<Serving> {
  const tell = (level: string) => (_fields: object, message: string) => void said.push(`${level} ${message}`);
  const users = { user: (name: string) => user(name), group: () => undefined, self: credentials() };
  const serving = new Serving({
    world: { clock: systemClock(), files: systemFiles(), users },
    host: { pid: 4711 },
    settings: {
      api: { listen: null, allowed_hosts: [], tokens: null, tls: { cert: null, key: null }, insecure: false },
      sock_path: socket(),
      sock_mode: 0o600,
      sock_owner: 'nobody',
      sock_group: null,
    },
    log: { info: tell('info'), warn: tell('warn'), error: tell('error') },
    control: fakeControl().control,
    complain: ({ message }) => void said.push(`problem ${message}`),
    unavailable: () => void said.push('unavailable'),
  });
  await serving.open();
  expect(said.splice(0)).toEqual([`info listening on ${socket()}`]);
  onTestFinished(() => serving.close());
  return serving;
}

function answer(): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socket(), path: '/api/version', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', reject);
    asked.end();
  });
}

test('a directory of the socket that is gone is made again', async () => {
  const serving = await opened();
  fs.rmSync(join(socket(), '..'), { recursive: true });
  await serving.look();
  expect(said).toEqual([`warn ${socket()} was gone; listening there again`]);
  expect(await answer()).toBe(200);
});

test('as long as the socket cannot be made again, that is told once, and tried again at each look', async () => {
  const serving = await opened();
  fs.rmSync(socket());
  fs.mkdirSync(`${socket()}.4711`);
  await serving.look();
  await serving.look();
  expect(said.splice(0)).toEqual([
    expect.stringMatching(/^error nobody can reach this daemon: the socket \S+ cannot be opened: /),
  ]);
  fs.rmdirSync(`${socket()}.4711`);
  await serving.look();
  expect(said).toEqual([`warn ${socket()} was gone; listening there again`]);
  expect(await answer()).toBe(200);
});

test('a look that fails in a way of which nobody thought ends nothing', async () => {
  const serving = await opened();
  fs.rmSync(socket());
  user = () => {
    throw new Error('no memory');
  };
  await serving.look();
  expect(said).toEqual(['error nobody can reach this daemon: no memory']);
});
