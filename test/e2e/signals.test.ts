/** How does the daemon take signals, and what does it tell of its own life? */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GROUND } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { isGone, readOr } from './processes.ts';
import { endsGracefully, SLEEP, staysOnTerm } from './services.ts';

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends the daemon with 0 and leaves the services',
  async (signal) => {
    const host = openHost({ ground: GROUND });
    host.service('web', SLEEP);
    await host.start();
    const pid = await host.pidOf('web');
    expect(await host.stop(signal)).toBe(0);
    expect(isGone(pid)).toBe(false);
    expect(fs.existsSync(host.socket)).toBe(false);
    const reason = `signal_${signal.slice(3).toLowerCase()}`;
    expect(host.lifecycle().map(({ event }) => event)).toEqual([
      'manager_started',
      'worker_started',
      'manager_shutdown_requested',
      'manager_stopping',
      'manager_stopped',
    ]);
    expect(host.lifecycle('manager_shutdown_requested')).toMatchObject([
      { fields: { signal: signal.slice(3), reason } },
    ]);
    expect(host.lifecycle('manager_stopped')).toMatchObject([{ fields: { reason, exit_code: '0' } }]);
    expect(host.stdout.trimEnd().split('\n').at(-1)).toContain('event=manager_stopped ');
  },
);

test('with --on-exit stop a SIGTERM stops the services first, gracefully', async () => {
  const host = openHost({ ground: GROUND });
  for (const name of ['a', 'b']) host.service(name, endsGracefully(host, name));
  await host.start(['--on-exit', 'stop']);
  const pids = [await host.pidOf('a'), await host.pidOf('b')];
  for (const name of ['a', 'b']) await host.says(`${name}.began`);
  expect(await host.stop()).toBe(0);
  expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
  expect([host.said('a.ended'), host.said('b.ended')]).toEqual(['terminated\n', 'terminated\n']);
  expect(host.lifecycle('worker_stopped').map(({ fields }) => fields['reason'])).toEqual([
    'signal_term',
    'signal_term',
  ]);
  expect(host.lifecycle().at(-1)?.event).toBe('manager_stopped');
  // Nothing is left in the kernel either.
  expect(fs.existsSync(host.base)).toBe(false);
});

test('a second SIGTERM cuts the grace short', async () => {
  const { host, pid } = await hostOfTheDeaf('--on-exit', 'stop');
  host.signal('SIGTERM');
  await host.says('deaf.heard');
  // While it waits it still answers, and a service that ends meanwhile is not started again.
  expect(await host.view('deaf')).toMatchObject({ state: 'stopping' });
  expect(await host.stop()).toBe(0);
  expect(isGone(pid)).toBe(true);
});

test('shutdown asked for once more stops nothing sooner, and says what counts', async () => {
  const { host, pid } = await hostOfTheDeaf();
  expect((await host.pmctl('shutdown', '--stop-services', '--no-wait')).code).toBe(0);
  await host.says('deaf.heard');
  const { code, stdout } = await host.pmctl('shutdown', '--no-wait');
  expect(stdout).toContain('services are being stopped, as was asked for before');
  expect(code).toBe(0);
  expect(await host.view('deaf')).toMatchObject({ state: 'stopping' });
  expect(isGone(pid)).toBe(false);
  // A signal does.
  expect(await host.stop()).toBe(0);
  expect(isGone(pid)).toBe(true);
});

test('clients that wait for something do not keep the daemon from ending', async () => {
  const { host, pid } = await hostOfTheDeaf();
  const clients = [host.background('stop', 'deaf'), host.background('wait', 'deaf', '--for', 'completed')];
  await host.says('deaf.heard');
  expect(await host.stop()).toBe(0);
  await Promise.all(clients.map(({ over }) => over));
  expect(clients.map(({ child }) => child.exitCode)).not.toContain(0);
  expect(isGone(pid)).toBe(false);
});

test('a service whose restart is due while the daemon stops everything is not started again', async () => {
  const host = openHost({ ground: GROUND });
  host.service('crashy', {
    process: { command: `echo x >> ${host.work}/runs; exit 1` },
    restart_policy: { restart_backoff: '300ms', tolerance: { max_restarts: 100 } },
  });
  host.service('deaf', { process: { command: staysOnTerm(host, 'deaf'), stop_grace: '1s' } });
  await host.start(['--on-exit', 'stop']);
  await host.says('deaf.began');
  await host.says('runs');
  host.signal('SIGTERM');
  await host.says('deaf.heard');
  expect(await host.ended()).toBe(0);
  const told = host.lifecycle();
  const stopping = told.findIndex(({ event }) => event === 'manager_stopping');
  const starts = told.flatMap(({ event, service }, at) =>
    event === 'worker_started' && service === 'crashy' ? [at] : [],
  );
  expect(starts.length).toBeGreaterThan(0);
  expect(starts.filter((at) => at > stopping)).toEqual([]);
});

test('SIGHUP does what update does', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  await host.start(['--watch-enabled', 'false']);
  const pid = await host.pidOf('web');
  host.service('web', 'exec sleep 2000');
  host.signal('SIGHUP');
  await host.sees(
    'web',
    'replaced',
    (view) => view.state === 'running' && view.pid !== pid && view.pid !== null,
  );
  const told = await host.until(
    'the reload to be told',
    () => (host.lifecycle('manager_reload_completed').length === 1 ? host.lifecycle() : undefined),
    () => host.lifecycle(),
  );
  expect(told.filter(({ event }) => event.startsWith('manager_reload'))).toMatchObject([
    { event: 'manager_reload_requested', fields: { signal: 'HUP' } },
    { event: 'manager_reload_started', fields: { changes: '1' } },
    { event: 'manager_reload_completed', fields: { failed: '0', errors: '0' } },
  ]);
  host.write('web.yaml', 'process: [');
  host.signal('SIGHUP');
  await host.until(
    'the failure to be told',
    () => (host.lifecycle('manager_reload_failed').length === 1 ? true : undefined),
    () => host.lifecycle(),
  );
});

test('SIGUSR1 opens no debugger, SIGUSR2 ends nothing, also before the daemon is ready', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  const program = host.startUnasked();
  await host.until('node to listen for SIGUSR2', () => (catches(host.pid, 'SIGUSR2') ? true : undefined));
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) host.signal(signal);
  const pid = await host.until('the daemon to answer', () => host.pidOf('web').catch(() => undefined));
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) host.signal(signal);
  // By then every signal from before has been taken.
  host.signal('SIGHUP');
  await host.until('SIGHUP to be taken', () => host.lifecycle('manager_reload_completed')[0]);
  // Node tells on standard error that it opens one.
  expect(program.stderr).not.toMatch(/debugger/i);
  expect(listensOnTcp(host.pid)).toBe(false);
  expect(await host.pidOf('web')).toBe(pid);
  expect(await host.stop()).toBe(0);
});

test('the lifecycle log is a copy of the lifecycle lines, over all daemons', async () => {
  const host = openHost({ ground: GROUND });
  const log = join(host.work, 'lifecycle.log');
  host.settings['lifecycle_log'] = log;
  host.service('web', SLEEP);
  host.service('bad', { process: { command: 'exit 3' }, restart_policy: { policy: 'never' } });
  await host.start();
  await host.sees('bad', 'failed', ({ state }) => state === 'failed');
  await host.pmctl('stop', 'web');
  await host.stop();
  const first = host.stdout;
  expect(readOr(log)).toBe(first);
  await host.start();
  await host.stop();
  expect(readOr(log)).toBe(first + host.stdout);
  const lines = first.trimEnd().split('\n');
  expect(
    lines.filter(
      (line) =>
        !/^processmaster:lifecycle event=[a-z_]+ manager_pid=\d+( [a-z_]+=("([^"\\]|\\.)*"|[^ "]+))*$/.test(
          line,
        ),
    ),
  ).toEqual([]);
});

test('the lifecycle log cannot be written: services and standard output do not suffer, and it is told once', async () => {
  const host = openHost({ ground: GROUND });
  host.settings['lifecycle_log'] = '/dev/full';
  host.service('web', SLEEP);
  await host.start();
  await host.runs('web');
  expect((await host.pmctl('stop', 'web')).code).toBe(0);
  expect(host.lifecycle('worker_stopped')).toHaveLength(1);
  expect(host.stderr.match(/the lifecycle log cannot be written/g)).toHaveLength(1);
  expect(await host.stop()).toBe(0);
});

test('standard error has no room: the daemon and its services go on', async () => {
  const host = openHost({ ground: GROUND, prefix: ['sh', '-c', 'exec "$0" "$@" 2>/dev/full'] });
  host.service('web', SLEEP);
  await host.start();
  await host.runs('web');
  expect((await host.pmctl('stop', 'web')).code).toBe(0);
  expect(await host.stop()).toBe(0);
});

test('a log that was moved away is opened afresh at SIGHUP', async () => {
  const host = openHost({ ground: GROUND });
  const log = join(host.work, 'daemon.log');
  host.settings['log'] = { file: log };
  await host.start(['--watch-enabled', 'false']);
  await host.says('daemon.log', (text) => text.includes('ready: '));
  fs.renameSync(log, `${log}.1`);
  const old = readOr(`${log}.1`);
  host.write('broken.yaml', 'process: [');
  host.signal('SIGHUP');
  await host.says('daemon.log', (text) => text.includes('broken.yaml'));
  expect(readOr(`${log}.1`)).toBe(old);
  expect(await host.stop()).toBe(0);
});

test('whoever read its output is gone: the daemon and its services go on', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  await host.start();
  const pid = await host.pidOf('web');
  host.closeOutput();
  for (let turn = 0; turn < 3; turn++) {
    expect((await host.pmctl('restart', 'web')).code).toBe(0);
    // Each complaint is another one: none is kept back as a repetition.
    host.write(`broken-${turn}.yaml`, 'process: [');
    expect((await host.pmctl('update')).code).toBe(1);
  }
  expect(await host.pidOf('web')).not.toBe(pid);
  expect(await host.stop()).toBe(0);
});

/** Its only service hears SIGTERM, stays, and may do so for ten minutes. */
async function hostOfTheDeaf(
  ...args: readonly string[]
): Promise<{ readonly host: Host; readonly pid: number }> {
  const host = openHost({ ground: GROUND });
  host.service('deaf', { process: { command: staysOnTerm(host, 'deaf'), stop_grace: '10m' } });
  await host.start(args);
  const pid = await host.pidOf('deaf');
  await host.says('deaf.began');
  return { host, pid };
}

/** By the bits of SigCgt in proc_pid_status(5). */
function catches(pid: number, signal: NodeJS.Signals): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readOr(`/proc/${pid}/status`))?.[1] ?? '0';
  return ((BigInt(`0x${caught}`) >> BigInt(os.constants.signals[signal] - 1)) & 1n) === 1n;
}

/** Field 4 of proc_net_tcp(5) is 0A for a socket that listens, field 10 its inode. */
function listensOnTcp(pid: number): boolean {
  const own = fs.readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  const lines = ['tcp', 'tcp6'].flatMap((file) => readOr(`/proc/${pid}/net/${file}`).split('\n'));
  return lines
    .map((line) => line.trim().split(/\s+/))
    .some((fields) => fields[3] === '0A' && own.includes(`socket:[${fields[9]}]`));
}
