/** Is the control socket safe from the first instant, and does the daemon stay answerable whoever talks to it? */
import { once } from 'node:events';
import fs from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { isRoot, removeTree } from '../linux/ground.ts';
import { copyForNobody, GROUND, GROUNDS, NOBODY } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { descriptorsOf, isGone } from './processes.ts';
import { SLEEP } from './services.ts';

test('mode and owner are right from the first instant, whatever the umask of who starts the daemon', async () => {
  const owner = isRoot ? { sock_owner: 'nobody', sock_group: String(NOBODY.gid) } : {};
  const host = openHost({
    ground: GROUND,
    prefix: ['sh', '-c', 'umask 0; exec "$0" "$@"'],
    settings: { sock_mode: '0640', ...owner },
  });
  const directory = join(host.directory, 'run');
  host.settings['sock_path'] = join(directory, 'pm.sock');
  fs.mkdirSync(directory);
  const program = host.startUnasked();
  const wide: string[] = [];
  const deadline = Date.now() + 20_000;
  let first: fs.Stats | undefined;
  while (first === undefined && !program.isOver && Date.now() < deadline) {
    for (const name of fs.readdirSync(directory)) {
      const status = fs.lstatSync(join(directory, name), { throwIfNoEntry: false });
      if (status === undefined) continue;
      if ((status.mode & 0o137) !== 0) wide.push(`${name} ${status.mode.toString(8)}`);
      if (name === 'pm.sock') first = status;
    }
    await turn();
  }
  expect(wide).toEqual([]);
  const self = { uid: process.getuid?.(), gid: process.getgid?.() };
  const expected = isRoot ? { uid: NOBODY.uid, gid: NOBODY.gid } : self;
  expect({ mode: (first?.mode ?? 0) & 0o777, uid: first?.uid, gid: first?.gid }).toEqual({
    mode: 0o640,
    ...expected,
  });
  expect(fs.readdirSync(directory)).toEqual(['pm.sock']);
});

test('a file at the path of the socket is never removed, and the daemon says so and starts nothing', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  fs.writeFileSync(host.socket, 'precious');
  const program = host.startUnasked();
  await program.over;
  expect(program.child.exitCode).toBe(1);
  expect(program.stderr).toContain(`${host.socket} exists and is no socket`);
  expect(program.stdout).toBe('');
  expect(fs.readFileSync(host.socket, 'utf8')).toBe('precious');
});

test('a socket on which another program listens is refused and left alone; a stale one is replaced', async () => {
  const host = openHost({ ground: GROUND });
  const foreign = createServer((visitor) => {
    visitor.on('error', () => undefined);
    visitor.end('foreign');
  });
  onTestFinished(() => void foreign.close());
  foreign.listen(host.socket);
  await once(foreign, 'listening');
  host.service('web', SLEEP);
  const program = host.startUnasked();
  await program.over;
  expect(program.child.exitCode).toBe(1);
  expect(program.stderr).toContain(`another process listens on ${host.socket}`);
  // Nothing was started that nobody could command.
  expect(program.stdout).toBe('');
  expect(fs.existsSync(host.base)).toBe(false);
  const visitor = await client(host);
  const [answer] = await once(visitor.setEncoding('utf8'), 'data');
  expect(answer).toBe('foreign');

  const stale = join(host.directory, 'stale.sock');
  fs.linkSync(host.socket, stale);
  foreign.close();
  await once(foreign, 'close');
  expect(fs.existsSync(stale)).toBe(true);
  fs.renameSync(stale, host.socket);
  await host.start();
  expect((await host.pmctl('status')).code).toBe(0);
});

test.each(GROUNDS)(
  '$title a second daemon on the same base refuses, names the first, and touches nothing',
  async (ground) => {
    const host = openHost({ ground });
    host.service('web', SLEEP);
    await host.start();
    const pid = await host.pidOf('web');
    host.service('other', SLEEP);
    await host.runs('other');
    await host.until(
      'the daemon to be at rest',
      () => (host.lifecycle('manager_reload_completed').length === 1 ? true : undefined),
      () => host.lifecycle(),
    );
    const told = host.lifecycle().length;
    const second = host.run(host.daemonCommand);
    await second.over;
    expect(second.child.exitCode).toBe(1);
    expect(second.stderr).toContain(`${host.pid} `);
    expect(second.stdout).toBe('');
    expect(await host.view('web')).toMatchObject({ pid, state: 'running' });
    expect(host.lifecycle()).toHaveLength(told);
    expect((await host.pmctl('update')).code).toBe(0);
  },
);

test.each(GROUNDS)(
  '$title a second daemon with another base on the same state directory refuses, and starts nothing',
  async (ground) => {
    const host = openHost({ ground });
    host.service('web', `echo started >> ${host.work}/starts; ${SLEEP}`);
    await host.start();
    const pid = await host.pidOf('web');
    await host.says('starts');
    expect((await host.pmctl('hold', 'web', '-m', 'mine')).code).toBe(0);
    const other = ['--cgroup-name', `${basename(host.base)}-other`, '--sock-path', `${host.socket}.other`];
    onTestFinished(() => void (fs.existsSync(`${host.base}-other`) && removeTree(`${host.base}-other`)));
    const second = host.run([...host.daemonCommand, ...other]);
    await second.over;
    expect(second.child.exitCode).toBe(1);
    expect(second.stderr).toContain(`a daemon already holds ${host.state}`);
    expect(second.stderr).toContain(`${host.pid} `);
    expect(second.stdout).toBe('');
    expect(host.said('starts')).toBe('started\n');
    expect(fs.existsSync(`${host.base}-other`)).toBe(false);
    // Whatever is left of the first one, it is not the lock.
    await host.crash();
    await host.start();
    expect(await host.view('web')).toMatchObject({ pid, drift: 'held' });
  },
);

test('clients that talk nonsense, too much, too slowly or not at all do not keep status from being answered', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  await host.start();
  const pid = await host.pidOf('web');
  const before = descriptorsOf(host.pid);
  const answers: string[] = [];
  const says = async (what: string | Buffer): Promise<Socket> => {
    const one = await client(host);
    one.setEncoding('utf8').on('data', (text: string) => answers.push(text));
    one.write(what);
    return one;
  };
  await says(Buffer.from(Array.from({ length: 4096 }, (_, index) => index % 256)));
  await says(`GET /api/status HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(200_000)}\r\n\r\n`);
  // Whoever waits for no answer of ours gives way to a crowd; so these have theirs first.
  await host.until(
    'nonsense to be refused',
    () =>
      /HTTP\/1\.1 400 /.test(answers.join('')) && /HTTP\/1\.1 431 /.test(answers.join('')) ? true : undefined,
    () => answers,
  );
  const slow = await says('GET /api/sta');
  const idle = await crowd(host, 500);
  expect((await host.pmctl('status')).code).toBe(0);
  await says(
    'POST /api/command HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2000000\r\n\r\n',
  );
  await host.until(
    'too much to be refused',
    () => (/HTTP\/1\.1 413 /.test(answers.join('')) ? true : undefined),
    () => answers,
  );
  const mistakes: readonly [string, string, unknown, number][] = [
    ['POST', '/api/command', { verb: 'explode', services: ['web'], wait: 0 }, 400],
    ['POST', '/api/command', { verb: 'stop', services: 'web', wait: 0 }, 400],
    ['POST', '/api/update', [], 400],
    ['POST', '/api/nothing', {}, 404],
    ['GET', '/api/why/../../etc/passwd', undefined, 404],
    ['GET', '/api/processes/nobody', undefined, 404],
    ['POST', '/api/processes/web/explode', undefined, 404],
  ];
  for (const [method, path, body, status] of mistakes) {
    const answer = await host.ask(method, path, body);
    expect({ path, status: answer.status, body: answer.body }).toMatchObject({
      path,
      status,
      body: { error: { code: expect.any(String), message: expect.any(String) } },
    });
  }
  expect(await host.view('web')).toMatchObject({ pid, state: 'running' });
  for (const one of [...idle, slow]) one.destroy();
  await host.until(
    'their descriptors to be given back',
    () => (descriptorsOf(host.pid) <= before + 2 ? true : undefined),
    () => ({ before, now: descriptorsOf(host.pid) }),
  );
});

test('two thousand connections that say nothing leave room for those that do', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  await host.start();
  const pid = await host.pidOf('web');
  await crowd(host, 2000);
  for (let turn = 0; turn < 3; turn++) expect((await host.pmctl('status')).code).toBe(0);
  expect((await host.pmctl('restart', 'web')).code).toBe(0);
  expect(isGone(pid)).toBe(true);
});

test.runIf(isRoot)(
  'who has no permission for the socket is told whose it is, and nothing is done for him',
  async () => {
    const host = openHost({ ground: GROUND });
    host.service('web', SLEEP);
    await host.start();
    const pid = await host.pidOf('web');
    fs.chmodSync(host.directory, 0o755);
    const pmctl = [process.execPath, join(copyForNobody(host.directory), 'pmctl.js'), '--sock', host.socket];
    const stranger = host.run([...NOBODY.command, ...pmctl, 'stop', 'web']);
    await stranger.over;
    expect(stranger.child.exitCode).toBe(1);
    expect(stranger.stderr).toContain('no permission');
    expect(stranger.stderr).toContain('mode 0660');
    expect(isGone(pid)).toBe(false);
  },
);

test('a socket that somebody removed is made again, with its mode; what was put in its place is left alone', async () => {
  const host = openHost({ ground: GROUND, settings: { sock_mode: '0640' } });
  await host.start(['--watch-enabled', 'false']);
  const before = await client(host);
  fs.rmSync(host.socket);
  fs.writeFileSync(host.socket, 'of somebody else');
  for (const count of [1, 2]) {
    host.signal('SIGHUP');
    await host.until('SIGHUP to be taken', () => host.lifecycle('manager_reload_completed')[count - 1]);
  }
  expect(fs.readFileSync(host.socket, 'utf8')).toBe('of somebody else');
  await host.until(
    'the trouble to be told',
    () => /nobody can reach this daemon/.test(host.stderr) || undefined,
  );
  fs.rmSync(host.socket);
  host.signal('SIGHUP');
  await host.until('the socket to be there', () => fs.existsSync(host.socket) || undefined);
  expect(fs.statSync(host.socket).mode & 0o777).toBe(0o640);
  expect((await host.pmctl('status')).code).toBe(0);
  expect(host.stderr.match(/nobody can reach this daemon/g)).toHaveLength(1);
  expect(host.stderr.match(/listening there again/g)).toHaveLength(1);
  // Who found the old one is still answered.
  before.setEncoding('utf8').write('GET /api/version HTTP/1.1\r\nhost: x\r\n\r\n');
  const [answer] = await once(before, 'data');
  expect(answer).toContain('HTTP/1.1 200');
  expect(await host.stop()).toBe(0);
  expect(fs.existsSync(host.socket)).toBe(false);
});

test('a socket that somebody removed or replaced is not removed again at the end', async () => {
  const host = openHost({ ground: GROUND });
  await host.start();
  fs.rmSync(host.socket);
  fs.writeFileSync(host.socket, 'of somebody else');
  expect(await host.stop()).toBe(0);
  expect(fs.readFileSync(host.socket, 'utf8')).toBe('of somebody else');
});

/** Connections that say nothing. No faster than they are accepted: the kernel would refuse them (listen(2)). */
async function crowd(host: Host, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => client(host)))));
    await host.ask('GET', '/api/version');
  }
  return sockets;
}

async function client(host: Host): Promise<Socket> {
  const socket = connect(host.socket);
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}
