import { spawn } from 'node:child_process';
import dns from 'node:dns';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, test, vi } from 'vitest';
import { DETAIL_LENGTH, type ProbeResult } from '../../src/model/probe.ts';
import { type HttpTarget, httpProbe, isItsOwnPeer, tcpProbe } from '../../src/world/net-probe.ts';
import { STRANGER } from './stranger-certificate.ts';

/** Milliseconds after the timeout by which a probe must have told its result, on a busy machine too. */
const GRACE = 1500;

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** The port of a server on loopback, which ends with the test together with all its connections. */
async function listening(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  open.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A server that treats each connection as `talk` does, once the client has said something. */
function talking(talk: (socket: net.Socket) => void): Promise<number> {
  return listening(net.createServer((socket) => socket.once('data', () => talk(socket))));
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = net.createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The port of a server that accepts nobody: its process is stopped. */
async function stoppedServer(): Promise<number> {
  const program =
    "const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))";
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  open.push(() => child.kill('SIGKILL'));
  const port = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
  child.kill('SIGSTOP');
  return port;
}

function target(where: number | string, changes: Partial<HttpTarget> = {}): HttpTarget {
  const url = typeof where === 'number' ? `http://127.0.0.1:${where}/` : where;
  return { url, method: 'GET', headers: {}, status: [{ from: 200, to: 399 }], timeout: 10_000, ...changes };
}

function ask(where: number | string, changes: Partial<HttpTarget> = {}): Promise<ProbeResult> {
  return new Promise((resolve) => httpProbe(target(where, changes), resolve));
}

function knock(host: string, port: number, timeout = 10_000): Promise<ProbeResult> {
  return new Promise((resolve) => tcpProbe({ host, port, timeout }, resolve));
}

function expectFailure(result: ProbeResult, detail: string | RegExp): void {
  expect(result).toEqual({
    ok: false,
    detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
    elapsed: expect.any(Number),
  });
  expect(result.detail).toMatch(/^[^\p{Cc}]+$/u);
  expect(result.detail.length).toBeLessThanOrEqual(DETAIL_LENGTH);
}

function expectTimeout(result: ProbeResult, timeout: number, detail: string): void {
  expectFailure(result, detail);
  // A timer may fire a millisecond early by the finer clock.
  expect(result.elapsed).toBeGreaterThanOrEqual(timeout - 2);
  expect(result.elapsed).toBeLessThan(timeout + GRACE);
}

describe('an HTTP probe', () => {
  test.each<[number, HttpTarget['status'], boolean]>([
    [200, [{ from: 200, to: 399 }], true],
    [399, [{ from: 200, to: 399 }], true],
    [400, [{ from: 200, to: 399 }], false],
    [200, [{ from: 201, to: 399 }], false],
    [302, [200], false],
    [302, [{ from: 200, to: 299 }, 302], true],
    [500, [500], true],
    [204, [], false],
  ])('status %i, wanted %j: %s', async (status, wanted, ok) => {
    const port = await listening(http.createServer((_, response) => response.writeHead(status).end()));
    const result = await ask(port, { status: wanted });
    expect(result.ok).toBe(ok);
    expect(result.detail).toMatch(
      ok ? new RegExp(`^${status} in \\d+ ms$`) : new RegExp(`^${status}, wanted`),
    );
  });

  it('sends the method and the headers, on a connection that is not kept', async () => {
    const seen = new Promise<unknown>((resolve) => {
      const server = http.createServer((request, response) => {
        const { method, url, headers } = request;
        resolve({
          method,
          url,
          token: headers['x-token'],
          host: headers.host,
          connection: headers.connection,
        });
        response.end();
      });
      void listening(server).then((port) =>
        ask(`http://127.0.0.1:${port}/up?a=b`, { method: 'HEAD', headers: { 'X-Token': 't', Host: 'web' } }),
      );
    });
    expect(await seen).toEqual({
      method: 'HEAD',
      url: '/up?a=b',
      token: 't',
      host: 'web',
      connection: 'close',
    });
  });

  it.each([
    ['the port, where the URL has one', ':{port}', '127.0.0.1:{port}'],
    ['no port that goes without saying', '', '127.0.0.1'],
    ['no port that goes without saying, also where it is said', ':80', '127.0.0.1'],
  ])('names in the header Host %s', async (_, written, host) => {
    const seen: unknown[] = [];
    const server = http.createServer(({ headers }, response) => {
      seen.push(headers.host);
      response.end();
    });
    const port = await listening(server);
    const filled = (text: string) => text.replace('{port}', `${port}`);
    // Port 80 of this host is not ours to listen on.
    const { connect } = net;
    const led = vi
      .spyOn(net, 'connect')
      .mockImplementation((() => connect({ port, host: '127.0.0.1' })) as never);
    open.push(() => led.mockRestore());
    await ask(`http://127.0.0.1${filled(written)}/`);
    expect(seen).toEqual([filled(host)]);
    expect(led.mock.calls).toMatchObject([[{ host: '127.0.0.1', port: written === ':{port}' ? port : 80 }]]);
  });

  it.each([
    ['the name and the password of the URL', 'user:p%40ss@', '/', 'Basic dXNlcjpwQHNz', '/'],
    ['no name where there is none, nor what is behind a #', '', '/up?a=b&c#d', undefined, '/up?a=b&c'],
    ['what is no ASCII as a URL has it', '', '/é x', undefined, '/%C3%A9%20x'],
  ])('sends %s', async (_, who, path, authorization, url) => {
    const seen: unknown[] = [];
    const server = http.createServer((request, response) => {
      seen.push([request.headers.authorization, request.url]);
      response.end();
    });
    const port = await listening(server);
    for (let time = 0; time < 2; time++) await ask(`http://${who}127.0.0.1:${port}${path}`);
    expect(seen).toEqual([
      [authorization, url],
      [authorization, url],
    ]);
  });

  it('asks at an address of IPv6', async () => {
    const server = http.createServer((_, response) => response.end());
    open.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
    const { port } = server.address() as AddressInfo;
    expect((await ask(`http://[::1]:${port}/`)).ok).toBe(true);
  });

  it('waits for no other probe of the same server', async () => {
    const others = 300;
    let asked = 0;
    let allAsked: () => void = () => {};
    const silence = new Promise<void>((resolve) => {
      allAsked = resolve;
    });
    // Whoever comes after all the others is the first to be answered.
    const server = http.createServer((_, response) => {
      asked += 1;
      if (asked === others) allAsked();
      if (asked > others) response.end();
    });
    const port = await listening(server);
    for (let index = 0; index < others; index++) open.push(httpProbe(target(port), () => {}));
    await silence;
    expect((await ask(port)).ok).toBe(true);
  });

  it('shakes hands anew each time, by whatever TLS', async () => {
    const reused: boolean[] = [];
    const server = https.createServer(STRANGER, (_, response) => response.end());
    server.on('secureConnection', (socket) => reused.push(socket.isSessionReused()));
    const port = await listening(server);
    for (let index = 0; index < 3; index++) await ask(`https://127.0.0.1:${port}/`);
    expect(reused).toEqual([false, false, false]);
  });

  it('does not follow a redirect', async () => {
    const urls: unknown[] = [];
    const server = http.createServer(({ url }, response) => {
      urls.push(url);
      response.writeHead(302, { location: '/other' }).end();
    });
    expect((await ask(await listening(server))).ok).toBe(true);
    expect(urls).toEqual(['/']);
  });

  it('takes an endless body for an answer and hangs up on it', async () => {
    let hungUp: (value: boolean) => void;
    const ended = new Promise<boolean>((resolve) => {
      hungUp = resolve;
    });
    const server = http.createServer((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      response.on('close', () => hungUp(true));
      more();
    });
    expect((await ask(await listening(server))).ok).toBe(true);
    expect(await ended).toBe(true);
  });

  it('accepts a certificate that nobody signed', async () => {
    const server = https.createServer(STRANGER, (_, response) => response.end());
    expect((await ask(`https://127.0.0.1:${await listening(server)}/`)).ok).toBe(true);
  });

  it('judges an upgrade by its status, and closes the connection', async () => {
    let hungUp: (value: boolean) => void;
    const ended = new Promise<boolean>((resolve) => {
      hungUp = resolve;
    });
    const port = await talking((socket) => {
      socket.on('close', () => hungUp(true));
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n');
    });
    const headers = { Connection: 'Upgrade', Upgrade: 'chat' };
    expect((await ask(port, { headers, status: [101] })).ok).toBe(true);
    expect(await ended).toBe(true);
  });

  it('waits for the answer behind an informational one', async () => {
    const port = await talking((socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n');
    });
    expect((await ask(port)).detail).toMatch(/^200 /);
  });

  it('gives up on a server that accepts and says nothing', async () => {
    const port = await listening(net.createServer());
    expectTimeout(await ask(port, { timeout: 500 }), 500, 'connected, but no answer within 500 ms');
  });

  it('gives up on a server that says nothing where TLS is to begin', async () => {
    const port = await listening(net.createServer());
    const result = await ask(`https://127.0.0.1:${port}/`, { timeout: 100 });
    expectTimeout(result, 100, 'not connected within 100 ms');
  });

  it('gives up on a server that sends its headers byte by byte', async () => {
    const port = await talking((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX: ');
      const drip = setInterval(() => socket.write('x'), 5);
      socket.on('close', () => clearInterval(drip));
    });
    expectTimeout(await ask(port, { timeout: 500 }), 500, 'connected, but no answer within 500 ms');
  });

  test.each<[string, string, RegExp]>([
    ['no HTTP', 'SSH-2.0-x\u001b[2J\r\n', /^Parse Error/],
    ['headers without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`, /^Parse Error: Header overflow/],
    ['a head that breaks off', 'HTTP/1.1 200', /^connection reset by peer|^socket hang up/],
    ['nothing', '', /^connection reset by peer|^socket hang up/],
  ])('fails when the server says %s', async (_, words, detail) => {
    const port = await talking((socket) => socket.end(words));
    expectFailure(await ask(port), detail);
  });

  it('fails when the server resets the connection', async () => {
    const port = await talking((socket) => socket.resetAndDestroy());
    expectFailure(await ask(port), 'connection reset by peer (ECONNRESET)');
  });

  it('fails when nobody listens, also on every address of localhost', async () => {
    const port = await closedPort();
    expectFailure(await ask(port), 'connection refused (ECONNREFUSED)');
    expectFailure(await ask(`http://localhost:${port}/`), 'connection refused (ECONNREFUSED)');
  });

  it('cannot be asked while its name is not looked up: that says nothing about the run', async () => {
    const port = await listening(net.createServer());
    const lookups = vi.spyOn(dns, 'lookup').mockImplementation((() => {}) as unknown as typeof dns.lookup);
    open.push(() => lookups.mockRestore());
    const held = { ok: false, detail: 'no address for its name within 50 ms', passing: true };
    expect(await ask('http://example.test/', { timeout: 50 })).toMatchObject(held);
    expect(await ask('https://example.test/', { timeout: 50 })).toMatchObject(held);
    expect(await knock('example.test', 80, 50)).toMatchObject(held);
    lookups.mockImplementation(((_: string, __: object, done: (...answer: unknown[]) => void) =>
      setImmediate(done, null, [{ address: '127.0.0.1', family: 4 }])) as unknown as typeof dns.lookup);
    expectTimeout(
      await ask(`http://example.test:${port}/`, { timeout: 50 }),
      50,
      'connected, but no answer within 50 ms',
    );
    expectTimeout(
      await ask(`https://example.test:${port}/`, { timeout: 50 }),
      50,
      'not connected within 50 ms',
    );
  });

  it('fails when there is no TLS behind an https URL', async () => {
    const port = await talking((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expectFailure(await ask(`https://127.0.0.1:${port}/`), /./);
  });

  it('fails when the name leads nowhere', async () => {
    // RFC 6761, 6.4: no name below "invalid" exists.
    expectFailure(await ask('http://nobody.invalid/'), /nobody\.invalid/);
  });

  test.each<[string, Partial<HttpTarget>]>([
    ['no URL', { url: 'rubbish\n' }],
    ['another protocol', { url: 'ftp://127.0.0.1/' }],
    ['a port out of range', { url: 'http://127.0.0.1:70000/' }],
    ['a header with a newline', { headers: { 'X-A': 'a\r\nX-B: b' } }],
    ['a header with a name that is none', { headers: { 'X A\n': 'a' } }],
    ['a method that is none', { method: 'GET / HTTP/1.1\r\nX: ' }],
  ])('refuses %s as a failure, after it has returned', async (_, changes) => {
    let returned = false;
    const result = new Promise<[ProbeResult, boolean]>((resolve) => {
      httpProbe(target(9, changes), (told) => resolve([told, returned]));
    });
    returned = true;
    expectFailure((await result)[0], /^cannot ask: /);
    expect((await result)[1]).toBe(true);
  });

  it('tells nothing once cancelled, however far it has come', async () => {
    const told: string[] = [];
    let connected: (socket: net.Socket) => void;
    const connection = new Promise<net.Socket>((resolve) => {
      connected = resolve;
    });
    const port = await talking((socket) => connected(socket));
    httpProbe(target(port), () => told.push('at once'))();
    httpProbe(target('rubbish'), () => told.push('refused'))();
    httpProbe(target('http://nobody.invalid/'), () => told.push('while the name is looked up'))();
    const cancel = httpProbe(target(port), () => told.push('while it waits for the answer'));
    const socket = await connection;
    const ended = new Promise((resolve) => socket.on('close', resolve));
    cancel();
    cancel();
    await ended;
    const result = await ask('http://nobody.invalid/');
    expect(result.ok).toBe(false);
    expect(told).toEqual([]);
  });
});

describe('a TCP probe', () => {
  it('succeeds when somebody accepts, and hangs up without a word', async () => {
    const heard: Buffer[] = [];
    let hungUp: (value: unknown) => void;
    const ended = new Promise((resolve) => {
      hungUp = resolve;
    });
    const server = net.createServer((socket) => {
      socket.on('data', (data) => heard.push(data));
      socket.on('close', hungUp);
    });
    const result = await knock('127.0.0.1', await listening(server));
    expect(result).toEqual({
      ok: true,
      detail: expect.stringMatching(/^connected in \d+ ms$/),
      elapsed: expect.any(Number),
    });
    await ended;
    expect(heard).toEqual([]);
  });

  it('fails when nobody listens, the name leads nowhere, or the port is none', async () => {
    expectFailure(await knock('127.0.0.1', await closedPort()), 'connection refused (ECONNREFUSED)');
    expectFailure(await knock('nobody.invalid', 80), /nobody\.invalid/);
    expectFailure(await knock('127.0.0.1', 70_000), /^cannot ask: /);
    expectFailure(await knock('a\nb', 80), /./);
  });

  it('gives up on a connection that the kernel does not establish in time', async () => {
    const port = await stoppedServer();
    const results: ProbeResult[] = [];
    // The kernel answers for the server until its queue is full, which holds one more than its length (listen(2)).
    while (results.length < 10 && results.at(-1)?.ok !== false)
      results.push(await knock('127.0.0.1', port, 100));
    const [last, ...earlier] = results.reverse();
    expect(earlier.every(({ ok }) => ok)).toBe(true);
    expectTimeout(last!, 100, 'not connected within 100 ms');
  });

  it('knows a connection of a socket to itself, behind which nobody listens', async () => {
    const port = await closedPort();
    const socket = net.connect({ host: '127.0.0.1', port, localPort: port });
    open.push(() => socket.destroy());
    await new Promise((resolve, reject) => socket.on('connect', resolve).on('error', reject));
    expect(isItsOwnPeer(socket)).toBe(true);
  });

  it('tells nothing once cancelled', async () => {
    const told: string[] = [];
    const port = await listening(net.createServer());
    tcpProbe({ host: '127.0.0.1', port, timeout: 10_000 }, () => told.push('at once'))();
    tcpProbe({ host: '127.0.0.1', port: -1, timeout: 10_000 }, () => told.push('refused'))();
    expect((await knock('127.0.0.1', port)).ok).toBe(true);
    expect(told).toEqual([]);
  });
});

it('leaves no descriptor behind, whatever the probes met', async () => {
  const answering = await listening(http.createServer((_, response) => response.end('x'.repeat(100_000))));
  // It reads on, so as to hear that the other side has hung up.
  const silent = await listening(net.createServer((socket) => socket.resume()));
  const resetting = await talking((socket) => socket.resetAndDestroy());
  const nobody = await closedPort();
  const before = sockets();
  const results: ProbeResult[] = [];
  for (let round = 0; round < 50; round++) {
    const cancel = httpProbe(target(silent), (result) => results.push(result));
    results.push(
      ...(await Promise.all([
        ask(answering),
        ask(answering, { method: 'POST', headers: { Connection: 'keep-alive' } }),
        ask(silent, { timeout: 10 }),
        ask(resetting),
        ask(nobody),
        ask(`https://127.0.0.1:${resetting}/`),
        knock('127.0.0.1', answering),
        knock('127.0.0.1', nobody),
        knock('localhost', silent),
      ])),
    );
    cancel();
  }
  expect(results).toHaveLength(450);
  expect(results.filter(({ ok }) => ok).length).toBe(200);
  // What an earlier test had opened may have been closed meanwhile.
  await expect.poll(sockets, { timeout: 5000 }).toBeLessThanOrEqual(before);
}, 30_000);

/** Sockets of this process, from the kernel's own list. */
function sockets(): number {
  return fs.readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}
