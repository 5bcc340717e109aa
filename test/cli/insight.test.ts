import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { DoctorView, VersionView, WhyView } from '../../src/api/contract.ts';
import type { NumberedEvent } from '../../src/cli/daemon.ts';
import type { ServiceName } from '../../src/model/names.ts';
import {
  Answer,
  type Asked,
  type FakeDaemon,
  fakeDaemon,
  HANDLED,
  run,
  runOn,
  statusView,
} from './fake-daemon.ts';
import { fakeTerminal, NOW } from './fake-terminal.ts';
import { ago, restingView, serviceView } from './sample-views.ts';

/** Nobody knows how. */
const ENDED = { instance: 0, code: null, signal: null, oom: false, uptime_ms: 0 } as const;

describe('why', () => {
  const view: WhyView = {
    service: restingView('web', { state: 'failed', drift: 'pending' }),
    because: ['it exited with 3, 4 times within 1m', 'mend the command, then: pmctl start web'],
    exits: [
      {
        instance: 0,
        code: 3,
        signal: null,
        oom: false,
        at: ago(120_000),
        by: 'itself',
        uptime_ms: 900,
        reason: 'exit_3',
      },
      {
        instance: 1,
        code: null,
        signal: 'SIGKILL',
        oom: true,
        at: ago(180_000),
        by: 'itself',
        uptime_ms: 61_000,
        reason: 'oom',
      },
      {
        instance: 0,
        code: null,
        signal: null,
        oom: false,
        at: ago(240_000),
        by: 'stop',
        uptime_ms: 0,
        reason: 'unknown',
      },
    ],
    changes: [{ path: 'port', from: '80', to: '81', class: 'roll', file: 'config.d/web.yaml', line: 7 }],
    problems: [{ code: 'limit-unapplied', severity: 'warning', message: 'no memory controller' }],
    stderr_tail: ['\tboom\u001b[2J'],
  };

  test('tells why a start was refused on a line of its own', async () => {
    const reason = `web.yaml:4:3  no program "x" in PATH; PATH is ${'/bin:'.repeat(40)}`;
    const refused = { ...ENDED, at: ago(60_000), by: 'itself', reason } as const;
    const exits = [refused, ...view.exits.slice(0, 1)];
    const daemon = await fakeDaemon({ 'GET /api/why/web': { ...view, exits } });
    const { out } = await run(daemon, 'why web');
    const lines = out.split('\n');
    expect(lines.slice(lines.indexOf('Last exits:') + 1, lines.indexOf('Not applied yet:') - 1)).toEqual([
      '  1m ago  instance 0  not started',
      `                      ${reason}`,
      '  2m ago  instance 0  code 3       by itself  after 900ms',
    ]);
  });

  test('tells state, cause, ends, what waits to be applied and the last words', async () => {
    const daemon = await fakeDaemon({ 'GET /api/why/web': view });
    const { out, exit } = await run(daemon, 'why web', {
      screen: { columns: 80, rows: 24 },
      environment: { TERM: 'dumb' },
    });
    expect(out.split('\n')).toEqual([
      'web is failed, 0/1 ready, drift: pending',
      '  it exited with 3, 4 times within 1m',
      '  mend the command, then: pmctl start web',
      '',
      'Last exits:',
      '  2m ago  instance 0  code 3         by itself  after 900ms',
      '  3m ago  instance 1  out of memory  by itself  after 1m',
      '  4m ago  instance 0  unknown        stopped    after 0s',
      '',
      'Not applied yet:',
      '  port  80 -> 81  config.d/web.yaml:7',
      '',
      'Problems:',
      '  warning  no memory controller',
      '',
      'Last lines of stderr:',
      '  \tboom\\x1b[2J',
      '',
    ]);
    expect(exit).toBe(0);
  });

  test('says once what a problem is, and since when the lines of stderr are', async () => {
    const broken = { code: 'type', severity: 'error', message: 'it must be a list' } as const;
    const because = ['it must be a list', 'no memory controller', 'mend it'];
    const problems = [broken, ...view.problems] as WhyView['problems'];
    const stderr_since = ago(60_000);
    const daemon = await fakeDaemon({ 'GET /api/why/web': { ...view, because, problems, stderr_since } });
    const { out } = await run(daemon, 'why web');
    for (const text of because) expect(out.split(text)).toHaveLength(2);
    expect(out).toContain('warning  no memory controller');
    expect(out).toMatch(/Lines of stderr since .+, when the newer definition was started that failed:/);
    expect(out).not.toContain('Last lines of stderr');
  });

  test('an unknown service is exit 3 with the name that was meant', async () => {
    const daemon = await fakeDaemon({
      'GET /api/why/wbe': new Answer(404, {
        error: { code: 'unknown_service', message: 'no service "wbe"' },
      }),
      'GET /api/status': statusView([serviceView('web')]),
    });
    const { exit, err } = await run(daemon, 'why wbe');
    expect(err).toBe('pmctl: no service is called "wbe"; did you mean web?\n');
    expect(exit).toBe(3);
  });

  test('a name is escaped on its way', async () => {
    const daemon = await fakeDaemon({ 'GET /api/status': statusView([]) });
    await run(daemon, ['why', '../status?x']);
    expect(daemon.asked[0]?.path).toBe('/api/why/..%2Fstatus%3Fx');
  });
});

describe('events', () => {
  const event = (id: number, service: string, more: Partial<NumberedEvent> = {}): NumberedEvent => ({
    id,
    at: NOW,
    name: 'worker_exited',
    service: service as ServiceName,
    fields: { instance: 0, pid: 7, exit_reason: 'exit_3', restart_action: 'respawn' },
    ...more,
  });
  const lines = (...events: readonly NumberedEvent[]): string =>
    events.map((one) => `${JSON.stringify(one)}\n`).join('');

  /** Answered in two pieces, cut in the middle of a line; then the daemon ends. */
  const daemonWithEvents = (...told: readonly NumberedEvent[]): Promise<FakeDaemon> =>
    fakeDaemon({
      'GET /api/status': statusView([serviceView('api'), serviceView('web')]),
      'GET /api/events': (
        { query }: Asked,
        response: { write(text: string): void; end(text: string): void },
      ) => {
        const meant = told.filter(
          ({ service }) => query['services'] === undefined || query['services'] === service,
        );
        const text = lines(...meant);
        response.write(text.slice(0, 10));
        response.end(text.slice(10));
        return HANDLED;
      },
    });

  test('one a line: time, service, a sentence, and on whose account; nothing of it is obeyed', async () => {
    const daemon = await daemonWithEvents(
      event(1, 'web'),
      event(2, 'web', { name: 'hold_requested', actor: 'bob', fields: { reason: 'incident' } }),
      event(3, 'web', { name: 'new_thing', fields: { evil: '\u001b[2J', text: 'a b' } }),
      event(4, 'web', { name: 'hold_requested', actor: 'e\u001b[2Jve', fields: { reason: 'x\ny' } }),
    );
    const { out, exit } = await run(daemon, 'events');
    expect(exit).toBe(0);
    const told = out.trimEnd().split('\n');
    for (const line of told) expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}web {2}/);
    expect(told.map((line) => line.slice('2026-02-03 04:05:06  web  '.length))).toEqual([
      'ended (instance 0, pid 7): exit_3, is started again',
      'hold asked for: incident (bob)',
      'new_thing  evil=\\x1b[2J text="a b"',
      'hold asked for: x\\ny (e\\x1b[2Jve)',
    ]);
  });

  test('colours on a terminal alone', async () => {
    const daemon = await daemonWithEvents(event(1, 'web'));
    expect((await run(daemon, 'events')).out).not.toContain('\u001b');
    expect((await run(daemon, 'events', { screen: { columns: 100, rows: 20 } })).out).toContain('\u001b[31m');
  });

  test('what is asked for is asked of the daemon', async () => {
    const daemon = await daemonWithEvents(event(3, 'web'), event(4, 'web'), event(5, 'api'));
    const { out } = await run(daemon, 'events web -n 2 --json');
    expect(JSON.parse(out).events.map(({ id }: NumberedEvent) => id)).toEqual([3, 4]);
    await run(daemon, 'events --since 2h');
    await run(daemon, 'events');
    expect(daemon.askedFor('GET /api/events').map(({ query }) => query)).toEqual([
      { services: 'web', last: '2' },
      { since: new Date(NOW - 7_200_000).toISOString() },
      { last: '50' },
    ]);
    expect((await run(daemon, 'events --since yesterday')).exit).toBe(64);
  });

  test('a service whose file is gone is known by its events, anything else is unknown', async () => {
    const daemon = await daemonWithEvents(event(3, 'gone'));
    expect((await run(daemon, 'events gone --json')).exit).toBe(0);
    expect(await run(daemon, 'events wob')).toMatchObject({ exit: 3, err: expect.stringContaining('web') });
  });

  test('-f tells that the connection was lost, not that it had no answer', async () => {
    const daemon = await fakeDaemon({
      'GET /api/events': (_: unknown, response: ServerResponse) => {
        response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        response.write(`${JSON.stringify(event(7, 'web'))}\n`, () => response.destroy());
        return HANDLED;
      },
    });
    const { exit, out, err } = await run(daemon, 'events -f');
    expect(out).toContain('web');
    expect(err).toMatch(
      /^pmctl: the connection to the daemon at .* was lost; if it was killed, start it again\n$/,
    );
    expect(exit).toBe(1);
  });

  test('-f goes on until the daemon ends', async () => {
    const daemon = await daemonWithEvents(event(7, 'web'), event(8, 'web'), event(9, 'api'));
    const { exit, out, err } = await run(daemon, 'events web -f --json');
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id ?? JSON.parse(line).error.code),
    ).toEqual([7, 8, 'stream_ended']);
    expect(daemon.askedFor('GET /api/events').map(({ query }) => query)).toEqual([
      { services: 'web', last: '50', follow: '1' },
    ]);
    expect(err).toBe('pmctl: the daemon has ended, and with it the events\n');
    expect(exit).toBe(7);
  });
});

describe('wait', () => {
  const daemonWith = (met: boolean) =>
    fakeDaemon({
      'GET /api/status': statusView([serviceView('web')]),
      'POST /api/wait': {
        met,
        service: serviceView('web', { state: 'starting', ready: 1, reason: 'instance 1 was just started' }),
      },
    });

  test('exit 0 when it has come about', async () => {
    const daemon = await daemonWith(true);
    expect((await run(daemon, 'wait web --for stopped --timeout 30s')).exit).toBe(0);
    expect(daemon.askedFor('POST /api/wait')[0]?.body).toEqual({
      service: 'web',
      for: 'stopped',
      timeout: 30_000,
    });
  });

  test('exit 1 when the time is over, saying what is the case', async () => {
    const { exit, err } = await run(await daemonWith(false), 'wait web --timeout 30s');
    expect(err).toBe(
      'pmctl: web is not ready after 30s; it is starting, 1/2 ready: instance 1 was just started\n',
    );
    expect(exit).toBe(1);
  });

  test('says what is awaited when what runs is ready, and older', async () => {
    const reason = 'waits to be replaced by the new definition';
    const daemon = await fakeDaemon({
      'GET /api/status': statusView([serviceView('web')]),
      'POST /api/wait': { met: false, service: serviceView('web', { drift: 'pending', reason }) },
    });
    const { exit, err } = await run(daemon, 'wait web --timeout 2s');
    expect(err).toBe(
      `pmctl: web has not been replaced after 2s; what runs is older, running, 2/2 ready: ${reason}\n`,
    );
    expect(exit).toBe(1);
  });

  test('exit 3 for an unknown service', async () => {
    expect((await run(await daemonWith(true), 'wait wbe')).exit).toBe(3);
  });
});

describe('doctor', () => {
  const check = { name: 'cgroup mount', ok: true, level: 'fine', detail: '/sys/fs/cgroup' } as const;
  const failure = {
    name: 'memory',
    ok: false,
    level: 'failure',
    detail: 'not delegated',
    hint: 'do',
  } as const;
  test.each([
    { checks: [check], exit: 0 },
    { checks: [check, failure], exit: 1 },
  ])('exit $exit', async ({ checks, exit }) => {
    const view: DoctorView = { checks };
    const daemon = await fakeDaemon({ 'GET /api/doctor': view });
    const said = await run(daemon, 'doctor');
    expect(said.exit).toBe(exit);
    expect(said.out).toMatch(/^ok {2}cgroup mount {2}\/sys\/fs\/cgroup$/m);
    if (exit === 1) expect(said.out).toMatch(/^no {2}memory +not delegated\n +do$/m);
  });

  test('a note is shown and is no failure', async () => {
    const note = { name: 'limit-unapplied', ok: true, level: 'note', detail: 'no cpu controller' } as const;
    const view: DoctorView = { checks: [note] };
    const said = await run(await fakeDaemon({ 'GET /api/doctor': view }), 'doctor');
    expect(said).toMatchObject({ exit: 0, out: 'note  limit-unapplied  no cpu controller\n' });
  });
});

describe('explain', () => {
  const said = (command: string) => run({ socket: '/nonexistent' }, command);

  test('tells meaning, type, default and class of a key, without a daemon', async () => {
    const { exit, out } = await said('explain process.stop_grace');
    expect(out).toMatch(/^process\.stop_grace {2}\(service file\)\n {2}\S/);
    expect(out).toMatch(/^ {2}default {2}30s$/m);
    expect(out).toMatch(/^ {2}class {4}live: /m);
    expect(exit).toBe(0);
  });

  test.each([
    { key: 'process.stop_grace_ms', path: 'process.stop_grace', why: 'its form in milliseconds' },
    { key: 'process.args[0]', path: 'process.args', why: 'an element of a list' },
    { key: 'process.env.MODE', path: 'process.env.*', why: 'any key of a map' },
    { key: 'stop_grace', path: 'process.stop_grace', why: 'its last part alone' },
    { key: 'sock_path', path: 'sock_path', why: 'a key of the master file' },
  ])('$key: $why', async ({ key, path }) => {
    const { out } = await said(`explain ${key} --json`);
    expect(JSON.parse(out).keys.map((fact: { path: string }) => fact.path)).toEqual([path]);
  });

  test('a word that is near to no key means none', async () => {
    for (const word of ['x', ''])
      expect((await run({ socket: '/nonexistent' }, ['explain', word])).err).toContain('lists all keys');
  });

  test('a group names its keys, and all keys are listed without one', async () => {
    expect((await said('explain restart_policy')).out).toMatch(/^ {2}keys .*max_backoff/m);
    const { out } = await said('explain');
    expect(out).toMatch(/^process\.command +service +roll/m);
    expect(out).toMatch(/^config_directory +config +restart/m);
  });

  test('an unknown key is exit 1 with the one that was meant', async () => {
    const { exit, err } = await said('explain process.stop_grase');
    expect(err).toBe('pmctl: no key is called "process.stop_grase"; did you mean process.stop_grace?\n');
    expect(exit).toBe(1);
  });
});

test('schema prints the JSON schema of either file', async () => {
  const service = await run({ socket: '/nonexistent' }, 'schema');
  expect(JSON.parse(service.out).properties).toHaveProperty('process');
  const config = await run({ socket: '/nonexistent' }, 'schema config');
  expect(JSON.parse(config.out).properties).toHaveProperty('sock_path');
});

const VERSION: VersionView = {
  name: 'processmaster',
  version: '9.8.7',
  protocol: 1,
  pid: 77,
  started_at: ago(3 * 86_400_000),
  config_directory: '/etc/pm/config.d',
  containment: 'cgroup',
};

describe('version', () => {
  test('tells both', async () => {
    const daemon = await fakeDaemon({ 'GET /api/version': VERSION });
    const { out } = await run(daemon, 'version');
    expect(out).toMatch(/^pmctl +\d+\.\d+\.\d+ {2}protocol 1$/m);
    expect(out).toMatch(
      /^processmaster {2}9\.8\.7 {2}protocol 1 {2}pid 77, up 3d, cgroup, \/etc\/pm\/config\.d$/m,
    );
    expect(JSON.parse((await run(daemon, '--version --json')).out).daemon).toEqual(VERSION);
  });

  test('without a daemon it is still an answer', async () => {
    const { exit, out } = await run({ socket: '/nonexistent/sock' }, 'version');
    expect(out).toContain('no daemon listens at /nonexistent/sock');
    expect(exit).toBe(0);
    expect(JSON.parse((await run({ socket: '/nonexistent/sock' }, 'version --json')).out)).toMatchObject({
      daemon: null,
      error: { code: 'no_daemon' },
    });
  });
});

describe('shutdown', () => {
  test('is over when somebody else answers at the socket', async () => {
    const daemon = await fakeDaemon({
      'GET /api/version': () => ({
        ...VERSION,
        pid: daemon.askedFor('GET /api/version').length < 4 ? 77 : 78,
      }),
      'POST /api/shutdown': { ok: true },
    });
    const { exit, out } = await run(daemon, 'shutdown --stop-services');
    expect(out).toBe('the daemon (pid 77) has ended; services are stopped\n');
    expect(exit).toBe(0);
    expect(daemon.askedFor('POST /api/shutdown')[0]?.body).toEqual({ stopServices: true });
  });

  test('a daemon that stays is an error', async () => {
    const daemon = await fakeDaemon({ 'GET /api/version': VERSION, 'POST /api/shutdown': { ok: true } });
    const { exit, err } = await run(daemon, 'shutdown --timeout 2s');
    expect(err).toBe('pmctl: the daemon (pid 77) has not ended after 2s\n');
    expect(exit).toBe(1);
  });

  test('--no-wait does not look after it', async () => {
    const daemon = await fakeDaemon({ 'GET /api/version': VERSION, 'POST /api/shutdown': { ok: true } });
    const terminal = fakeTerminal();
    expect(await runOn(terminal, daemon, 'shutdown --no-wait')).toBe(0);
    expect(terminal.out()).toBe('the daemon (pid 77) is ending; services keep running\n');
  });

  test.each([
    ['', '--no-wait', false, 'is ending; services keep running', 'left'],
    [
      '',
      '--no-wait',
      true,
      'is ending; services are being stopped, since no daemon could adopt them',
      'stopped',
    ],
    ['', '', true, 'has ended; services are stopped, since no daemon could adopt them', 'stopped'],
    ['--stop-services', '--no-wait', true, 'is ending; services are being stopped', 'stopped'],
    ['--stop-services', '', true, 'has ended; services are stopped', 'stopped'],
  ])('%s %s tells what the daemon answers: %j', async (asked, waiting, stopServices, said, services) => {
    const daemonOf = () =>
      fakeDaemon({
        'GET /api/version': () => {
          pid = pid === 0 ? 77 : 78;
          return { ...VERSION, pid };
        },
        'POST /api/shutdown': { ok: true, stopServices },
      });
    let pid = 0;
    const words = ['shutdown', asked, waiting].filter((word) => word !== '').join(' ');
    expect((await run(await daemonOf(), words)).out).toBe(`the daemon (pid 77) ${said}\n`);
    pid = 0;
    const { out } = await run(await daemonOf(), `${words} --json`);
    const result = waiting === '' ? 'done' : 'pending';
    expect(JSON.parse(out)).toEqual({ result, pid: 77, services });
  });

  test.each([
    ['', true, 'services are being stopped, as was asked for before', 0],
    ['--stop-services', false, 'services keep running, as was asked for before', 1],
    ['--stop-services', true, 'services are being stopped', 0],
  ])(
    '%s while the daemon is ending already: what was asked first is told',
    async (asked, stopServices, said, code) => {
      const answer = { ok: true, stopServices, isUnderWay: true };
      const daemon = await fakeDaemon({ 'GET /api/version': VERSION, 'POST /api/shutdown': answer });
      const { exit, out } = await run(daemon, `shutdown --no-wait ${asked}`.trim());
      expect(out).toBe(`the daemon (pid 77) is ending; ${said}\n`);
      expect(exit).toBe(code);
    },
  );
});
