import fs from 'node:fs';
import { request } from 'node:http';
import os from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { Serving } from '../../src/daemon/serving.ts';
import { systemClock } from '../../src/world/clock.ts';
import { systemFiles } from '../../src/world/files.ts';
import type { World } from '../../src/world/world.ts';
import { fakeControl } from '../api/fake-control.ts';
import { credentials } from '../builders.ts';

/** Of each server that was made. */
const servers: WeakRef<object>[] = [];
/** How many of them were closed with all that belongs to them. */
let closed: number;

vi.mock('../../src/api/server.ts', async (original) => {
  const { apiServer, ...rest } = await original<typeof import('../../src/api/server.ts')>();
  const noted: typeof apiServer = (...args) => {
    const server = apiServer(...args);
    servers.push(new WeakRef(server));
    server.addHook('onClose', async () => {
      closed++;
    });
    return server;
  };
  return { ...rest, apiServer: noted };
});

let directory: string;
let said: string[];
let user: World['users']['user'];

const socket = () => join(directory, 'run', 'pm.sock');

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  said = [];
  servers.length = 0;
  closed = 0;
  user = () => undefined;
});

/** Those that are still kept. */
async function keptServers(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('nothing can be collected');
  // What a WeakRef was asked for is kept until the turn is over.
  await turn();
  collect();
  return servers.filter((server) => server.deref() !== undefined).length;
}

async function opened(answers: Parameters<typeof fakeControl>[0] = {}): Promise<Serving> {
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
      state_directory: join(directory, 'state'),
    },
    log: { info: tell('info'), warn: tell('warn'), error: tell('error') },
    control: fakeControl(answers).control,
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

test('servers whose socket is gone are not kept', async () => {
  const serving = await opened();
  for (let round = 0; round < 10; round++) {
    fs.rmSync(socket());
    await serving.look();
  }
  expect(await answer()).toBe(200);
  await expect.poll(keptServers, { timeout: 10_000 }).toBe(1);
  expect([servers.length, closed]).toEqual([11, 10]);
});

test('who is connected to a server whose socket is gone is answered, and lets it go with that', async () => {
  let tell = (): void => undefined;
  const told = new Promise<void>((resolve) => {
    tell = resolve;
  });
  let ask = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const serving = await opened({
    version: async () => {
      ask();
      await told;
      return { version: '1.2.3' };
    },
  });
  const answered = answer();
  await asked;
  fs.rmSync(socket());
  await serving.look();
  expect(await keptServers()).toBe(2);
  tell();
  expect(await answered).toBe(200);
  await expect.poll(keptServers, { timeout: 10_000 }).toBe(1);
});
