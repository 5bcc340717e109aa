/** Do hooks run at their moments, as the process would, and what follows when one fails or hangs? */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GROUND, GROUNDS } from './grounds.ts';
import { openHost } from './host.ts';
import { isGone } from './processes.ts';
import { SLEEP } from './services.ts';

describe.each(GROUNDS)('$title', (ground) => {
  test('each at its moment, once, in the directory and with the variables of the process, and logged', async () => {
    const host = openHost({ ground });
    const note = (what: string) => `echo "${what} $MODE $PROCESSMASTER_SERVICE $PWD" >> ${host.work}/order`;
    const hook = (name: string) => `echo out of ${name}; echo err of ${name} >&2; ${note(name)}`;
    host.service('web', {
      process: {
        command: `trap '${note('stopped')}; exit 0' TERM; ${note('main')}; sleep 1000 & wait`,
        working_directory: host.work,
        env: { MODE: 'blue' },
      },
      hooks: {
        pre_start: hook('pre_start'),
        // The start and the hook after it go side by side.
        post_start: `until grep -q main order; do sleep 0.02; done; ${hook('post_start')}`,
        pre_stop: hook('pre_stop'),
        post_stop: { command: ['sh', '-c', hook('post_stop')] },
      },
    });
    await host.start();
    await host.says('order', (text) => text.includes('post_start'));
    await host.runs('web');
    const restart = await host.pmctl('restart', 'web');
    expect(restart.code).toBe(0);
    // What follows the end of the old one goes on beside what comes next.
    await host.says(
      'order',
      (text) => text.split('post_start').length === 3 && text.split('post_stop').length === 2,
    );
    expect((await host.pmctl('stop', 'web')).code).toBe(0);
    const text = await host.says('order', (said) => said.split('post_stop').length === 3);
    const life = ['pre_start', 'main', 'post_start', 'pre_stop', 'stopped', 'post_stop'];
    // A rolling replacement starts the new one first.
    const rolled = ['pre_start', 'main', 'post_start', 'pre_start', 'main'];
    const told = text.trimEnd().split('\n');
    expect(told.every((line) => line.endsWith(` blue web ${host.work}`))).toBe(true);
    const names = told.map((line) => line.split(' ')[0] ?? '');
    expect(names.slice(0, rolled.length)).toEqual(rolled);
    expect([...names].sort()).toEqual([...life, ...life].sort());
    expect(names.slice(-3)).toEqual(['pre_stop', 'stopped', 'post_stop']);
    for (const name of ['pre_start', 'post_start', 'pre_stop', 'post_stop']) {
      expect(host.said('stdout.log').split('\n')).toContain(`out of ${name}`);
      expect(host.said('stderr.log').split('\n')).toContain(`err of ${name}`);
    }
  });

  test('a pre_start that fails: the process never runs, nothing is left of the hook, and the policy decides', async () => {
    const host = openHost({ ground });
    const left = `setsid sleep 1000 > /dev/null 2>&1 & echo $! >> ${host.work}/left; echo no database; exit 3`;
    host.service('web', {
      process: { command: `echo ran >> ${host.work}/ran; ${SLEEP}`, working_directory: host.work },
      hooks: { pre_start: left },
      restart_policy: { restart_backoff: '100ms', tolerance: { max_restarts: 1 } },
    });
    await host.start();
    const view = await host.sees('web', 'failed', ({ state }) => state === 'failed');
    expect(view.reason).toContain('its pre_start hook exited with code 3');
    expect(view.pid).toBeNull();
    const pids = host.said('left').trim().split('\n').map(Number);
    expect(pids).toHaveLength(2);
    await host.until(
      'the leftovers of the hook to be gone',
      () => (pids.every(isGone) ? true : undefined),
      () => pids.filter((pid) => !isGone(pid)),
    );
    expect(host.said('ran')).toBe('');
    expect(host.said('stdout.log')).toContain('no database');
    expect((await host.pmctl('why', 'web')).stdout).toContain('pre_start hook exited with code 3');
    host.service('web', { process: { command: `echo ran >> ${host.work}/ran; ${SLEEP}` } });
    await host.pidOf('web');
    // The process is there before it has said anything.
    expect(await host.says('ran', (text) => text.endsWith('\n'))).toBe('ran\n');
  });

  test('a hook that hangs is killed at its timeout with everything it started', async () => {
    const host = openHost({ ground });
    const hang = (name: string) =>
      `sh -c 'echo $$ >> ${host.work}/${name}; sleep 1000 & echo $! >> ${host.work}/${name}; wait' & echo $$ >> ${host.work}/${name}; wait`;
    host.service('stuck', {
      process: { command: SLEEP },
      hooks: { pre_start: { command: hang('start'), timeout: '1500ms' } },
      restart_policy: { policy: 'never' },
    });
    host.service('slow', {
      process: { command: SLEEP },
      hooks: { pre_stop: { command: hang('stop'), timeout: '1500ms' } },
    });
    await host.start();
    const view = await host.sees('stuck', 'failed', ({ state }) => state === 'failed');
    expect(view.reason).toContain('its pre_start hook did not end within 1.5 s');
    const main = await host.pidOf('slow');
    // A hook before the stop that fails does not keep it from being stopped.
    expect((await host.pmctl('stop', 'slow')).code).toBe(0);
    expect(isGone(main)).toBe(true);
    for (const file of ['start', 'stop']) {
      const pids = host.said(file).trim().split('\n').map(Number);
      expect(pids).toHaveLength(3);
      await host.until(
        `the tree of ${file} to be gone`,
        () => (pids.every(isGone) ? true : undefined),
        () => pids.filter((pid) => !isGone(pid)),
      );
    }
    expect(host.stderr).toContain('its pre_stop hook did not end within 1.5 s');
  });
});

test('a daemon that is killed during pre_start: the next one begins anew, and one process runs', async () => {
  const host = openHost({ ground: GROUND });
  const go = join(host.work, 'go');
  host.service('web', {
    process: { command: `echo ran >> ${host.work}/ran; ${SLEEP}` },
    hooks: { pre_start: `echo $$ >> ${host.work}/hooks; until [ -e ${go} ]; do sleep 0.02; done` },
  });
  await host.start();
  await host.says('hooks');
  await host.crash();
  await host.start();
  await host.says('hooks', (text) => text.split('\n').length === 3);
  const [first = 0] = host.said('hooks').split('\n').map(Number);
  expect(isGone(first)).toBe(true);
  fs.writeFileSync(go, '');
  await host.pidOf('web');
  expect(await host.says('ran', (text) => text.endsWith('\n'))).toBe('ran\n');
});

test.each(['is killed', 'leaves'])(
  'a daemon that %s during pre_stop: the next one runs the hook anew, and the signal comes after it',
  async (how) => {
    const host = openHost({ ground: GROUND });
    const go = join(host.work, 'go');
    const command = `trap 'echo ended >> ${host.work}/hooks; exit 0' TERM; echo up >> ${host.work}/up; sleep 1000 & wait`;
    host.service('web', {
      process: { command },
      hooks: { pre_stop: `echo $$ >> ${host.work}/hooks; until [ -e ${go} ]; do sleep 0.02; done` },
    });
    await host.start();
    await host.says('up');
    const stop = host.background('stop', 'web');
    await host.says('hooks');
    if (how === 'leaves') expect((await host.pmctl('shutdown')).code).toBe(0);
    else await host.crash();
    await stop.over;
    await host.start();
    const said = await host.says('hooks', (text) => text.split('\n').length === 3);
    const [first = '', second = ''] = said.split('\n');
    expect(isGone(Number(first))).toBe(true);
    fs.writeFileSync(go, '');
    await host.sees('web', 'stopped', ({ state }) => state === 'stopped');
    expect(host.said('hooks')).toBe(`${first}\n${second}\nended\n`);
    expect(host.stderr).not.toContain('has not come to its end yet');
  },
);

test('a service that is deleted is gone when its post_stop hook has ended and its probe was ended', async () => {
  const host = openHost({ ground: GROUND });
  const go = join(host.work, 'go');
  const probe = `echo asked >> ${host.work}/asked; exec ${SLEEP}`;
  host.service('web', {
    process: { command: SLEEP },
    probes: { readiness: { exec: ['sh', '-c', probe], timeout: '60s', interval: '60s' } },
    hooks: { post_stop: `echo begun >> ${host.work}/begun; until [ -e ${go} ]; do sleep 0.02; done` },
  });
  await host.start();
  await host.says('asked');
  const deleted = host.pmctl('delete', 'web', '--timeout', '30s');
  await host.says('begun');
  const { services } = (await host.pmctl('status', '--json')).json;
  expect(services).toMatchObject([{ name: 'web', reason: 'file removed' }]);
  fs.writeFileSync(go, '');
  expect((await deleted).code).toBe(0);
  expect((await host.pmctl('status', '--json')).json.services).toEqual([]);
  expect(host.said('begun')).toBe('begun\n');
});
