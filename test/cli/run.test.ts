import { describe, expect, test } from 'vitest';
import type { DefineRequest, DefineView } from '../../src/api/definition.ts';
import { pmctl } from '../../src/cli/pmctl.ts';
import { Answer, type FakeDaemon, fakeDaemon, run, statusView } from './fake-daemon.ts';
import { fakeTerminal } from './fake-terminal.ts';

const VERSION = { name: 'processmaster', version: '0', protocol: 1, pid: 77 };

function daemonWith(view: Partial<DefineView> = {}): Promise<FakeDaemon> {
  return fakeDaemon({
    'GET /api/version': VERSION,
    'GET /api/status': statusView([]),
    'POST /api/define': {
      service: 'server',
      file: 'config.d/server.yaml',
      result: 'done',
      detail: '1/1 running, pid 811',
      problems: [],
      ...view,
    },
  });
}

async function request(...words: readonly string[]): Promise<DefineRequest> {
  const daemon = await daemonWith();
  const { exit, err } = await run(daemon, ['run', ...words], { directory: '/srv/shop' });
  expect(err).toBe('');
  expect(exit).toBe(0);
  return daemon.askedFor('POST /api/define')[0]?.body as DefineRequest;
}

describe('what is asked of the daemon', () => {
  test('a command alone is a service named after it, in the directory of the shell', async () => {
    expect(await request('--', 'node', 'server.js')).toEqual({
      name: 'server',
      command: ['node', 'server.js'],
      directory: '/srv/shop',
      wait: 60_000,
    });
  });

  test('options before the dashes are ours, all words behind them are the command', async () => {
    const options = ['--name', 'api', '--instances', '4', '--port', '8080', '--user', 'www', '--cwd', 'web'];
    const env = ['--env', 'A=1', '--env', 'B=x=y z', '--env', 'C='];
    const command = ['./bin/api', '--port', '9', '--', '-f', '', 'a b'];
    expect(await request(...options, ...env, '--no-wait', '--', ...command)).toEqual({
      name: 'api',
      command,
      directory: '/srv/shop/web',
      instances: 4,
      port: 8080,
      env: { A: '1', B: 'x=y z', C: '' },
      user: 'www',
      wait: 0,
    });
  });

  test('auto and a schedule are passed on', async () => {
    expect(
      await request(
        '--instances',
        'auto',
        '--port',
        'auto',
        '--schedule',
        '@daily',
        '--timeout',
        '5s',
        '--',
        'job',
      ),
    ).toMatchObject({ instances: 'auto', port: 'auto', schedule: '@daily', wait: 5000 });
  });
});

describe('wrong usage ends with 64, and no daemon is asked or started', () => {
  test.each([
    { words: ['node', 'server.js'], says: 'write the command after --' },
    { words: ['stray', '--', 'node', 'server.js'], says: 'write the command after --' },
    { words: ['--'], says: "missing required argument 'command'" },
    { words: ['--port', '0', '--', 'x'], says: '1 to 65535' },
    { words: ['--port', '65536', '--', 'x'], says: '1 to 65535' },
    { words: ['--port', '80.5', '--', 'x'], says: '1 to 65535' },
    { words: ['--instances', '0', '--', 'x'], says: '1 to 999' },
    { words: ['--env', 'A', '--', 'x'], says: 'NAME=value' },
    { words: ['--env', '1A=2', '--', 'x'], says: 'NAME=value' },
    { words: ['--name', 'a/b', '--', 'x'], says: 'no service name' },
    { words: ['--name', 'all', '--', 'x'], says: 'reserved' },
    { words: ['--', '['], says: '--name' },
    { words: ['--dev', '--schedule', '@daily', '--', 'x'], says: 'one of them' },
  ])('$words', async ({ words, says }) => {
    const terminal = fakeTerminal();
    expect(await pmctl(['--sock', '/nowhere/sock', 'run', ...words], terminal)).toBe(64);
    expect(terminal.err()).toContain(says);
    expect(terminal.out()).toBe('');
  });
});

describe('the outcome', () => {
  const command = ['run', '--', 'node', 'server.js'];

  test('names the file', async () => {
    const { exit, out } = await run(await daemonWith(), command);
    expect(out).toBe('server  started  1/1 running, pid 811\nserver is defined in config.d/server.yaml\n');
    expect(exit).toBe(0);
  });

  test('a start that fails is 1, and says how to look and how to remove', async () => {
    const { exit, err, out } = await run(await daemonWith({ result: 'failed', detail: 'exited' }), command);
    expect(out).toMatch(/^server {2}failed {2}exited\n/);
    for (const text of ['pmctl why server', 'pmctl logs server', 'pmctl delete server'])
      expect(err).toContain(text);
    expect(exit).toBe(1);
  });

  test('a refusal is 1 and tells every problem with its hint', async () => {
    const problems = [
      { code: 'name-duplicate', severity: 'error', message: 'server is there', hint: 'take another' },
      { code: 'port-taken', severity: 'error', message: 'port 80 is taken' },
    ] as const;
    const daemon = await daemonWith({ result: 'refused', file: null, detail: 'server is there', problems });
    const { exit, err, out } = await run(daemon, command);
    expect(err).toBe('pmctl: server is there; take another\npmctl: port 80 is taken\n');
    expect(out).toBe('');
    expect(exit).toBe(1);
  });

  test('--json prints the answer', async () => {
    const { exit, out } = await run(await daemonWith(), ['--json', ...command]);
    expect(JSON.parse(out)).toMatchObject({
      service: 'server',
      result: 'done',
      file: 'config.d/server.yaml',
    });
    expect(exit).toBe(0);
  });

  test('a start that is not over in time is 1, unless nobody waited for it', async () => {
    const daemon = await daemonWith({ result: 'pending', detail: 'starting' });
    expect((await run(daemon, command)).exit).toBe(1);
    expect((await run(daemon, ['run', '--no-wait', '--', 'node', 'server.js'])).exit).toBe(0);
  });
});

test('a daemon that answers with an error is not taken for none', async () => {
  const daemon = await fakeDaemon({
    'GET /api/version': new Answer(500, { error: { code: 'internal', message: 'broken' } }),
  });
  expect(await run(daemon, 'run -- x')).toEqual({ exit: 1, out: '', err: 'pmctl: broken\n' });
});

test('without a daemon and without its program beside pmctl nothing is started', async () => {
  const terminal = fakeTerminal({ directory: '/nonexistent' });
  expect(await pmctl(['--sock', '/nowhere/sock', 'run', '--', 'x'], terminal)).toBe(7);
  expect(terminal.err()).toBe(
    'pmctl: no daemon listens, and none could be started: its program /nowhere/processmaster.js does not exist\n',
  );
});
