import { describe, expect, test } from 'vitest';
import type { CommandRequest, CommandResult } from '../../src/api/contract.ts';
import { progressText } from '../../src/cli/progress.ts';
import { type Asked, type FakeDaemon, fakeDaemon, HANDLED, run, runOn, statusView } from './fake-daemon.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { instanceView, restingView, serviceView } from './sample-views.ts';

const SERVICES = [
  serviceView('api', { labels: { team: 'shop', tier: 'front' } }),
  restingView('disabled', { enabled: false }),
  // Its file is gone or broken, and it runs on.
  serviceView('lost', { enabled: false, drift: 'removed' }),
  restingView('migrate', { state: 'completed' }),
  restingView('nightly', { state: 'scheduled', labels: { team: 'shop' } }),
  restingView('parked', { drift: 'stopped' }),
  serviceView('web', { labels: { team: 'shop' }, state: 'held', drift: 'held' }),
];

/** Every service is done, unless the test says otherwise. */
function daemonWith(results: Readonly<Record<string, Partial<CommandResult>>> = {}): Promise<FakeDaemon> {
  return fakeDaemon({
    'GET /api/status': statusView(SERVICES),
    'POST /api/command': ({ body }: Asked) => ({
      results: (body as CommandRequest).services.map((service) => ({
        service,
        result: 'done',
        detail: '2/2 running, pid 811, 812',
        ...results[service],
      })),
    }),
  });
}

async function request(command: string | readonly string[]): Promise<CommandRequest> {
  const daemon = await daemonWith();
  const { exit, err } = await run(daemon, command);
  expect(err).toBe('');
  expect(exit).toBe(0);
  return daemon.askedFor('POST /api/command')[0]?.body as CommandRequest;
}

describe('which services a command is for', () => {
  test.each([
    {
      command: 'start all',
      services: ['api', 'parked', 'web'],
      why: 'not what completed, waits or is disabled',
    },
    {
      command: 'stop all',
      services: ['api', 'lost', 'parked', 'web'],
      why: 'not what completed, waits or is down by its file',
    },
    { command: 'restart all', services: ['api', 'web'], why: 'only start ends a stop' },
    { command: 'release all', services: ['web'], why: 'what is held' },
    { command: 'disable all', services: SERVICES.map(({ name }) => name), why: 'all' },
    { command: 'start migrate', services: ['migrate'], why: 'a name means it' },
    { command: 'stop web api', services: ['api', 'web'], why: 'in the order of the status' },
    { command: 'restart -l team=shop', services: ['api', 'web'], why: 'by label' },
    { command: 'stop -l team=shop -l tier=front', services: ['api'], why: 'all labels must match' },
  ])('$command: $why', async ({ command, services }) => {
    expect((await request(command)).services).toEqual(services);
  });

  test('one unknown name and nothing is done for any', async () => {
    const daemon = await daemonWith();
    const { exit, err } = await run(daemon, 'stop web apj nosuch');
    expect(err).toBe('pmctl: no service is called "apj"; did you mean api?; no service is called "nosuch"\n');
    expect(exit).toBe(3);
    expect(daemon.askedFor('POST /api/command')).toEqual([]);
  });

  test('a label that no service has is an error, and nothing is done', async () => {
    const daemon = await daemonWith();
    const { exit, err } = await run(daemon, 'stop -l team=nosuch');
    expect(err).toBe('pmctl: no service has label team=nosuch\n');
    expect(exit).toBe(1);
    expect(daemon.askedFor('POST /api/command')).toEqual([]);
  });

  test('an empty selection never becomes a request for everything', async () => {
    const daemon = await fakeDaemon({
      'GET /api/status': statusView([restingView('migrate', { state: 'completed' })]),
    });
    expect(await run(daemon, 'stop all')).toEqual({ exit: 0, out: 'no service to stop\n', err: '' });
    expect(daemon.askedFor('POST /api/command')).toEqual([]);
  });
});

describe('what is asked of the daemon', () => {
  test.each([
    { command: 'stop web', asked: { verb: 'stop', services: ['web'], wait: 60_000 } },
    { command: 'start web --timeout 1m30s', asked: { verb: 'start', wait: 90_000 } },
    { command: 'restart web --no-wait', asked: { verb: 'restart', wait: 0 } },
    { command: 'scale web 4', asked: { verb: 'scale', services: ['web'], instances: 4, wait: 60_000 } },
    { command: 'hold web -m incident --for 2h', asked: { verb: 'hold', reason: 'incident', for: 7_200_000 } },
    { command: 'release web', asked: { verb: 'release' } },
    { command: 'enable web', asked: { verb: 'enable' } },
  ])('$command', async ({ command, asked }) => {
    expect(await request(command)).toMatchObject(asked);
  });

  test('who asks is told, in characters that events can tell', async () => {
    const daemon = await daemonWith();
    const terminal = { ...fakeTerminal(), user: { name: 'CORP\\bob smith', uid: 1000 } };
    expect(await runOn(terminal, daemon, 'stop web')).toBe(0);
    const [asked] = daemon.askedFor('POST /api/command');
    expect(asked?.headers['x-processmaster-actor']).toBe('CORP-bob-smith');
    expect(asked?.body).not.toHaveProperty('by');
  });

  test('a hold without an end has none', async () => {
    expect(await request(['hold', 'web', '-m', 'incident 4412'])).not.toHaveProperty('for');
  });
});

describe('the outcome', () => {
  test('is one aligned line for each service', async () => {
    const daemon = await daemonWith({ web: { result: 'refused', detail: 'held by bob: incident 4412' } });
    const { out, exit } = await run(daemon, 'start api web');
    expect(out).toBe('api  started  2/2 running, pid 811, 812\nweb  refused  held by bob: incident 4412\n');
    expect(exit).toBe(5);
  });

  test('says since when the lines were written that it shows, and obeys nothing of them', async () => {
    const log = ['no database', 'x\u001b[2J'];
    const { out } = await run(await daemonWith({ web: { result: 'failed', kept: true, log } }), 'start web');
    expect(out.split('\n').slice(1)).toEqual([
      '  web: written since the new one was started:',
      '  web | no database',
      '  web | x\\x1b[2J',
      '',
    ]);
    const down = await run(await daemonWith({ web: { result: 'failed', log } }), 'start web');
    expect(down.out).toContain('  web: written since it was started:\n');
    const silent = await daemonWith({ web: { result: 'failed', kept: true } });
    expect((await run(silent, 'start web')).out).not.toContain('written');
  });

  test('--json is what the daemon gave', async () => {
    const { out } = await run(await daemonWith(), 'stop api --json');
    expect(JSON.parse(out)).toEqual({
      results: [{ service: 'api', result: 'done', detail: '2/2 running, pid 811, 812' }],
    });
  });

  test.each([
    { results: ['done', 'done'], command: 'stop api web', exit: 0 },
    { results: ['done', 'failed'], command: 'stop api web', exit: 5 },
    { results: ['failed', 'refused'], command: 'stop api web', exit: 1 },
    { results: ['pending', 'done'], command: 'stop api web', exit: 5, why: 'the time was over' },
    { results: ['pending', 'pending'], command: 'stop api web', exit: 1, why: 'the time was over' },
    { results: ['pending', 'pending'], command: 'stop api web --no-wait', exit: 0, why: 'nobody waits' },
    { results: ['unknown_service', 'done'], command: 'stop api web', exit: 3, why: 'removed meanwhile' },
  ] as const)('$command, $results: exit $exit', async ({ results: [api, web], command, exit }) => {
    const daemon = await daemonWith({ api: { result: api }, web: { result: web } });
    expect((await run(daemon, command)).exit).toBe(exit);
  });
});

describe('while it takes time', () => {
  const stopping = serviceView('web', {
    state: 'stopping',
    reason: 'stopping for 2s of 30s: 811 node worker.js',
  });

  /** Stopping answers when the status has been asked for often enough to be seen waiting. */
  async function slowDaemon(): Promise<FakeDaemon> {
    const daemon: FakeDaemon = await fakeDaemon({
      'GET /api/status': () => {
        if (daemon.askedFor('GET /api/status').length === 4) answer();
        return statusView([stopping]);
      },
      'POST /api/command': async () => {
        await answered;
        return { results: [{ service: 'web', result: 'done', detail: 'nothing of it runs' }] };
      },
    });
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    return daemon;
  }

  test('a terminal shows on stderr what is waited for, and wipes it', async () => {
    const { out, err } = await run(await slowDaemon(), 'stop web', { progressColumns: 80 });
    expect(err).toContain('\r\u001b[Kstopping web (0s/1m): stopping for 2s of 30s: 811 node worker.js');
    expect(err.endsWith('\r\u001b[K')).toBe(true);
    expect(out).toBe('web  stopped  nothing of it runs\n');
  });

  test('the line never gets wider than the terminal', async () => {
    const { err } = await run(await slowDaemon(), 'stop web', { progressColumns: 30 });
    expect(err).toContain('stopping web (0s/1m): stoppi…');
    for (const shown of err.split('\r\u001b[K')) expect(shown.length).toBeLessThan(30);
  });

  test('Ctrl-C ends the waiting with 130', async () => {
    const terminal = fakeTerminal();
    const daemon = await fakeDaemon({
      'GET /api/status': statusView([stopping]),
      'POST /api/command': () => {
        terminal.interrupt();
        return HANDLED;
      },
    });
    expect(await runOn(terminal, daemon, 'stop web')).toBe(130);
    expect(terminal.err()).toBe('');
  });

  test('several services: the first is told, the others are counted', () => {
    const starting = serviceView('api', { state: 'starting', instances: [instanceView(0), instanceView(1)] });
    expect(progressText([starting, stopping], 'starting', '1s/1m')).toBe(
      'starting api (1s/1m): pid 800, 801; and 1 more',
    );
    expect(progressText([], 'starting', '1s/1m')).toBe('starting (1s/1m)');
  });
});
