/** Do scheduled services run at their times, exactly once, and is it told how each run went? */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ServiceView } from '../../src/api/contract.ts';
import { GROUND, GROUNDS } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { isGone } from './processes.ts';

const EVERY_SECOND = '* * * * * *';
/** Far away from any day on which this is run. */
const ONCE_A_YEAR = '0 0 1 1 *';

const scheduled = (command: string, schedule: unknown = EVERY_SECOND, more: object = {}) => ({
  process: { command, schedule },
  ...more,
});

const linesOf = (host: Host, file: string) => host.said(file).split('\n').filter(Boolean);

const isIdle = ({ state }: ServiceView) => state === 'scheduled';

describe.each(GROUNDS)('$title', (ground) => {
  test('every second: each time once, with its exit code; stop and disable end that', async () => {
    const host = openHost({ ground });
    host.service('job', scheduled(`date +%s >> ${host.work}/times; exit 3`));
    host.service('witness', scheduled(`echo >> ${host.work}/seconds`));
    await host.start();
    const twoSeconds = async () => {
      const now = host.said('seconds').length;
      await host.says('seconds', (text) => text.length >= now + 2);
    };
    await host.says('times', (text) => text.split('\n').length > 3);
    const times = linesOf(host, 'times').map(Number);
    expect(new Set(times).size).toBe(times.length);
    for (const [at, time] of times.entries()) if (at > 0) expect(time).toBe((times[at - 1] ?? 0) + 1);
    const view = await host.sees('job', 'noted', ({ last_exit }) => last_exit !== null);
    expect(view.last_exit).toMatchObject({ code: 3, reason: 'exit_3', by: 'itself' });
    expect(view.schedule).toMatchObject({ cron: EVERY_SECOND, skipped: { missed: 0, running: 0 } });
    // A failure is no reason to run before its next time.
    expect(host.lifecycle('worker_exited').every(({ fields }) => fields['restart_action'] === 'none')).toBe(
      true,
    );
    expect(host.lifecycle('worker_started').every(({ fields }) => fields['reason'] === 'schedule')).toBe(
      true,
    );
    expect((await host.pmctl('stop', 'job')).code).toBe(0);
    const stopped = linesOf(host, 'times').length;
    await twoSeconds();
    expect(linesOf(host, 'times')).toHaveLength(stopped);
    expect((await host.pmctl('start', 'job')).code).toBe(0);
    await host.says('times', (text) => text.split('\n').filter(Boolean).length > stopped + 1);
    // Two seconds went by while it was stopped: they are not made up for.
    const resumed = linesOf(host, 'times').map(Number);
    expect(new Set(resumed).size).toBe(resumed.length);
    expect((await host.pmctl('disable', 'job')).code).toBe(0);
    const disabled = linesOf(host, 'times').length;
    await twoSeconds();
    expect(linesOf(host, 'times')).toHaveLength(disabled);
    expect(await host.view('job')).toMatchObject({ state: 'stopped', enabled: false });
  });

  test('trigger runs it at once, and succeeds or fails as the run does', async () => {
    const host = openHost({ ground });
    host.service('good', scheduled(`echo ran >> ${host.work}/good`, ONCE_A_YEAR));
    host.service('bad', scheduled('exit 9', ONCE_A_YEAR));
    await host.start();
    const from = Date.now();
    const good = await host.pmctl('trigger', 'good', '--json');
    const took = Date.now() - from;
    expect(good).toMatchObject({ code: 0, json: { results: [{ service: 'good', result: 'done' }] } });
    expect(linesOf(host, 'good')).toEqual(['ran']);
    // The whole of a run that takes no time: pmctl, daemon and shell are started meanwhile, also on a busy machine.
    expect(took).toBeLessThan(5000);
    const bad = await host.pmctl('trigger', 'bad', '--json');
    expect(bad.code).not.toBe(0);
    expect(bad.json.results).toMatchObject([{ result: 'failed', detail: expect.stringContaining('code 9') }]);
    expect(await host.view('bad')).toMatchObject({ state: 'scheduled', last_exit: { code: 9 } });
    expect((await host.pmctl('trigger', 'good')).code).toBe(0);
    expect(linesOf(host, 'good')).toEqual(['ran', 'ran']);
    expect(host.lifecycle('worker_started').map(({ fields }) => fields['reason'])).toEqual(
      ['good', 'bad', 'good'].map(() => 'trigger'),
    );
  });

  test('the daemon is killed while a run goes on: its true exit code is recorded, once, and it ran once', async () => {
    const host = openHost({ ground });
    const go = join(host.work, 'go');
    host.service(
      'job',
      scheduled(
        `echo $$ >> ${host.work}/began; until [ -e ${go} ]; do sleep 0.02; done; exit 7`,
        ONCE_A_YEAR,
      ),
    );
    await host.start();
    const trigger = host.background('trigger', 'job');
    await host.says('began');
    await host.crash();
    await trigger.over;
    expect(trigger.child.exitCode).not.toBe(0);
    fs.writeFileSync(go, '');
    const pid = Number(linesOf(host, 'began')[0]);
    await host.until('the run to end', () => (isGone(pid) ? true : undefined));
    await host.start();
    const view = await host.sees('job', 'idle', (service) => isIdle(service) && service.last_exit !== null);
    expect(view.last_exit).toMatchObject({ code: 7, reason: 'exit_7' });
    expect(linesOf(host, 'began')).toHaveLength(1);
    const told = host.lifecycle('worker_exited');
    expect(told.map(({ fields }) => fields['exit_reason'])).toEqual(['exit_7']);
  });

  test('the same, and the run ends under the next daemon', async () => {
    const host = openHost({ ground });
    const go = join(host.work, 'go');
    host.service(
      'job',
      scheduled(
        `echo $$ >> ${host.work}/began; until [ -e ${go} ]; do sleep 0.02; done; exit 7`,
        ONCE_A_YEAR,
      ),
    );
    await host.start();
    host.background('trigger', 'job', '--no-wait');
    await host.says('began');
    await host.crash();
    await host.start();
    await host.sees('job', 'adopted', ({ instances }) => instances[0]?.adopted === true);
    fs.writeFileSync(go, '');
    const view = await host.sees('job', 'idle', (service) => isIdle(service) && service.last_exit !== null);
    expect(view.last_exit).toMatchObject({ code: 7 });
    expect(linesOf(host, 'began')).toHaveLength(1);
  });
});

test('a time that comes while the last run goes on is left out, and counted', async () => {
  const host = openHost({ ground: GROUND });
  const go = join(host.work, 'go');
  host.service('job', scheduled(`echo began >> ${host.work}/began; until [ -e ${go} ]; do sleep 0.02; done`));
  await host.start();
  await host.sees('job', 'skipping', ({ schedule }) => (schedule?.skipped.running ?? 0) >= 2);
  expect(linesOf(host, 'began')).toHaveLength(1);
  fs.writeFileSync(go, '');
  await host.says('began', (text) => text.split('\n').length > 2);
  expect((await host.pmctl('why', 'job')).stdout).toMatch(/[2-9] came while it still ran/);
});

test('max_time_per_run: the run is stopped as any other, within its grace, and the next one comes', async () => {
  const host = openHost({ ground: GROUND });
  host.service('job', {
    process: {
      command: `trap 'echo term >> ${host.work}/term' TERM; echo $$ >> ${host.work}/began; while :; do sleep 1000 & wait; done`,
      stop_grace: '200ms',
      schedule: { cron: EVERY_SECOND, max_time_per_run: '1500ms' },
    },
  });
  await host.start();
  await host.says('began', (text) => text.split('\n').length > 2);
  const [first] = linesOf(host, 'began').map(Number);
  expect(isGone(first ?? 0)).toBe(true);
  const [asked, killed] = host.lifecycle('worker_stop_requested');
  expect(asked?.fields).toMatchObject({ instance: '0', signal: 'TERM', reason: 'max_time_per_run' });
  expect(killed?.fields).toMatchObject({
    pid: asked?.fields['pid'],
    signal: 'KILL',
    reason: 'max_time_per_run_grace_timeout',
  });
  const view = await host.sees('job', 'noted', ({ last_exit }) => last_exit !== null);
  expect(view.last_exit).toMatchObject({
    by: 'policy',
    signal: 'SIGKILL',
    because: 'it took longer than max_time_per_run',
  });
});

test('trigger fails for a run that took too long, however well it ends then', async () => {
  const host = openHost({ ground: GROUND });
  const command = "trap 'exit 0' TERM; sleep 1000 & wait";
  host.service('job', scheduled(command, { cron: ONCE_A_YEAR, max_time_per_run: '300ms' }));
  await host.start();
  const { code, json } = await host.pmctl('trigger', 'job', '--json');
  expect(code).not.toBe(0);
  expect(json.results).toMatchObject([
    { result: 'failed', detail: expect.stringContaining('it took longer than max_time_per_run') },
  ]);
});

test('saving the file never starts a run, whatever is changed in it', async () => {
  const host = openHost({ ground: GROUND });
  const command = (text: string) => `echo ${text} >> ${host.work}/ran`;
  host.service('job', scheduled(command('1'), ONCE_A_YEAR));
  host.service('witness', scheduled(`echo tick >> ${host.work}/ticks`));
  await host.start();
  const edits = [
    scheduled(command('2'), ONCE_A_YEAR),
    scheduled(command('2'), { cron: '0 0 2 1 *', missed: 'once' }),
    scheduled(command('2'), { cron: '0 0 2 1 *', timezone: 'Asia/Tokyo', missed: 'once' }),
    scheduled(command('3'), { cron: '@yearly', missed: 'once' }, { description: 'Another' }),
  ];
  for (const edit of edits) {
    host.service('job', edit);
    expect((await host.pmctl('update')).code).toBe(0);
  }
  const ticks = linesOf(host, 'ticks').length;
  await host.says('ticks', (text) => text.split('\n').length > ticks + 2);
  expect(host.said('ran')).toBe('');
  expect((await host.pmctl('trigger', 'job')).code).toBe(0);
  expect(linesOf(host, 'ran')).toEqual(['3']);
});

test('schedule next tells the times to come', async () => {
  const host = openHost({ ground: GROUND });
  host.service('job', scheduled('true', { cron: '30 3 * * *', timezone: 'UTC' }));
  await host.start();
  const { json } = await host.pmctl('schedule', 'next', '--json');
  expect(json.services).toHaveLength(1);
  expect(json.services[0].next.length).toBeGreaterThan(1);
  for (const time of json.services[0].next) {
    expect(time).toMatch(/T03:30:00\.000Z$/);
    expect(Date.parse(time)).toBeGreaterThan(Date.now());
  }
});
