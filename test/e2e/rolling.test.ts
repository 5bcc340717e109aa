/** Is anybody turned away while a service gets a new version, a good one or a broken one? */
import fs from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FollowingClient } from './following-client.ts';
import { freePorts } from './free-ports.ts';
import { GROUND } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { isGone } from './processes.ts';
import { SLEEP } from './services.ts';
import { webServer, webService } from './web-server.ts';

const REPLACEMENTS = 10;

async function webHost(): Promise<{ host: Host; version: Version; client: () => FollowingClient }> {
  const [first] = await freePorts(1);
  const host = openHost({ ground: GROUND, settings: { pools: { start_port: first, end_port: first + 20 } } });
  const command = webServer(host.work);
  const version: Version = (VERSION, more = {}, rollout = {}) => {
    host.service('web', webService(command, { VERSION, ...more }, rollout));
  };
  version('0');
  await host.start(['--watch-enabled', 'false']);
  await host.pmctl('update');
  await host.runs('web', 2);
  const client = () => {
    const asking = new FollowingClient({ service: 'web', status: () => host.status(), inFlight: 4 });
    onTestFinished(async () => void (await asking.end()));
    return asking;
  };
  return { host, version, client };
}

type Version = (
  name: string,
  env?: Readonly<Record<string, string>>,
  rollout?: Readonly<Record<string, unknown>>,
) => void;

test(`${REPLACEMENTS} rolling replacements under load: nobody is turned away, and the newest answers`, async () => {
  const { host, version, client } = await webHost();
  const asking = client();
  for (let at = 1; at <= REPLACEMENTS; at++) {
    const before = await host.runs('web', 2);
    // By a new file and by command in turn: both are a rolling replacement.
    if (at % 2 === 1) version(`${at}`);
    const command = at % 2 === 1 ? ['update'] : ['reload', 'web'];
    expect(await host.pmctl(...command)).toMatchObject({ code: 0 });
    const after = await host.runs('web', 2);
    expect(before.filter((pid) => after.includes(pid) || !isGone(pid))).toEqual([]);
  }
  const { failed, answered, texts } = await asking.end();
  expect(failed).toEqual([]);
  expect(answered).toBeGreaterThan(REPLACEMENTS * 10);
  expect([...texts.keys()]).toEqual(['0', '1', '3', '5', '7', '9']);
  const events = host.lifecycle().filter(({ service }) => service === 'web');
  // The two of generation g start before the one of g - 1 in the same place is told to stop, and none needs the kill.
  for (let generation = 2; generation <= REPLACEMENTS + 1; generation++) {
    for (const instance of ['0', '1']) {
      const at = (event: string, of: number) =>
        events.findIndex(
          (line) =>
            line.event === event &&
            line.fields['instance'] === instance &&
            line.fields['generation'] === `${of}`,
        );
      expect(at('worker_started', generation)).toBeLessThan(at('worker_stop_requested', generation - 1));
    }
  }
  const stops = events.filter(({ event }) => event === 'worker_stopped');
  expect(stops).toHaveLength(2 * REPLACEMENTS);
  expect(stops.map(({ fields }) => fields['exit_reason'])).toEqual(stops.map(() => 'exit_0'));
});

test.each([
  ['exits at once', 'exit', 'exited with code 3'],
  ['is never ready', 'unready', '503'],
])(
  'a version that %s: the old one serves, update exits 5 and says why; the next good one takes over',
  async (_, how, why) => {
    const { host, version, client } = await webHost();
    const old = await host.runs('web', 2);
    const asking = client();
    version('bad', { BROKEN: how }, { timeout: '2s' });
    const update = await host.pmctl('update', '--json');
    expect(update.code).toBe(5);
    expect(update.json.changes).toHaveLength(1);
    const [change] = update.json.changes;
    expect(change).toMatchObject({ service: 'web', result: 'failed', kept: true });
    expect(change.detail).toContain(why);
    expect(change.log.join('\n')).toContain('version bad cannot serve');
    const starts = () => host.lifecycle('worker_started').filter(({ service }) => service === 'web').length;
    const tried = starts();
    // Longer than any wait before a restart.
    const until = asking.answered + 300;
    await host.until('300 more answers', () => (asking.answered >= until ? true : undefined));
    expect({ starts: starts(), tried }).toEqual({ starts: 3, tried: 3 });
    const view = await host.sees('web', 'without the broken one', ({ instances }) => instances.length === 2);
    expect(view.instances.map(({ pid }) => pid)).toEqual(old);
    const told = await host.pmctl('why', 'web');
    expect(told.stdout).toContain(why);
    version('good');
    expect(await host.pmctl('update')).toMatchObject({ code: 0 });
    const { failed, texts } = await asking.end();
    expect(failed).toEqual([]);
    expect([...texts.keys()]).toEqual(['0', 'good']);
  },
);

test('a new version that wants more instances, and is never ready, leaves none of them', async () => {
  const host = openHost({ ground: GROUND });
  const version = (instances: number, text: string) =>
    host.service('web', {
      instances,
      process: { command: SLEEP, env: { V: text } },
      probes: { readiness: { exec: `test $V = good`, interval: '200ms' } },
      rollout: { timeout: '1s' },
    });
  version(1, 'good');
  await host.start(['--watch-enabled', 'false']);
  await host.pmctl('update');
  const [old] = await host.runs('web', 1);
  version(3, 'bad');
  const diff = await host.pmctl('diff');
  expect(diff.stdout).toContain('1 process will be replaced, 2 started.');
  const update = await host.pmctl('update', '--json');
  expect(update.code).toBe(5);
  expect(update.json.changes).toMatchObject([{ result: 'failed', kept: true, instances: 3, added: 2 }]);
  const { instances, state } = await host.sees(
    'web',
    'as it was',
    (view) => view.instances.length === 3 && view.instances.filter(({ pid }) => pid !== null).length === 1,
  );
  expect(state).toBe('running');
  expect(instances).toMatchObject([
    { instance: 0, state: 'running', pid: old, ready: true },
    { instance: 1, state: 'stopped', pid: null },
    { instance: 2, state: 'stopped', pid: null },
  ]);
  version(3, 'good');
  expect(await host.pmctl('update')).toMatchObject({ code: 0 });
  expect(await host.runs('web', 3)).toHaveLength(3);
});

test('a new version whose pre_start hook fails: the old one serves on, and update says why', async () => {
  const host = openHost({ ground: GROUND });
  const version = (text: string, hook: string) =>
    host.service('web', { process: { command: SLEEP, env: { V: text } }, hooks: { pre_start: hook } });
  version('1', 'true');
  await host.start(['--watch-enabled', 'false']);
  const old = await host.pidOf('web');
  version('2', `echo tried >> ${host.work}/tried; echo no schema >&2; exit 4`);
  const update = await host.pmctl('update', '--json');
  expect(update.code).toBe(5);
  expect(update.json.changes).toMatchObject([{ result: 'failed', kept: true }]);
  expect(update.json.changes[0].detail).toContain('its pre_start hook exited with code 4');
  expect(await host.view('web')).toMatchObject({ state: 'running', pid: old, ready: 1 });
  version('3', 'true');
  expect((await host.pmctl('update')).code).toBe(0);
  expect(await host.pidOf('web')).not.toBe(old);
  expect(host.said('tried')).toBe('tried\n');
});

test('a second change during a replacement is not lost, and the newest file is what runs', async () => {
  const { host, version, client } = await webHost();
  const asking = client();
  version('1');
  const first = host.background('update', '--json');
  await host.sees('web', 'under way', ({ instances }) => instances.length > 2);
  version('2');
  expect(await host.pmctl('update')).toMatchObject({ code: 0 });
  await first.over;
  const pids = await host.runs('web', 2);
  for (const pid of pids) expect(fs.readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain('\0VERSION=2\0');
  expect(await asking.end()).toMatchObject({ failed: [] });
});

test('who is about to be stopped is called not ready before its signal comes', async () => {
  const host = openHost({ ground: GROUND });
  const file = join(host.work, 'hook');
  host.service('web', {
    process: { command: SLEEP },
    hooks: { pre_stop: `until [ -e ${file}.go ]; do sleep 0.05; done` },
  });
  await host.start();
  const pid = await host.pidOf('web');
  const stop = host.background('stop', 'web');
  const view = await host.sees('web', 'not ready', ({ ready }) => ready === 0);
  expect(view.instances).toMatchObject([{ ready: false, state: 'stopping', pid }]);
  expect(isGone(pid)).toBe(false);
  expect(host.lifecycle('worker_stop_requested')).toEqual([]);
  fs.writeFileSync(`${file}.go`, '');
  await stop.over;
  expect(isGone(pid)).toBe(true);
});

test('port: auto gives no port twice, leaves a foreign listener and a fixed port alone, and says when the pool is used up', async () => {
  const ports = await freePorts(5);
  const [start_port = 0, foreign = 0, fixed = 0, , end_port = 0] = ports;
  const listener = net.createServer((socket) => socket.end('mine')).listen(foreign, '127.0.0.1');
  const host = openHost({ ground: GROUND, settings: { pools: { start_port, end_port } } });
  try {
    for (const name of ['a', 'b', 'c'])
      host.service(name, {
        port: 'auto',
        process: { command: `echo $PORT > ${host.work}/${name}.port; exec sleep 1000` },
      });
    host.service('later', { enabled: false, port: fixed, process: { command: SLEEP } });
    await host.start();
    await host.allRun(['a', 'b', 'c']);
    const given = await Promise.all(['a', 'b', 'c'].map((name) => host.says(`${name}.port`)));
    expect(given.map(Number).sort()).toEqual(ports.filter((port) => port !== foreign && port !== fixed));
    const told = (await host.status()).services.flatMap(({ instances }) => instances.map(({ port }) => port));
    expect(told).toEqual(given.map(Number));
    host.service('d', { port: 'auto', process: { command: SLEEP } });
    const view = await host.sees(
      'd',
      'without a port',
      ({ state }) => state === 'backoff' || state === 'failed',
    );
    expect(view.reason).toContain(`no port from ${start_port} to ${end_port} is free`);
    const spoken = await new Promise<string>((resolve, reject) => {
      const socket = net.connect(foreign, '127.0.0.1').on('error', reject);
      socket.setEncoding('utf8').once('data', resolve);
    });
    expect(spoken).toBe('mine');
    // A port that is given back is used again.
    await host.pmctl('stop', 'b');
    expect((await host.pmctl('start', 'd')).code).toBe(0);
    expect(await host.view('d')).toMatchObject({ instances: [{ port: Number(given[1]) }] });
  } finally {
    listener.close();
  }
});
