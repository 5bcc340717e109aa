/** Is the API over TCP open to those with a token alone, and of no consequence to the control socket? */
import { once } from 'node:events';
import fs from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askTcp, type TcpAnswer, type TcpQuestion } from '../api/tcp-client.ts';
import { GROUND } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { descriptorsOf } from './processes.ts';
import { SLEEP } from './services.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../api/fixtures/${name}`, import.meta.url));
const CA = fs.readFileSync(fixture('localhost.crt'), 'utf8');

interface TcpHost {
  readonly host: Host;
  readonly port: number;
  readonly tokens: string;
  ask(question: Omit<TcpQuestion, 'port'>): Promise<TcpAnswer>;
}

/** @param names tokens that are there from the beginning: `ann` is an admin, `rob` may read, `ops` may operate */
async function openTcp(api: Readonly<Record<string, unknown>> = {}): Promise<TcpHost & { token: Tokens }> {
  const host = openHost({ ground: GROUND });
  const tokens = join(host.directory, 'tokens');
  host.settings['api'] = { listen: '127.0.0.1:0', tokens, ...api };
  const token: Record<string, string> = {};
  for (const [name, role] of Object.entries({ ann: 'admin', ops: 'operate', rob: 'read' })) {
    token[name] = await newToken(host, tokens, name, role);
  }
  host.service('web', SLEEP);
  await host.start();
  await host.runs('web');
  const port = await portOf(host);
  const ca = 'tls' in api ? { ca: CA } : {};
  return {
    host,
    port,
    tokens,
    token: token as unknown as Tokens,
    ask: (question) => askTcp({ port, ...ca, ...question }),
  };
}

interface Tokens {
  readonly ann: string;
  readonly ops: string;
  readonly rob: string;
}

async function newToken(host: Host, file: string, name: string, role: string): Promise<string> {
  const made = await host.pmctl('token', 'new', name, '--role', role, '--file', file);
  expect({ code: made.code, stderr: made.stderr }).toMatchObject({ code: 0 });
  return made.stdout.trim();
}

function portOf(host: Host): Promise<number> {
  return host.until(
    'the API to listen',
    () => {
      const [, port] = /listening on https?:\/\/127\.0\.0\.1:(\d+)/.exec(host.stderr) ?? [];
      return port === undefined ? undefined : Number(port);
    },
    () => host.stderr,
  );
}

test('a token opens what its role may, until it is revoked; the file is read again by itself', async () => {
  const { host, ask, tokens, token } = await openTcp();
  expect(fs.statSync(tokens).mode & 0o777).toBe(0o600);
  expect(fs.readFileSync(tokens, 'utf8')).not.toContain(token.ann);
  expect((await ask({ path: '/api/status' })).status).toBe(401);
  expect((await ask({ path: '/api/status', token: token.rob })).body.services).toMatchObject([
    { name: 'web' },
  ]);
  const stop = { path: '/api/processes/web/stop', method: 'POST' };
  expect((await ask({ ...stop, token: token.rob })).status).toBe(403);
  expect(await ask({ ...stop, token: token.ops })).toMatchObject({
    status: 200,
    body: { success: true, process: { id: 'web', isRunning: false } },
  });
  const eve = await newToken(host, tokens, 'eve', 'operate');
  expect((await ask({ path: '/api/version', token: eve })).status).toBe(200);
  expect((await host.pmctl('token', 'revoke', 'eve', '--file', tokens)).code).toBe(0);
  expect((await ask({ path: '/api/version', token: eve })).status).toBe(401);
  expect((await ask({ path: '/api/version', token: token.rob })).status).toBe(200);
  fs.chmodSync(tokens, 0o666);
  expect((await ask({ path: '/api/version', token: token.rob })).status).toBe(401);
  await host.until(
    'the daemon to say why',
    () => (host.stderr.includes('can be written by others') ? true : undefined),
    () => host.stderr,
  );
  fs.chmodSync(tokens, 0o600);
  expect((await ask({ path: '/api/version', token: token.rob })).status).toBe(200);
});

test('who did it is told: the token, whatever the client says of itself', async () => {
  const { host, ask, token } = await openTcp();
  await ask({
    path: '/api/command',
    method: 'POST',
    token: token.ops,
    headers: { 'x-processmaster-actor': 'root' },
    body: { verb: 'hold', services: ['web'], reason: 'incident', wait: 0 },
  });
  const why = await host.ask('GET', '/api/why/web');
  expect(JSON.stringify(why.body)).toContain('token:ops');
  await ask({ path: '/api/update', method: 'POST', token: token.ops, body: { wait: 0 } });
  expect(host.lifecycle('manager_reload_requested').at(-1)).toMatchObject({ fields: { by: 'token:ops' } });
  await ask({ path: '/api/shutdown', method: 'POST', token: token.ann, body: {} });
  expect(await host.ended()).toBe(0);
  expect(host.lifecycle('manager_stopping')).toMatchObject([{ fields: { reason: 'shutdown_by_token:ann' } }]);
});

test('pmctl speaks to it over TLS, with a certificate that it is told to trust', async () => {
  const key = fs.readFileSync(fixture('localhost.key'), 'utf8');
  const secret = join(fs.mkdtempSync(join('/tmp', 'pm-key-')), 'key');
  onTestFinished(() => fs.rmSync(join(secret, '..'), { recursive: true }));
  fs.writeFileSync(secret, key, { mode: 0o600 });
  const { host, port, token } = await openTcp({ tls: { cert: fixture('localhost.crt'), key: secret } });
  const file = join(host.directory, 'ops.token');
  fs.writeFileSync(file, `${token.ops}\n`, { mode: 0o600 });
  const url = `https://localhost:${port}`;
  const pmctl = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const program = host.run([...host.pmctlCommand.slice(0, 2), ...args], env);
    await program.over;
    return { code: program.child.exitCode, out: program.stdout, err: program.stderr };
  };
  const trust = ['--url', url, '--ca-file', fixture('localhost.crt')];
  const shown = await pmctl([...trust, '--token-file', file, 'status', '--json']);
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(JSON.parse(shown.out).services).toMatchObject([{ name: 'web', state: 'running' }]);
  expect(await pmctl([...trust, 'restart', 'web'], { PMCTL_TOKEN: token.ops })).toMatchObject({ code: 0 });
  expect(await pmctl([...trust, 'restart', 'web'], { PMCTL_TOKEN: token.rob })).toMatchObject({
    code: 1,
    err: expect.stringContaining('takes at least the role operate; the token has read'),
  });
  expect(
    await pmctl(['--ca-file', fixture('localhost.crt'), 'list'], { PMCTL_URL: url, PMCTL_TOKEN: token.rob }),
  ).toMatchObject({ code: 0, out: 'web\n' });
  expect(await pmctl(['--url', url, 'status'], { PMCTL_TOKEN: token.ops })).toMatchObject({
    code: 1,
    err: expect.stringContaining('nobody we know has signed its certificate'),
  });
  expect(await pmctl(['--url', url, 'status'])).toMatchObject({
    code: 64,
    err: expect.stringContaining('PMCTL_TOKEN'),
  });
  expect(await pmctl([...trust, 'logs', '-f'], { PMCTL_TOKEN: token.rob })).toMatchObject({ code: 64 });
});

test('a certificate that was renewed is used after SIGHUP; one that is broken leaves the old one in force', async () => {
  const host = openHost({ ground: GROUND });
  const [cert, key, tokens] = ['cert', 'key', 'tokens'].map((name) => join(host.directory, name)) as [
    string,
    string,
    string,
  ];
  fs.copyFileSync(fixture('localhost.crt'), cert);
  fs.writeFileSync(key, fs.readFileSync(fixture('localhost.key')), { mode: 0o600 });
  host.settings['api'] = { listen: '127.0.0.1:0', tokens, tls: { cert, key } };
  const token = await newToken(host, tokens, 'rob', 'read');
  await host.start();
  const port = await portOf(host);
  const status = async () => (await askTcp({ port, path: '/api/version', token, ca: CA })).status;
  expect(await status()).toBe(200);
  fs.writeFileSync(cert, 'broken');
  host.signal('SIGHUP');
  await host.until(
    'the complaint',
    () => (/cannot be used/.test(host.stderr) ? true : undefined),
    () => host.stderr,
  );
  expect(await status()).toBe(200);
  fs.copyFileSync(fixture('localhost.crt'), cert);
  host.signal('SIGHUP');
  await host.until(
    'the renewal',
    () => (/read again/.test(host.stderr) ? true : undefined),
    () => host.stderr,
  );
  expect(await status()).toBe(200);
});

test('an address that is taken does not keep services from running, and is taken as soon as it is free', async () => {
  const first = await openTcp();
  const host = openHost({ ground: GROUND });
  host.settings['api'] = { listen: `127.0.0.1:${first.port}`, tokens: first.tokens };
  host.service('web', SLEEP);
  await host.start();
  await host.runs('web');
  await host.until(
    'the complaint',
    () => (/EADDRINUSE/.test(host.stderr) ? true : undefined),
    () => host.stderr,
  );
  await first.host.stop();
  expect(await portOf(host)).toBe(first.port);
});

test.each([
  [{ listen: '127.0.0.1:0' }, 'without api.tokens anybody could command the services'],
  [{ listen: '0.0.0.0:0', tokens: '/t' }, 'without TLS'],
])('%j is refused at start', async (api, told) => {
  const host = openHost({ ground: GROUND, settings: { api } });
  const program = host.startUnasked();
  await program.over;
  expect(program.child.exitCode).toBe(1);
  expect(program.stderr).toContain(told);
});

test('the answers are those that the description promises, and no field is missing in it', async () => {
  const { host, ask, token } = await openTcp();
  host.service('bad', { proces: {} });
  host.service('job', { process: { command: 'echo hello', schedule: '0 0 1 1 *' } });
  host.service('once', { process: { command: 'echo "2026-01-01T00:00:00Z hello"; exit 3' } });
  await host.until('once to have failed', async () =>
    (await host.view('once'))?.last_exit ? true : undefined,
  );
  const { body: document } = await ask({ path: '/api/openapi.json', token: token.rob });
  expect(document.openapi).toBe('3.1.1');
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { 'date-time': isTime } });
  ajv.addSchema(closed(document), 'openapi');
  const calls: readonly [string, string, unknown?][] = [
    ['GET', '/health'],
    ['GET', '/api/version'],
    ['GET', '/api/status'],
    ['GET', '/api/stats'],
    ['GET', '/api/diff'],
    ['GET', '/api/doctor'],
    ['GET', '/api/why/once'],
    ['GET', '/api/why/job'],
    ['GET', '/api/logs'],
    ['GET', '/api/processes'],
    ['GET', '/api/processes/web'],
    ['GET', '/api/processes/once/logs'],
    ['POST', '/api/processes/web/restart?wait=20000'],
    ['POST', '/api/processes/reload'],
    ['POST', '/api/update', { wait: 1000 }],
    ['POST', '/api/sync', { dryRun: true, wait: 0 }],
    ['POST', '/api/command', { verb: 'hold', services: ['web'], reason: 'x', wait: 0 }],
    ['POST', '/api/wait', { service: 'web', for: 'ready', timeout: 0 }],
    ['POST', '/api/define', { name: 'new', command: ['sleep', '1000'], directory: '/', wait: 0 }],
    ['POST', '/api/delete', { services: ['new'], wait: 0 }],
    ['GET', '/api/history'],
    ['GET', '/api/history/latest'],
    ['GET', '/api/history/latest/web'],
    ['GET', '/api/compare'],
    ['POST', '/api/resume', { wait: 0 }],
    ['POST', '/api/rollback', { id: 'latest', wait: 0 }],
    ['POST', '/api/shutdown', {}],
  ];
  const tried = new Set<string>();
  for (const [method, path, body] of calls) {
    const answer = await ask({ method, path, token: token.ann, ...(body === undefined ? {} : { body }) });
    const pattern = patternOf(document, method, path);
    tried.add(`${method} ${pattern}`);
    const pointer = `/paths/${pattern.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')}`;
    const good = answer.status === 200;
    const schema = `openapi#${good ? `${pointer}/${method.toLowerCase()}/responses/200/content/application~1json/schema` : '/components/schemas/Error'}`;
    const valid = ajv.compile({ $ref: schema });
    expect({
      path,
      good: valid(answer.body),
      errors: valid.errors,
      body: valid.errors && answer.body,
    }).toEqual({
      path,
      good: true,
      errors: null,
      body: null,
    });
    // Nothing is proven by calls that are refused; of these two it depends on the directory.
    if (!/sync|resume|rollback|compare/.test(path))
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
  }
  const all = Object.entries(document.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(all.filter((call) => !tried.has(call)).sort()).toEqual([
    'GET /api/events',
    'GET /api/openapi.json',
    'GET /metrics',
  ]);
});

test('the figures of a daemon that runs', async () => {
  const { host, ask, token } = await openTcp();
  host.service('once', { process: { command: 'exit 3' }, restart_policy: { restart_backoff: '10ms' } });
  await host.until('once to be restarted', async () =>
    ((await host.view('once'))?.restarts ?? 0) > 0 ? true : undefined,
  );
  const { status, headers, body } = await ask({ path: '/metrics', token: token.rob });
  expect({ status, type: headers['content-type'] }).toEqual({
    status: 200,
    type: expect.stringMatching(/^text\/plain; version=0\.0\.4/),
  });
  const value = (sample: string): number =>
    Number(
      String(body)
        .split('\n')
        .find((line) => line.startsWith(`${sample} `))
        ?.slice(sample.length + 1),
    );
  expect(value('processmaster_service_ready{service="web"}')).toBe(1);
  expect(value('processmaster_service_state{service="web",state="running"}')).toBe(1);
  expect(value('processmaster_service_starts_total{service="web",reason="boot"}')).toBe(1);
  expect(value('processmaster_service_exits_total{service="once",reason="exit_3"}')).toBeGreaterThan(0);
  expect(value('processmaster_service_last_exit_code{service="once"}')).toBe(3);
  expect(value('processmaster_reconciles_total')).toBeGreaterThan(0);
  expect(value('processmaster_resident_memory_bytes')).toBeGreaterThan(10_000_000);
  expect(value('processmaster_event_loop_lag_seconds')).toBeGreaterThanOrEqual(0);
});

describe('whatever comes over TCP, the control socket answers', () => {
  test('two thousand connections that say nothing, slow ones, nonsense, and a body of a gigabyte', async () => {
    const { host, port, ask, token } = await openTcp();
    const before = { memory: residentOf(host.pid), descriptors: descriptorsOf(host.pid) };
    // A busy host answers more slowly, with a crowd or without.
    const prompt = 100 + 10 * (await typicalTime(host));
    const crowd: Socket[] = [];
    while (crowd.length < 2000) {
      crowd.push(
        ...(await Promise.all(Array.from({ length: 100 }, () => visitor({ host: '127.0.0.1', port })))),
      );
      await host.ask('GET', '/api/version');
    }
    for (const [index, socket] of crowd.entries()) {
      if (index % 3 === 0) socket.write('GET /api/status HTTP/1.1\r\nhost: ');
      if (index % 3 === 1) socket.write(Buffer.from([0, 255, 10, 13, 22, 3, 1]));
    }
    expect(await typicalTime(host)).toBeLessThan(prompt);
    expect(descriptorsOf(host.pid)).toBeLessThan(before.descriptors + 100);
    expect((await ask({ path: '/api/version', token: token.rob })).status).toBe(200);

    for (const way of [{ host: '127.0.0.1', port }, { path: host.socket }]) {
      const sending = gigabyte(way, `host: 127.0.0.1:${port}\r\nauthorization: Bearer ${token.ann}`);
      const time = await typicalTime(host);
      const { sent, answer } = await sending;
      expect(time).toBeLessThan(prompt);
      // A client that goes on sending may not see the answer before the connection is gone (tcp(7): a reset).
      expect(answer).toMatch(/^(HTTP\/1\.1 413 |$)/);
      expect(sent).toBeLessThan(1e9);
    }

    for (let turn = 0; turn < 20; turn++) {
      const nonsense = await ask({
        path: '/api/update',
        method: 'POST',
        token: token.ann,
        body: `{"services":${'['.repeat(10_000)}`,
      });
      expect(nonsense.status).toBe(400);
    }
    expect(await typicalTime(host)).toBeLessThan(prompt);
    expect(residentOf(host.pid) - before.memory).toBeLessThan(100 * 1024 * 1024);
    expect((await host.pmctl('status')).code).toBe(0);
    for (const socket of crowd) socket.destroy();
    await host.until(
      'the descriptors to be given back',
      () => (descriptorsOf(host.pid) <= before.descriptors + 2 ? true : undefined),
      () => ({ before, now: descriptorsOf(host.pid) }),
    );
  });
});

/** The middle one of some answers over the control socket; milliseconds. */
async function typicalTime(host: Host): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < 11; turn++) {
    const begun = performance.now();
    expect((await host.ask('GET', '/api/status')).status).toBe(200);
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b)[5] ?? Number.NaN;
}

type Way = { readonly host: string; readonly port: number } | { readonly path: string };

async function visitor(way: Way): Promise<Socket> {
  const socket = connect(way);
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** One body without an end in sight, in chunks, until the daemon has had enough. */
async function gigabyte(
  way: Way,
  headers: string,
): Promise<{ readonly sent: number; readonly answer: string }> {
  const socket = await visitor(way);
  let answer = '';
  let sent = 0;
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  const head = [
    'POST /api/update HTTP/1.1',
    headers,
    'content-type: application/json',
    'transfer-encoding: chunked',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 'x'), Buffer.from('\r\n')]);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  while (!socket.destroyed && sent < 1e9) {
    sent += 65_536;
    if (socket.write(chunk)) continue;
    await Promise.race([new Promise<void>((resolve) => socket.once('drain', resolve)), closed]);
  }
  return { sent, answer };
}

function residentOf(pid: number): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** Every object with the fields that it names, and no other. */
function closed(tree: unknown): never {
  if (Array.isArray(tree)) return tree.map(closed) as never;
  if (typeof tree !== 'object' || tree === null) return tree as never;
  const copy = Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, closed(value)]));
  const isObject = copy['type'] === 'object' && 'properties' in copy && !('additionalProperties' in copy);
  return (isObject ? { ...copy, additionalProperties: false } : copy) as never;
}

function patternOf(document: { readonly paths: object }, method: string, path: string): string {
  const [plain = ''] = path.split('?');
  const fits = Object.entries(document.paths).flatMap(([pattern, operations]) => {
    const matches = new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(plain);
    return matches && method.toLowerCase() in operations ? [pattern] : [];
  });
  return fits.sort((a, b) => a.split('{').length - b.split('{').length)[0] ?? plain;
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text));
}
