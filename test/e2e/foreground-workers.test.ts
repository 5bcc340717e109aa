/** How do the workers of `processmaster run` come back, get replaced and end? */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { DEAF, freePort, GENTLE, Ground } from './foreground.ts';
import { GROUND } from './grounds.ts';
import { isGone } from './processes.ts';

const SH = ['--', 'sh', '-c'] as const;

test('a worker that is killed comes back after the delay, again and again, also when it ended with 0', async () => {
  const ground = new Ground();
  const manager = ground.run(['--respawn-delay-ms', '5', ...SH, 'exit 0']);
  await manager.until('12 starts', () => (manager.started().length >= 12 ? true : undefined));
  expect(manager.lifecycle('worker_exited')[10]).toMatchObject({
    fields: { exit_reason: 'exit_0', restart_action: 'respawn' },
  });
  manager.signal('SIGTERM');
  expect(await manager.ended()).toBe(0);
});

test('HUP replaces every worker of both kinds; the manager stays', async () => {
  const ground = new Ground();
  const manager = ground.run([
    ...['--instances', '2', '--reload-overlap-seconds', '0', '--job-worker-cmd', GENTLE, ...SH, GENTLE],
  ]);
  await manager.says('began', 3);
  const before = await manager.starts(3, ['worker', 'job-worker']);
  manager.signal('SIGHUP');
  await manager.until('the reload to be complete', () => manager.lifecycle('manager_reload_completed')[0]);
  expect(manager.lifecycle('manager_reload_requested')).toMatchObject([{ fields: { signal: 'HUP' } }]);
  expect(manager.lifecycle('manager_reload_completed')).toMatchObject([{ fields: { failed: '0' } }]);
  await manager.until('the old workers to be gone', () => (before.every(isGone) ? true : undefined));
  const now = [...manager.started(), ...manager.started('job-worker')].filter((pid) => !before.includes(pid));
  expect(now).toHaveLength(3);
  expect(now.filter(isGone)).toEqual([]);
  manager.signal('SIGINT');
  expect(await manager.ended()).toBe(0);
  expect(now.filter((pid) => !isGone(pid))).toEqual([]);
});

test('HUP: the whole new set runs before any of the old one is told to stop', async () => {
  const ground = new Ground();
  const manager = ground.run(['--instances', '3', '--reload-overlap-seconds', '0', ...SH, GENTLE]);
  await manager.says('began', 3);
  const before = await manager.starts(3);
  manager.signal('SIGHUP');
  await manager.until('the reload to be complete', () => manager.lifecycle('manager_reload_completed')[0]);
  const events = manager.lifecycle().map(({ event }) => event);
  const [firstStop, lastStart] = [
    events.indexOf('worker_stop_requested'),
    events.lastIndexOf('worker_started'),
  ];
  expect(lastStart).toBeLessThan(firstStop);
  expect(manager.started().filter((pid) => !before.includes(pid))).toHaveLength(3);
});

test('HUP with one worker on a port: the old one has ended before the new one starts', async () => {
  const ground = new Ground();
  const port = await freePort();
  const listen = `require('net').createServer().listen(${port}, () => console.log('up'))`;
  const manager = ground.run(['--port', String(port), '--', process.execPath, '-e', listen]);
  await manager.says('up');
  manager.signal('SIGHUP');
  await manager.says('up', 2);
  await manager.until('the reload to be complete', () => manager.lifecycle('manager_reload_completed')[0]);
  expect(manager.lifecycle('worker_exited')).toEqual([]);
  const events = manager.lifecycle().map(({ event }) => event);
  expect(events.indexOf('worker_stopped')).toBeLessThan(events.lastIndexOf('worker_started'));
});

test('HUP with workers that cannot start any more: the old ones stay, and it is told', async () => {
  const ground = new Ground();
  const manager = ground.run(['--instances', '2', ...SH, `[ -e broken ] && exit 3; ${GENTLE}`]);
  await manager.says('began', 2);
  const pids = await manager.starts(2);
  fs.writeFileSync(ground.path('broken'), '');
  manager.signal('SIGHUP');
  await manager.until('the reload to have failed', () => manager.lifecycle('manager_reload_failed')[0]);
  expect(pids.filter(isGone)).toEqual([]);
  expect(
    manager.lifecycle('worker_stop_requested').filter(({ fields }) => pids.includes(Number(fields['pid']))),
  ).toEqual([]);
  manager.signal('SIGTERM');
  expect(await manager.ended()).toBe(0);
});

test('who does not end within the grace is killed, all within the same grace', async () => {
  const ground = new Ground();
  const manager = ground.run([
    ...['--instances', '2', '--graceful-shutdown-seconds', '1', '--job-worker-cmd', DEAF, ...SH, DEAF],
  ]);
  await manager.says('began', 3);
  const asked = Date.now();
  manager.signal('SIGTERM');
  expect(await manager.ended()).toBe(0);
  expect(Date.now() - asked).toBeGreaterThanOrEqual(990);
  // One grace for all of them: everybody has been asked before the first one is killed.
  expect(manager.lifecycle('worker_stop_requested').map(({ fields }) => fields['signal'])).toEqual(
    ['TERM', 'KILL'].flatMap((signal) => Array(3).fill(signal)),
  );
  expect(manager.lifecycle('worker_stopped').map(({ fields }) => fields['exit_reason'])).toEqual(
    Array(3).fill('signal_9'),
  );
});

test('a second SIGTERM cuts the grace short', async () => {
  const ground = new Ground();
  const manager = ground.run(['--graceful-shutdown-seconds', '3600', ...SH, DEAF]);
  await manager.says('began');
  manager.signal('SIGTERM');
  await manager.until('the stop to begin', () => manager.lifecycle('worker_stop_requested')[0]);
  manager.signal('SIGTERM');
  expect(await manager.ended()).toBe(0);
  expect(manager.started().filter((pid) => !isGone(pid))).toEqual([]);
});

test.each([
  [
    'the status of the first that failed',
    '[ $PROCESSMASTER_INSTANCE = 0 ] && exit 3; until [ -e go ]; do sleep 0.01; done; exit 4',
    3,
  ],
  ['a signal as a shell shows it', 'kill -KILL $$', 137],
  ['0 when none failed', 'exit 0', 0],
])('--no-respawn ends when all workers have ended, with %s', async (_title, text, code) => {
  const ground = new Ground();
  const job = ['--job-worker-cmd', 'exec sleep 1000'];
  const manager = ground.run(['--no-respawn', '--instances', '2', ...job, ...SH, text]);
  await manager.until('a worker to end', () => manager.lifecycle('worker_exited')[0]);
  fs.writeFileSync(ground.path('go'), '');
  expect(await manager.ended()).toBe(code);
  expect(manager.started()).toHaveLength(2);
  expect(manager.started('job-worker').filter((pid) => !isGone(pid))).toEqual([]);
  expect(manager.lifecycle('manager_shutdown_requested')).toMatchObject([
    { fields: { signal: 'internal', reason: 'workers_exhausted_no_respawn', exit_status: String(code) } },
  ]);
  expect(ground.left()).toEqual([]);
});

test('--no-respawn and SIGTERM: 0, as always', async () => {
  const ground = new Ground();
  const manager = ground.run([
    '--no-respawn',
    ...SH,
    "trap 'exit 9' TERM; echo began; while :; do sleep 0.02; done",
  ]);
  await manager.says('began');
  manager.signal('SIGTERM');
  expect(await manager.ended()).toBe(0);
});

test.runIf(GROUND.containment === 'cgroup')(
  'a grandchild that left its parent is ended with its worker',
  async () => {
    const ground = new Ground();
    const manager = ground.run([...SH, 'setsid sleep 1000 & echo $! > child; exec sleep 1000']);
    const child = Number(await manager.until('the grandchild', () => ground.said('child') || undefined));
    expect(isGone(child)).toBe(false);
    manager.signal('SIGTERM');
    expect(await manager.ended()).toBe(0);
    expect(isGone(child)).toBe(true);
  },
);
