import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectionTrouble } from '../../src/cli/connection-trouble.ts';
import { exchange } from '../../src/cli/http-over-socket.ts';
import { plainSockPath, socketPath } from '../../src/cli/socket-path.ts';
import { fakeDaemon, HANDLED, run } from './fake-daemon.ts';
import { fakeTerminal } from './fake-terminal.ts';

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'pmctl-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

describe('where the socket is: who says it first', () => {
  const environment = { PMCTL_SOCK: '/env/pmctl', PROCESSMASTER_SOCK_PATH: '/env/daemon' };

  test('--sock, PMCTL_SOCK, PROCESSMASTER_SOCK_PATH, the master file, the default', async () => {
    const here = directory();
    writeFileSync(join(here, 'config.yaml'), 'sock_path: ./run/sock\n');
    const find = (env: Record<string, string>, question: { sock?: string; config?: string } = {}) =>
      socketPath(
        { sock: question.sock, config: question.config },
        fakeTerminal({ directory: here, environment: env }),
      );
    expect(await find(environment, { sock: '/typed' })).toBe('/typed');
    expect(await find(environment)).toBe('/env/pmctl');
    expect(await find({ PROCESSMASTER_SOCK_PATH: '/env/daemon' })).toBe('/env/daemon');
    expect(await find({})).toBe(join(here, 'run/sock'));
    mkdirSync(join(here, 'sub'));
    writeFileSync(join(here, 'sub/other.yaml'), 'sock_path: "/abs/sock" # here\n');
    expect(await find({}, { config: 'sub/other.yaml' })).toBe('/abs/sock');
    expect(await find({ PMCTL_SOCK: '' }, { sock: 'typed' })).toBe(join(here, 'typed'));
  });

  test.each([
    { uid: 0, environment: { XDG_RUNTIME_DIR: '/run/user/0' }, path: '/run/processmaster.sock' },
    {
      uid: 1000,
      environment: { XDG_RUNTIME_DIR: '/run/user/1000' },
      path: '/run/user/1000/processmaster.sock',
    },
    { uid: 1000, environment: { XDG_STATE_HOME: '/state' }, path: '/state/processmaster/processmaster.sock' },
    {
      uid: 1000,
      environment: { HOME: '/home/bob' },
      path: '/home/bob/.local/state/processmaster/processmaster.sock',
    },
    {
      uid: 1000,
      environment: { XDG_RUNTIME_DIR: 'relative', PROCESSMASTER_STATE_DIRECTORY: '/var/pm' },
      path: '/var/pm/processmaster.sock',
    },
  ])('the default for user $uid with $environment', async ({ uid, environment: env, path }) => {
    const terminal = fakeTerminal({ uid, environment: env, directory: directory() });
    expect(await socketPath({ sock: undefined, config: undefined }, terminal)).toBe(path);
  });

  test('a master file that was named but is not there is an error', async () => {
    const terminal = fakeTerminal({ directory: '/nonexistent' });
    expect(await socketPath({ sock: undefined, config: 'config.yaml' }, terminal)).toMatchObject({
      refused: { exit: 'error', message: 'there is no master file /nonexistent/config.yaml' },
    });
  });
});

describe('a master file that takes more than a look', () => {
  test.each([
    { text: '{ "sock\\u005fpath": ./flow.sock }\n', path: 'flow.sock' },
    { text: 'sock_path: &here sock\n', path: 'sock' },
    { text: 'state_directory: ./state\n', path: 'state/processmaster.sock' },
  ])('$text is read as the daemon reads it', async ({ text, path }) => {
    const here = directory();
    writeFileSync(join(here, 'config.yaml'), text);
    const root = process.getuid?.() === 0;
    const terminal = fakeTerminal({ directory: here, environment: {}, uid: process.getuid?.() ?? -1 });
    const found = await socketPath({ sock: undefined, config: undefined }, terminal);
    expect(found).toBe(text.startsWith('state') && root ? '/run/processmaster.sock' : join(here, path));
  });

  test('an error in it is told with its place', async () => {
    const here = directory();
    writeFileSync(join(here, 'config.yaml'), 'state_directory: [1\n');
    const found = await socketPath({ sock: undefined, config: undefined }, fakeTerminal({ directory: here }));
    expect(found).toMatchObject({
      refused: { exit: 'error', message: expect.stringContaining('config.yaml:') },
    });
  });
});

describe('a plain sock_path is read without a YAML parser; nothing is guessed', () => {
  test.each([
    { text: 'sock_path: /run/pm.sock\n', is: 'path', path: '/run/pm.sock' },
    { text: "a: 1\nsock_path:   './x/y.sock'  # ours\r\nb: 2\n", is: 'path', path: './x/y.sock' },
    { text: '# sock_path: /old\nsock_path: /new\n', is: 'path', path: '/new' },
    { text: 'config_directory: ./config.d\n', is: 'absent' },
    { text: '', is: 'absent' },
    { text: '# sock_path: /old\n', is: 'absent' },
    { text: 'sock_path: sock\n', is: 'unclear' },
    { text: 'sock_path: ~\n', is: 'unclear' },
    { text: 'sock_path: /a b\n', is: 'unclear' },
    { text: 'sock_path: "/a\\tb"\n', is: 'unclear' },
    { text: 'sock_path: &x /a\n', is: 'unclear' },
    { text: 'sock_path: /a\nsock_path: /b\n', is: 'unclear' },
    { text: '{ sock_path: /a }\n', is: 'unclear' },
    { text: '"sock\\u005fpath": /a\n', is: 'unclear' },
    { text: 'sock_path: |\n  /a\n', is: 'unclear' },
    { text: 'state_directory: /var/pm\n', is: 'unclear' },
    { text: 'vars:\n  sock_path: /a\n', is: 'unclear' },
  ])('$text', ({ text, ...found }) => {
    expect(plainSockPath(text)).toEqual(found);
  });
});

describe('nobody is there', () => {
  test('no socket: exit 7 and how to start one', async () => {
    const { exit, err } = await run({ socket: '/nonexistent/sock' }, 'status');
    expect(err).toBe(
      'pmctl: no daemon listens at /nonexistent/sock; start it with: processmaster --sock-path /nonexistent/sock\n',
    );
    expect(exit).toBe(7);
  });

  test('a socket that its daemon left behind: exit 7', async () => {
    const here = directory();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(here, 'sock'), resolve));
    // Closing removes only the first name of the socket: the second stays as after a crash.
    const left = join(here, 'left');
    const { linkSync } = await import('node:fs');
    linkSync(join(here, 'sock'), left);
    await new Promise((resolve) => server.close(resolve));
    const { exit, err } = await run({ socket: left }, 'status');
    expect(err).toContain(`no daemon listens at ${left} (the socket is left over`);
    expect(exit).toBe(7);
  });

  test('a directory and a regular file are called what they are', async () => {
    const here = directory();
    const file = join(here, 'file');
    writeFileSync(file, '');
    for (const [socket, what] of [
      [here, 'a directory'],
      [file, 'a regular file'],
    ] as const) {
      const { exit, err } = await run({ socket }, 'status');
      expect(err).toBe(
        `pmctl: ${socket} is ${what}, not the socket of a daemon; name the sock_path of the daemon\n`,
      );
      expect(exit).toBe(1);
    }
  });

  test('no permission: who may, and it is not taken for no daemon', () => {
    const here = directory();
    const socket = join(here, 'sock');
    writeFileSync(socket, '');
    chmodSync(socket, 0o660);
    const { refused } = connectionTrouble(socket, 'EACCES');
    expect(refused.message).toMatch(
      /^no permission for .*: it belongs to user \S+ and group \S+, mode 0660; ask as one of them/,
    );
    expect(refused.exit).toBe('error');
    expect(connectionTrouble(join(here, 'nosuch/sock'), 'EACCES').refused.message).toContain(
      `the directory ${join(here, 'nosuch')} is closed to you; ask as its owner, or with sudo`,
    );
  });

  test('what is no socket at all is told with the word of the system', async () => {
    const here = directory();
    symlinkSync('loop', join(here, 'loop'));
    const { exit, err } = await run({ socket: join(here, 'loop') }, 'status');
    expect(err).toContain('cannot reach the daemon at');
    expect(err).toContain('ELOOP');
    expect(exit).toBe(1);
  });
});

test('who waits longer than a timer can is told nothing of timers', async () => {
  const warnings: string[] = [];
  const listener = ({ name }: Error): unknown => warnings.push(name);
  process.on('warning', listener);
  onTestFinished(() => void process.off('warning', listener));
  const { socket } = await fakeDaemon({ 'GET /api/version': { pid: 1 } });
  const { signal } = new AbortController();
  const address = { socket, actor: 'ann', cancel: signal };
  const asked = { method: 'GET', path: '/api/version', patience: 1000 * 24 * 3600 * 1000 };
  expect(await exchange(address, asked)).toEqual({ pid: 1 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});

test.each(['wait web', 'stop web'])(
  '%s with --timeout gives up a daemon that says nothing after that time',
  async (command) => {
    const daemon = await fakeDaemon({ 'GET /api/status': () => HANDLED });
    const { exit, err } = await run(daemon, `${command} --timeout 2s`);
    expect(exit).toBe(1);
    expect(err).toContain('has not answered for 2s');
  },
);
