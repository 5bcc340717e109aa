/** Stopped means gone: with every process of the run, within its grace, and it stays so. */
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ServiceView } from '../../src/api/contract.ts';
import { GROUND, GROUNDS } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { isGone, statusField } from './processes.ts';
import { endsGracefully, SLEEP, staysOnTerm } from './services.ts';

describe.each(GROUNDS)('$title', (ground) => {
  test('children, grandchildren and double forks in sessions of their own are gone when stop answers', async () => {
    const host = openHost({ ground });
    const pids = `${host.work}/pids`;
    host.service('tree', {
      process: {
        command: [
          `sh -c 'echo $$ >> ${pids}; sh -c "echo \\$\\$ >> ${pids}; exec sleep 1000" & wait' &`,
          `setsid sh -c '(trap "" TERM; echo $(exec sh -c "echo \\$PPID") >> ${pids}; sleep 1000; sleep 1000) &' &`,
          `echo $$ >> ${pids}; wait; exec sleep 1000`,
        ].join('\n'),
        stop_grace: '500ms',
      },
    });
    await host.start();
    await host.runs('tree');
    const told = await host.says('pids', (text) => text.split('\n').length === 5);
    const tree = told.trim().split('\n').map(Number);
    expect(tree.filter(isGone)).toEqual([]);
    const view = await host.view('tree');
    expect(view?.instances[0]?.pids).toEqual(expect.arrayContaining(tree));

    expect(await host.pmctl('stop', 'tree')).toMatchObject({ code: 0 });
    expect(tree.filter((pid) => !isGone(pid))).toEqual([]);
    expect(await host.view('tree')).toMatchObject({ state: 'stopped', pid: null, drift: 'stopped' });
  });

  test('a stop whose main process ends at once is told when what it left is killed, as late', async () => {
    const host = openHost({ ground });
    const command = `(trap '' TERM; echo $$ > ${host.work}/left; while :; do sleep 0.1; done) & until [ -s ${host.work}/left ]; do sleep 0.02; done; exec sleep 1000`;
    host.service('web', { process: { command: ['sh', '-c', command], stop_grace: '500ms' } });
    await host.start();
    await host.says('left');
    await host.runs('web');
    expect((await host.pmctl('stop', 'web')).code).toBe(0);
    const told = host
      .lifecycle()
      .filter(({ event }) => event === 'worker_stop_requested' || event === 'worker_stopped');
    expect(told.map(({ event, fields }) => `${event} ${fields['signal'] ?? fields['status']}`)).toEqual([
      'worker_stop_requested TERM',
      'worker_stop_requested KILL',
      'worker_stopped 143',
    ]);
    const late = 'stop_requested_grace_timeout';
    expect(told.map(({ fields }) => fields['reason'])).toEqual(['stop_requested', late, late]);
  });

  test('ten services that ignore SIGTERM are killed at the end of their grace, all together', async () => {
    const host = openHost({ ground });
    const names = Array.from({ length: 10 }, (_, index) => `deaf-${index}`);
    for (const name of names) {
      host.service(name, { process: { command: staysOnTerm(host, name), stop_grace: '2s' } });
    }
    await host.start();
    const pids = await host.allRun(names);
    for (const name of names) await host.says(`${name}.began`);
    const began = Date.now();
    const stop = await host.pmctl('stop', 'all', '--json');
    const took = Date.now() - began;
    expect(stop.code).toBe(0);
    expect(stop.json.results).toHaveLength(10);
    expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
    expect(took).toBeGreaterThanOrEqual(2000);
    for (const name of names) expect(host.said(`${name}.heard`)).toContain('heard\n');
    const stopped = await host.until(
      'all ends to be told',
      () => {
        const told = host.lifecycle('worker_stopped');
        return told.length === names.length ? told : undefined;
      },
      () => host.lifecycle(),
    );
    expect(
      stopped.map(({ service, fields }) => [service, fields['reason'], fields['exit_reason']]).toSorted(),
    ).toEqual(names.map((name) => [name, 'stop_requested_grace_timeout', 'signal_9']));
    // One grace for all of them: everybody has been asked before the first one is killed.
    const signals = host.lifecycle('worker_stop_requested').map(({ fields }) => fields['signal']);
    expect(signals).toEqual([...names.map(() => 'TERM'), ...names.map(() => 'KILL')]);
    const asked = host.lifecycle('worker_stop_requested').filter(({ service }) => service === 'deaf-3');
    expect(asked.map(({ fields }) => [fields['signal'], fields['reason']])).toEqual([
      ['TERM', 'stop_requested'],
      ['KILL', 'stop_requested_grace_timeout'],
    ]);
  });

  test('while a stop waits, the status names the process that it waits for', async () => {
    const host = openHost({ ground });
    host.service('deaf', { process: { command: staysOnTerm(host, 'deaf'), stop_grace: '60s' } });
    await host.start();
    const pid = await host.pidOf('deaf');
    await host.says('deaf.began');
    const stop = await host.pmctl('stop', 'deaf', '--timeout', '300ms', '--json');
    expect(stop.code).toBe(1);
    expect(stop.json.results).toMatchObject([{ service: 'deaf', result: 'pending' }]);
    const { reason, state } = await host.sees('deaf', 'stopping', (service) => service.state === 'stopping');
    expect(state).toBe('stopping');
    expect(reason).toMatch(/^stopping for [\d.]+s of 60s: /);
    expect(reason).toContain(`${pid} `);
    expect((await host.pmctl('status')).stdout).toContain(`${pid} `);
    // Whatever ends the processes ends the wait.
    await host.until(
      'deaf to be stopped',
      async () => {
        const now = await host.view('deaf');
        // A child of the shell may be about to end, and another one to take its place.
        for (const { pids } of now?.instances ?? []) for (const one of pids) killIfThere(one);
        return now?.state === 'stopped' ? true : undefined;
      },
      () => host.view('deaf'),
    );
  });
});

test('stopped in back-off it stays down: over update, over the time it was due, and over a new daemon', async () => {
  const host = openHost({ ground: GROUND });
  host.service('crashy', CRASHY(host));
  await host.start();
  await host.sees('crashy', 'in back-off', ({ state }) => state === 'backoff');
  expect(await host.pmctl('stop', 'crashy')).toMatchObject({ code: 0 });
  const runs = host.said('runs');
  const stoppedAt = Date.now();
  expect((await host.pmctl('update')).code).toBe(0);
  await host.until('the restart that was due to be overdue', () =>
    Date.now() - stoppedAt > 1000 ? true : undefined,
  );
  expect(await host.view('crashy')).toMatchObject({ state: 'stopped', drift: 'stopped' });
  await host.stop();
  await host.start();
  expect((await host.pmctl('update')).code).toBe(0);
  expect(await host.view('crashy')).toMatchObject({ state: 'stopped', drift: 'stopped' });
  expect(host.said('runs')).toBe(runs);
});

test.each([
  ['removed', (host: Host) => host.remove('crashy.yaml')],
  ['disabled', (host: Host) => host.service('crashy', { enabled: false, ...CRASHY(host) })],
])('%s in back-off it is not started when its restart would be due', async (_what, end) => {
  const host = openHost({ ground: GROUND });
  host.service('other', SLEEP);
  host.service('crashy', CRASHY(host));
  await host.start();
  await host.sees('crashy', 'in back-off', ({ state }) => state === 'backoff');
  end(host);
  await host.until('it to be at rest', async () => {
    const view = await host.view('crashy');
    return view === undefined || view.state === 'stopped' ? true : undefined;
  });
  const [runs, since] = [host.said('runs'), Date.now()];
  await host.until('the restart to be overdue', () => (Date.now() - since > 1000 ? true : undefined));
  expect((await host.pmctl('update')).code).toBe(0);
  expect(host.said('runs')).toBe(runs);
});

test('a program that puts itself into the background is kept alive by what it left there, over a new daemon too', async () => {
  const host = openHost({ ground: GROUND });
  host.service('forks', {
    process: { command: `setsid sh -c 'echo $$ > ${host.work}/child; exec sleep 1000' & exit 0` },
  });
  await host.start();
  const child = Number(await host.says('child'));
  const looks = (view: ServiceView): boolean =>
    view.state === 'running' && view.instances[0]?.pids.length === 1 && view.instances[0].pids[0] === child;
  await host.sees(
    'forks',
    'running in the background',
    (view) => looks(view) && view.reason.includes('main exited'),
  );
  await host.crash();
  await host.start();
  await host.sees('forks', 'running in the background', looks);
  expect(host.lifecycle().map(({ event }) => event)).toEqual(['manager_started', 'worker_started']);
  expect((await host.pmctl('stop', 'forks')).code).toBe(0);
  expect(isGone(child)).toBe(true);
});

test('a held service is left alone, dead or alive, until the hold ends by itself', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  await host.start();
  const pid = await host.pidOf('web');
  expect((await host.pmctl('hold', 'web', '-m', 'incident 4412', '--for', '2h')).code).toBe(0);
  process.kill(pid, 'SIGKILL');
  host.service('web', 'exec sleep 2000');
  const view = await host.sees('web', 'held', ({ state }) => state === 'held');
  expect(view).toMatchObject({ drift: 'held', reason: expect.stringContaining('incident 4412') });
  expect((await host.pmctl('update', '--json')).json.held).toMatchObject([{ service: 'web' }]);
  expect(host.lifecycle('worker_started')).toHaveLength(1);
  expect((await host.pmctl('hold', 'web', '-m', 'incident 4412', '--for', '1s')).code).toBe(0);
  await host.sees('web', 'running again', ({ state, drift }) => state === 'running' && drift === 'none');
});

test('a failed service that is stopped is stopped, and a start tries it again', async () => {
  const host = openHost({ ground: GROUND });
  host.service('crashy', {
    process: { command: `echo x >> ${host.work}/runs; exit 1` },
    restart_policy: { restart_backoff: '10ms', tolerance: { max_restarts: 1 } },
  });
  await host.start();
  await host.sees('crashy', 'failed', ({ state }) => state === 'failed');
  expect((await host.pmctl('stop', 'crashy')).code).toBe(0);
  expect(await host.view('crashy')).toMatchObject({ state: 'stopped' });
  const start = await host.pmctl('start', 'crashy');
  expect(start.code).toBe(1);
  expect(start.stdout).toContain('exited with code 1');
  await host.sees('crashy', 'failed', ({ state }) => state === 'failed');
  expect(host.said('runs')).toBe('x\nx\nx\nx\n');
});

test('a stop command runs first, as the service does, and the signal is for when it fails', async () => {
  const host = openHost({ ground: GROUND });
  const service = (stop: string): object => ({
    process: {
      command: `trap 'echo term >> ${host.work}/noted; kill $!; exit 0' TERM; trap 'echo usr1 >> ${host.work}/noted; kill $!; exit 0' USR1; echo $$ > ${host.work}/pid; sleep 1000 & wait`,
      env: { TOKEN: 'open-sesame' },
      stop_command: stop,
    },
    logs: { stop_command_stdout: `${host.work}/stop.log`, stop_command_stderr: `${host.work}/stop.log` },
  });
  host.service('db', service(`echo "flushing with $TOKEN"; kill -USR1 $(cat ${host.work}/pid)`) as never);
  await host.start();
  await host.runs('db');
  await host.says('pid');
  expect((await host.pmctl('stop', 'db')).code).toBe(0);
  expect(host.said('noted')).toBe('usr1\n');
  expect(host.said('stop.log')).toBe('flushing with open-sesame\n');

  fs.rmSync(`${host.work}/pid`);
  host.service('db', service('echo "cannot flush" >&2; exit 4') as never);
  expect((await host.pmctl('start', 'db')).code).toBe(0);
  await host.says('pid');
  expect((await host.pmctl('stop', 'db')).code).toBe(0);
  expect(host.said('noted')).toMatch(/^usr1\n(term\n)+$/);
  expect(host.said('stop.log')).toContain('cannot flush');
});

test('a disabled service stops, gracefully; enabled again it starts', async () => {
  const host = openHost({ ground: GROUND });
  const text = `# keep this line\nenabled: true   # and this\nprocess:\n  command: ${JSON.stringify(endsGracefully(host, 'web'))}\n`;
  const file = host.write('web.yaml', text);
  fs.chmodSync(file, 0o640);
  await host.start();
  const pid = await host.pidOf('web');
  await host.says('web.began');
  expect((await host.pmctl('disable', 'web')).code).toBe(0);
  expect(isGone(pid)).toBe(true);
  expect(host.said('web.ended')).toBe('terminated\n');
  expect(fs.readFileSync(file, 'utf8')).toBe(text.replace('true', 'false'));
  expect(fs.statSync(file).mode & 0o777).toBe(0o640);
  expect((await host.pmctl('start', 'web')).code).toBe(1);
  expect((await host.pmctl('enable', 'web')).code).toBe(0);
  await host.runs('web');
  expect(fs.readFileSync(file, 'utf8')).toBe(text);
});

test.skipIf(GROUND.containment !== 'cgroup')(
  'a cgroup that somebody removed by hand: stop is a success, start makes it anew',
  async () => {
    const host = openHost({ ground: GROUND });
    host.service('web', SLEEP);
    await host.start();
    const pid = await host.pidOf('web');
    const group = `${host.base}/services/web`;
    const run =
      fs.readdirSync(group, { withFileTypes: true }).find((entry) => entry.isDirectory())?.name ?? '';
    // While the daemon is stopped, it cannot tidy up itself.
    host.signal('SIGSTOP');
    await host.until('the daemon to stand still', () =>
      statusField(host.pid, 'State').startsWith('T') ? true : undefined,
    );
    fs.writeFileSync(`${group}/${run}/cgroup.kill`, '1');
    await host.until('the process to end', () => (isGone(pid) ? true : undefined));
    await host.until('its cgroup to be removable', () => removed(`${group}/${run}`));
    fs.rmdirSync(group);
    host.signal('SIGCONT');
    await host.sees('web', 'started anew', (service) => service.state === 'running' && service.pid !== pid);
    expect((await host.pmctl('stop', 'web')).code).toBe(0);
    fs.rmSync(group, { recursive: true, force: true });
    expect((await host.pmctl('stop', 'web')).code).toBe(0);
    expect(await host.view('web')).toMatchObject({ state: 'stopped' });
    expect((await host.pmctl('start', 'web')).code).toBe(0);
    await host.runs('web');
  },
);

test('a service that exits within milliseconds under policy never is completed within a second, with its code', async () => {
  const host = openHost({ ground: GROUND });
  await host.start();
  host.service('quick', { process: { command: ['true'] }, restart_policy: { policy: 'never' } });
  const view = await host.sees('quick', 'completed', ({ state }) => state === 'completed');
  expect(view.last_exit).toMatchObject({ code: 0, signal: null, oom: false, by: 'itself' });
  const began = Date.now();
  expect(await host.pmctl('start', 'quick', '--json')).toMatchObject({
    code: 0,
    json: { results: [{ service: 'quick', result: 'done', detail: 'completed with code 0' }] },
  });
  expect(Date.now() - began).toBeLessThan(2000);
  host.service('quick', { process: { command: ['false'] }, restart_policy: { policy: 'never' } });
  const failed = await host.sees('quick', 'failed', ({ state }) => state === 'failed');
  expect(failed).toMatchObject({ last_exit: { code: 1 }, reason: 'exited with code 1' });
  expect((await host.pmctl('start', 'quick')).code).toBe(1);
});

test('killed by a signal is told as that signal, and an exit code above 128 as that code', async () => {
  const host = openHost({ ground: GROUND });
  const never = { restart_policy: { policy: 'never' } };
  host.service('signal', { process: { command: 'kill -SEGV $$' }, ...never });
  host.service('code', { process: { command: 'exit 139' }, ...never });
  await host.start();
  const signal = await host.sees('signal', 'failed', ({ state }) => state === 'failed');
  expect(signal.last_exit).toMatchObject({ code: null, signal: 'SIGSEGV', reason: 'signal_11' });
  const code = await host.sees('code', 'failed', ({ state }) => state === 'failed');
  expect(code.last_exit).toMatchObject({ code: 139, signal: null, reason: 'exit_139' });
  const told = host
    .lifecycle('worker_exited')
    .map(({ service, fields }) => [
      service,
      fields['status'],
      fields['exit_reason'],
      fields['restart_action'],
    ]);
  expect(told.toSorted()).toEqual([
    ['code', '139', 'exit_139', 'none'],
    ['signal', '139', 'signal_11', 'none'],
  ]);
});

const CRASHY = (host: Host) => ({
  process: { command: `echo x >> ${host.work}/runs; exit 1` },
  restart_policy: { restart_backoff: '700ms', tolerance: { max_restarts: 100 } },
});

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' });
  }
}

function removed(directory: string): true | undefined {
  try {
    fs.rmdirSync(directory);
    return true;
  } catch {
    return undefined;
  }
}
