/** Do probes say when a service has come up, may be relied on, and must be replaced? */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ServiceView } from '../../src/api/contract.ts';
import { get } from './following-client.ts';
import { freePorts } from './free-ports.ts';
import { GROUND, GROUNDS } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { isGone } from './processes.ts';
import { SLEEP } from './services.ts';
import { webServer } from './web-server.ts';

/** Waits for the test to say so, then goes on. */
function waitsFor(host: Host, file: string): string {
  return `while [ ! -e ${host.work}/${file} ]; do sleep 0.02; done`;
}

function say(host: Host, file: string): void {
  fs.writeFileSync(join(host.work, file), '');
}

const isUp = ({ ready, state }: ServiceView) => ready === 1 && state === 'running';

describe.each(GROUNDS)('$title', (ground) => {
  test('startup by a line of the log: not ready before it is written, ready then', async () => {
    const host = openHost({ ground });
    host.service('web', {
      process: { command: `echo warming up; ${waitsFor(host, 'go')}; echo "listening on 8080"; ${SLEEP}` },
      probes: { startup: { log: '^listening on \\d+$', interval: '100ms', failure_threshold: 1000 } },
    });
    await host.start();
    const before = await host.sees('web', 'asked', ({ healthCheckFailures }) => healthCheckFailures >= 2);
    expect(before).toMatchObject({ ready: 0, instances: [{ ready: false }] });
    say(host, 'go');
    const after = await host.sees('web', 'ready', isUp);
    expect(after.instances).toMatchObject([{ probes: [{ kind: 'startup', ok: true, failures: 0 }] }]);
    expect(host.lifecycle('worker_started')).toHaveLength(1);
  });

  test('startup by a newline on a descriptor: text without one does not count', async () => {
    const host = openHost({ ground });
    const command = `printf ready >&3; ${waitsFor(host, 'go')}; echo >&3; exec 3>&-; ${SLEEP}`;
    host.service('web', {
      process: { command },
      probes: { startup: { fd: 3, interval: '100ms', failure_threshold: 1000 } },
    });
    await host.start();
    const before = await host.sees('web', 'asked', ({ healthCheckFailures }) => healthCheckFailures >= 2);
    expect(before.ready).toBe(0);
    say(host, 'go');
    expect(await host.sees('web', 'ready', isUp)).toMatchObject({ restarts: 0 });
  });

  test('a startup probe that never succeeds ends the process, with that reason, and the policy decides', async () => {
    const host = openHost({ ground });
    host.service('web', {
      process: { command: SLEEP },
      probes: { startup: { exec: 'exit 4', interval: '100ms', failure_threshold: 2 } },
      restart_policy: { restart_backoff: '100ms', tolerance: { max_restarts: 1 } },
    });
    await host.start();
    const failed = await host.sees('web', 'failed', ({ state }) => state === 'failed');
    expect(failed.last_exit).toMatchObject({ by: 'policy' });
    const stops = host.lifecycle('worker_stop_requested').map(({ fields }) => fields['reason']);
    expect(stops).toEqual(['startup_failed', 'startup_failed']);
    expect(host.lifecycle('worker_started')).toHaveLength(2);
    expect(failed.reason).toContain('its startup probe failed: exited with code 4');
    expect((await host.pmctl('why', 'web')).stdout).toContain('its startup probe failed');
  });

  test('an exec probe is killed at its timeout with everything it started, and counts as a failure', async () => {
    const host = openHost({ ground });
    const tree = `sh -c 'echo $$ >> ${host.work}/tree; sleep 1000 & echo $! >> ${host.work}/tree; wait' & echo $$ >> ${host.work}/tree; wait`;
    host.service('web', {
      process: { command: SLEEP },
      probes: { readiness: { exec: tree, interval: '1h', timeout: '1500ms', failure_threshold: 1 } },
    });
    await host.start();
    const view = await host.sees('web', 'not ready', ({ healthCheckFailures }) => healthCheckFailures === 1);
    const pids = host.said('tree').trim().split('\n').map(Number);
    expect(pids).toHaveLength(3);
    await host.until(
      'the tree to be gone',
      () => (pids.every(isGone) ? true : undefined),
      () => pids.filter((pid) => !isGone(pid)),
    );
    expect(view.instances).toMatchObject([
      { state: 'running', ready: false, probes: [{ ok: false, failures: 1, threshold: 1 }] },
    ]);
    expect(isGone(await host.sees('web', 'running', () => true).then(({ pid }) => pid ?? 0))).toBe(false);
  });

  test('liveness: failures are counted and shown; too many in a row restart it, with the reason', async () => {
    const host = openHost({ ground });
    say(host, 'well');
    host.service('web', {
      process: { command: SLEEP },
      probes: {
        liveness: { exec: `echo asked >> ${host.work}/asked; test -e ${host.work}/well`, interval: '200ms' },
      },
      restart_policy: { restart_backoff: '0s' },
    });
    await host.start();
    const first = await host.pidOf('web');
    await host.says('asked', (text) => text.split('\n').length > 3);
    fs.rmSync(join(host.work, 'well'));
    const counted = await host.sees('web', 'failing', ({ healthCheckFailures }) => healthCheckFailures > 0);
    expect(counted.instances).toMatchObject([
      { pid: first, ready: true, probes: [{ kind: 'liveness', ok: false, threshold: 3 }] },
    ]);
    await host.sees('web', 'replaced', ({ pid }) => pid !== null && pid !== first);
    say(host, 'well');
    expect(isGone(first)).toBe(true);
    const [stop] = host.lifecycle('worker_stop_requested');
    expect(stop?.fields).toMatchObject({ pid: `${first}`, signal: 'TERM', reason: 'liveness_failed' });
    const [stopped] = host.lifecycle('worker_stopped');
    expect(stopped?.fields).toMatchObject({ pid: `${first}`, reason: 'liveness_failed' });
    expect(host.lifecycle('worker_started')[1]?.fields['reason']).toBe('respawn_after_exit');
    const well = await host.sees(
      'web',
      'well',
      ({ healthCheckFailures, ready }) => healthCheckFailures === 0 && ready === 1,
    );
    expect(well.restarts).toBeGreaterThanOrEqual(1);
    expect((await host.pmctl('why', 'web')).stdout).toMatch(
      /its last run ended because its liveness probe failed/,
    );
  });
});

test('readiness by http follows what the server says, and nothing is restarted for it', async () => {
  const [port] = await freePorts(1);
  const host = openHost({ ground: GROUND });
  const command = webServer(host.work);
  host.service('web', {
    port,
    process: { command },
    probes: {
      readiness: { exec: `test -e ${host.work}/well`, interval: '100ms', failure_threshold: 2 },
      startup: { tcp: '${port}', interval: '100ms', failure_threshold: 100 },
      liveness: { http: { path: '/ready', status: 200 }, interval: '100ms' },
    },
  });
  await host.start();
  // Failures of the startup probe count as well, and say that nobody listens yet.
  await host.sees('web', 'not ready', ({ instances }) =>
    instances.some(({ probes }) =>
      probes.some(({ kind, failures }) => kind === 'readiness' && failures >= 2),
    ),
  );
  expect(await get(port)).toBe('none');
  say(host, 'well');
  const { pid } = await host.sees('web', 'ready', isUp);
  fs.rmSync(join(host.work, 'well'));
  const away = await host.sees('web', 'not ready', ({ ready }) => ready === 0);
  expect(away).toMatchObject({ state: 'running', pid, restarts: 0 });
  expect(away.reason).toContain('readiness failed');
  expect((await host.pmctl('why', 'web')).stdout).toMatch(
    /readiness of instance 0 failed .* failures in a row/,
  );
  expect(away.instances[0]?.probes.map(({ kind, ok }) => `${kind} ${ok}`)).toEqual([
    'startup true',
    'readiness false',
    'liveness true',
  ]);
});

test('the daemon is killed: an adopted run is left alone, and is ready only after a new success', async () => {
  const host = openHost({ ground: GROUND });
  say(host, 'well');
  const asks = `echo asked >> ${host.work}/asked; test -e ${host.work}/well`;
  host.service('web', {
    process: { command: `echo up; ${SLEEP}` },
    probes: {
      startup: { log: '^up$', interval: '100ms' },
      readiness: { exec: asks, interval: '100ms', failure_threshold: 1 },
      liveness: { exec: 'true', interval: '100ms' },
    },
  });
  await host.start();
  const pid = await host.pidOf('web');
  await host.crash();
  fs.rmSync(join(host.work, 'well'));
  fs.rmSync(join(host.work, 'asked'));
  await host.start();
  await host.says('asked', (text) => text.split('\n').length > 3);
  const adopted = await host.view('web');
  expect(adopted).toMatchObject({ pid, ready: 0, restarts: 0, instances: [{ adopted: true, ready: false }] });
  say(host, 'well');
  expect(await host.sees('web', 'ready', isUp)).toMatchObject({ pid, restarts: 0 });
  expect(host.lifecycle('worker_stop_requested')).toEqual([]);
  expect(host.lifecycle('worker_started').map(({ fields }) => fields['reason'])).toEqual(['adopted']);
});
