/** Do services come up and go down in the order in which they depend on each other? */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GROUND, GROUNDS } from './grounds.ts';
import { openHost } from './host.ts';
import { isGone } from './processes.ts';
import { SLEEP } from './services.ts';

describe.each(GROUNDS)('$title', (ground) => {
  test('boot: each waits for the one before, with the reason; stop all: in the opposite order', async () => {
    const host = openHost({ ground });
    const path = (name: string) => join(host.work, name);
    // Takes a moment to end, so that an order shows.
    const slow = (name: string) =>
      `trap 'sleep 0.3; echo ${name} >> ${path('ended')}; exit 0' TERM; echo > ${path(name)}.began; sleep 1000 & wait`;
    host.service('database', {
      process: { command: slow('database') },
      probes: { readiness: { exec: `test -e ${path('database.ready')}`, interval: '100ms' } },
    });
    host.service('migration', {
      depends_on: ['database'],
      process: { type: 'oneshot', command: `${'until [ -e'} ${path('migrated')} ]; do sleep 0.02; done` },
    });
    host.service('api', {
      depends_on: { migration: 'completed', database: 'ready' },
      process: { command: slow('api') },
    });
    host.service('web', { depends_on: { api: 'started' }, process: { command: slow('web') } });
    await host.start();
    await host.sees('database', 'asked', ({ healthCheckFailures }) => healthCheckFailures > 0);
    // What the probe said is known a moment before those who wait for it are looked at again.
    await host.sees(
      'migration',
      'waiting for what the probe says',
      ({ state, reason }) => state === 'waiting' && /^database is not ready: readiness failed/.test(reason),
    );
    expect(await host.view('api')).toMatchObject({ state: 'waiting', pid: null });
    expect(await host.view('web')).toMatchObject({
      state: 'waiting',
      reason: expect.stringContaining('api is not started'),
    });
    fs.writeFileSync(path('database.ready'), '');
    await host.sees('migration', 'running', ({ state }) => state === 'running');
    await host.sees(
      'api',
      'waiting for the migration',
      ({ state, reason }) => state === 'waiting' && reason.includes('migration is not completed'),
    );
    fs.writeFileSync(path('migrated'), '');
    const pids = await host.allRun(['web', 'api', 'database']);
    for (const name of ['web', 'api', 'database']) await host.says(`${name}.began`);
    const started = host.lifecycle('worker_started').map(({ service }) => service);
    expect(started).toEqual(['database', 'migration', 'api', 'web']);
    expect((await host.pmctl('stop', 'all')).code).toBe(0);
    expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
    expect(host.said('ended')).toBe('web\napi\ndatabase\n');
    // Each is told to stop only when the one that relies on it has ended.
    const ends = host
      .lifecycle()
      .filter(({ event, service }) => service !== 'migration' && event.startsWith('worker_stop'))
      .map(({ event, service }) => `${event} ${service}`);
    expect(ends).toEqual(
      ['web', 'api', 'database'].flatMap((name) => [
        `worker_stop_requested ${name}`,
        `worker_stopped ${name}`,
      ]),
    );
  });

  test('the end of the daemon with on_exit: stop keeps the order too', async () => {
    const host = openHost({ ground, settings: { on_exit: 'stop' } });
    const slow = (name: string) =>
      `trap 'sleep 0.2; echo ${name} >> ${join(host.work, 'ended')}; exit 0' TERM; echo > ${join(host.work, name)}.began; sleep 1000 & wait`;
    host.service('a-first', { process: { command: slow('a-first') } });
    host.service('b-second', { depends_on: ['a-first'], process: { command: slow('b-second') } });
    await host.start();
    await host.allRun(['a-first', 'b-second']);
    for (const name of ['a-first', 'b-second']) await host.says(`${name}.began`);
    expect(await host.stop()).toBe(0);
    expect(host.said('ended')).toBe('b-second\na-first\n');
  });
});

test('a failed dependency is named by why, and whoever waits starts when it is mended', async () => {
  const host = openHost({ ground: GROUND });
  host.service('migration', {
    process: { type: 'oneshot', command: 'exit 3' },
    restart_policy: { policy: 'never' },
  });
  host.service('api', { depends_on: { migration: 'completed' }, process: { command: SLEEP } });
  await host.start();
  await host.sees('migration', 'failed', ({ state }) => state === 'failed');
  const view = await host.sees('api', 'waiting', ({ reason }) => reason.includes('has failed'));
  expect(view).toMatchObject({ state: 'waiting', pid: null });
  const why = await host.pmctl('why', 'api');
  expect(why.stdout).toContain('migration has failed');
  expect(why.stdout).toContain('code 3');
  host.service('migration', {
    process: { type: 'oneshot', command: 'exit 0' },
    restart_policy: { policy: 'never' },
  });
  await host.pidOf('api');
});

test('a circle and an unknown name are errors of the configuration, and nothing of them starts', async () => {
  const host = openHost({ ground: GROUND });
  host.service('a', { depends_on: ['b'], process: { command: SLEEP } });
  host.service('b', { depends_on: ['a'], process: { command: SLEEP } });
  host.service('lost', { depends_on: ['nobody'], process: { command: SLEEP } });
  host.service('free', SLEEP);
  await host.start();
  await host.pidOf('free');
  const check = await host.pmctl('check', '-c', host.masterFile);
  expect(check.code).not.toBe(0);
  expect(`${check.stdout}${check.stderr}`).toMatch(/nobody/);
  for (const name of ['a', 'b', 'lost']) expect(await host.view(name)).toMatchObject({ pid: null });
});
