/** Is what happened known afterwards: by whom, after kill -9, and without a daemon? */
import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GROUND } from './grounds.ts';
import { openHost } from './host.ts';
import { SLEEP } from './services.ts';

interface Told {
  readonly id: number;
  readonly name: string;
  readonly service?: string;
  readonly run_id?: string;
  readonly actor?: string;
}

test('commands with who gave them, broken files, and what came of it, over a crash and without a daemon', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  await host.start();
  await host.runs('web');
  expect((await host.pmctl('hold', 'web', '-m', 'incident')).code).toBe(0);
  expect((await host.pmctl('release', 'web')).code).toBe(0);
  expect((await host.pmctl('stop', 'web')).code).toBe(0);
  host.write('bad.yaml', 'process: [');
  await host.until('the mistake to be told', async () =>
    (await host.pmctl('events')).stdout.includes('bad.yaml:') ? true : undefined,
  );
  host.remove('bad.yaml');
  await host.until('its end to be told', async () =>
    (await host.pmctl('events')).stdout.includes('no longer: ') ? true : undefined,
  );
  const before = await host.pmctl('events', '--json', '-n', '1000');
  const told: readonly Told[] = before.json.events;
  const web = told.filter(({ service }) => service === 'web');
  expect(web.map(({ name }) => name)).toEqual([
    'worker_started',
    'hold_requested',
    'release_requested',
    'stop_requested',
    'worker_stop_requested',
    'worker_stopped',
  ]);
  const [started, held] = web;
  expect(held?.actor).toBeTruthy();
  expect(started?.run_id).toBeTruthy();
  expect(new Set(web.flatMap(({ run_id }) => run_id ?? [])).size).toBe(1);

  await host.crash();
  // Cut off in the middle of a line.
  const [name = ''] = fs.readdirSync(join(host.state, 'events'));
  const path = join(host.state, 'events', name);
  fs.truncateSync(path, fs.statSync(path).size - 7);
  const down = await host.run([
    ...host.pmctlCommand.slice(0, 2),
    '-c',
    host.masterFile,
    'events',
    '--json',
    '-n',
    '1000',
  ]);
  await down.over;
  expect(down.stderr).toMatch(/^pmctl: no daemon at .*; read from the files\n$/);
  const offline: readonly Told[] = JSON.parse(down.stdout).events;
  expect(offline.map(({ id }) => id)).toEqual(told.slice(0, -1).map(({ id }) => id));
  // A journal of another daemon than the one that was asked for is no answer.
  expect((await host.pmctl('--sock', join(host.work, 'other.sock'), 'events')).code).toBe(7);

  await host.start();
  expect(host.stderr).toContain('was cut off');
  const after: readonly Told[] = (await host.pmctl('events', '--json', '-n', '1000')).json.events;
  expect(after.slice(0, offline.length)).toEqual(offline);
  expect(after.slice(offline.length).map((event) => event.name)).toContain('manager_started');
  const ids = after.map(({ id }) => id);
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
  expect((await host.pmctl('events', '--since', '1h', '--json')).json.events).toHaveLength(after.length);
  expect((await host.pmctl('events', 'web', '-n', '1')).stdout).toMatch(/ {2}web {2}stopped \(/);

  const stream = await host.ask('GET', `/api/events?after=${ids.at(-2)}`);
  expect(stream.status).toBe(200);
});

test('a whole journal ends with the end of the daemon', async () => {
  const host = openHost({ ground: GROUND });
  await host.start();
  await host.stop();
  const [name = ''] = fs.readdirSync(join(host.state, 'events'));
  const lines = fs
    .readFileSync(join(host.state, 'events', name), 'utf8')
    .trimEnd()
    .split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ name: 'manager_stopped', exit_code: 0 });
});
