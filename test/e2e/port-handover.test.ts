/** Does a fixed port go from one service to another while the one that has it takes its time to stop? */
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePorts } from './free-ports.ts';
import { GROUND, GROUNDS, type Ground } from './grounds.ts';
import { type Host, openHost } from './host.ts';

/** Told to stop, it goes on listening (or not, with `closes`) and ends when a file says that it may. */
const SERVER = `import fs from 'node:fs';
import net from 'node:net';
const [work, closes] = process.argv.slice(2);
const mayEnd = work + '/' + process.env.PROCESSMASTER_SERVICE + '.may-end';
const server = net.createServer().listen(Number(process.env.PORT), '127.0.0.1');
process.once('SIGTERM', () => {
  if (closes === 'closes') server.close();
  setInterval(() => fs.existsSync(mayEnd) && process.exit(0), 20);
});
`;

function hostWith(ground: Ground, closes = 'stays') {
  const host = openHost({ ground, settings: { watch: { enabled: false } } });
  const file = join(host.work, 'server.mjs');
  fs.writeFileSync(file, SERVER);
  const command = [process.execPath, file, host.work, closes];
  const definition = (port: number) => ({
    port,
    process: { command, stop_grace: '60s' },
    restart_policy: { restart_backoff: '10ms', tolerance: { max_restarts: 1, duration: '1h' } },
    probes: { readiness: { tcp: port, interval: '100ms' } },
  });
  return { host, definition };
}

/** Two services, each on a port of its own; `third` is free. */
async function twoOnPorts(ground: Ground) {
  const { host, definition } = hostWith(ground);
  const [port, other = 0, third = 0] = await freePorts(3);
  host.service('a', definition(port));
  host.service('b', definition(other));
  await host.start();
  await host.allRun(['a', 'b']);
  return { host, definition, port, other, third };
}

function letEnd(host: Host, name: string): void {
  fs.writeFileSync(join(host.work, `${name}.may-end`), '');
}

function rename(host: Host): void {
  fs.renameSync(join(host.config, 'old.yaml'), join(host.config, 'new.yaml'));
}

function waits(host: Host, name: string, reason: string) {
  return host.sees(name, 'waiting', (view) => view.state === 'waiting' && view.reason === reason);
}

describe.each(GROUNDS)('$title', (ground) => {
  test('a service under a new name waits for the port until the old one has ended', async () => {
    const { host, definition } = hostWith(ground);
    const [port] = await freePorts(1);
    host.service('old', definition(port));
    await host.start();
    const before = await host.pidOf('old');
    rename(host);
    const update = host.background('update');
    await waits(host, 'new', `port ${port} is still held by old, which is stopping`);
    letEnd(host, 'old');
    await update.over;
    expect(update.child.exitCode, update.stdout).toBe(0);
    expect(await host.pidOf('new')).not.toBe(before);
    expect(host.lifecycle('worker_exited')).toEqual([]);
    await host.isForgotten('old');
  });

  test('two services exchange their ports', async () => {
    const { host, definition, port, other } = await twoOnPorts(ground);
    host.service('a', definition(other));
    host.service('b', definition(port));
    const update = host.background('update');
    letEnd(host, 'a');
    await waits(host, 'a', `port ${other} is still held by b, which is stopping`);
    letEnd(host, 'b');
    await update.over;
    expect(update.child.exitCode, update.stdout).toBe(0);
    await host.allRun(['a', 'b']);
    expect(host.lifecycle('worker_exited')).toEqual([]);
  });
});

describe('two services of which one relies on the other, and whose definitions exchange their ports,', () => {
  async function refused() {
    const { host, definition } = hostWith(GROUND);
    const [port, other = 0, third = 0] = await freePorts(3);
    const relying = (on: number) => ({ ...definition(on), depends_on: ['base'] });
    host.service('base', definition(port));
    host.service('web', relying(other));
    await host.start();
    const before = [await host.pidOf('base'), await host.pidOf('web')];
    host.service('base', definition(other));
    host.service('web', relying(port));
    const update = await host.pmctl('update');
    expect(update.code, update.stdout).toBe(5);
    expect(update.stdout).toContain(`because port ${other} is held by web, which depends on base`);
    expect(update.stdout).toContain(`because port ${port} is held by base`);
    expect([(await host.view('base'))?.pid, (await host.view('web'))?.pid]).toEqual(before);
    expect(host.lifecycle('worker_stop_requested')).toEqual([]);
    letEnd(host, 'base');
    letEnd(host, 'web');
    const move = async (base: number, web: number) => {
      host.service('base', definition(base));
      host.service('web', relying(web));
      const { code, stdout } = await host.pmctl('update');
      expect(code, stdout).toBe(0);
      await host.allRun(['base', 'web']);
    };
    return { host, port, other, third, move };
  }

  test('go on as they were, and do it in three steps', async () => {
    const { host, port, other, third, move } = await refused();
    await move(port, third);
    await move(other, third);
    await move(other, port);
    expect(host.lifecycle('worker_exited')).toEqual([]);
  });

  test('also where the first step is only that the one which relies moves away', async () => {
    const { host, port, other, third, move } = await refused();
    await move(other, third);
    await move(other, port);
    expect(host.lifecycle('worker_exited')).toEqual([]);
  });
});

test('a service does not wait longer than for the port', async () => {
  const { host, definition } = hostWith(GROUND, 'closes');
  const [port] = await freePorts(1);
  host.service('old', definition(port));
  await host.start();
  await host.pidOf('old');
  rename(host);
  expect(await host.pmctl('update', '--no-wait')).toMatchObject({ code: 0 });
  await host.pidOf('new');
  expect(await host.view('old')).toMatchObject({ state: 'stopping' });
  expect(host.lifecycle('worker_exited')).toEqual([]);
});

test('a port that another service keeps is taken', async () => {
  const { host, definition } = hostWith(GROUND);
  const [port] = await freePorts(1);
  host.service('old', definition(port));
  await host.start();
  const pid = await host.pidOf('old');
  host.service('new', definition(port));
  expect(await host.pmctl('update')).toMatchObject({ code: 5 });
  const view = await host.sees('new', 'failed', ({ state }) => state === 'failed');
  expect(view.reason).toContain(`port ${port} is taken by ${pid} `);
});

test('two services exchange their ports as soon as one of them is held no more', async () => {
  const { host, definition, port, other } = await twoOnPorts(GROUND);
  const before = await host.pidOf('a');
  expect(await host.pmctl('hold', 'b', '-m', 'not yet')).toMatchObject({ code: 0 });
  host.service('a', definition(other));
  host.service('b', definition(port));
  expect(await host.pmctl('update')).toMatchObject({ code: 5 });
  expect((await host.view('a'))?.pid).toBe(before);
  letEnd(host, 'a');
  letEnd(host, 'b');
  expect(await host.pmctl('release', 'b')).toMatchObject({ code: 0 });
  await host.sees('a', 'another process', (view) => view.pid !== before && view.drift === 'none');
  await host.allRun(['a', 'b']);
  expect(host.lifecycle('worker_exited')).toEqual([]);
});

test('what serves is not stopped for the port of one that cannot move away', async () => {
  const { host, definition, other, third: taken } = await twoOnPorts(GROUND);
  const before = await host.pidOf('a');
  const stranger = net.createServer().listen(taken, '127.0.0.1');
  await once(stranger, 'listening');
  host.service('a', definition(other));
  host.service('b', definition(taken));
  const update = await host.pmctl('update');
  expect(update.code, update.stdout).toBe(5);
  expect((await host.view('a'))?.pid).toBe(before);
  letEnd(host, 'a');
  letEnd(host, 'b');
  stranger.close();
  await host.sees('a', 'another process', (view) => view.pid !== before && view.drift === 'none');
  expect(host.lifecycle('worker_exited')).toEqual([]);
});

test('what serves is not stopped for a port that somebody else has, and moves there once it is free', async () => {
  const { host, definition } = hostWith(GROUND);
  const [port, taken = 0] = await freePorts(2);
  host.service('web', definition(port));
  await host.start();
  const pid = await host.pidOf('web');
  const stranger = net.createServer().listen(taken, '127.0.0.1');
  await once(stranger, 'listening');
  host.service('web', definition(taken));
  const update = await host.pmctl('update');
  expect(update.code, update.stdout).toBe(5);
  expect(update.stdout).toContain(`because port ${taken} is taken by ${process.pid} `);
  expect((await host.view('web'))?.pid).toBe(pid);
  stranger.close();
  letEnd(host, 'web');
  await host.sees('web', 'another process', (view) => view.pid !== pid && view.state === 'running');
  expect(host.lifecycle('worker_exited')).toEqual([]);
});
