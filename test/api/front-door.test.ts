/** Over TCP: who gets in, what may he do, and what do strangers cost? */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FrontDoor } from '../../src/api/front-door.ts';
import { apiServer } from '../../src/api/server.ts';
import { hashOf, type Role, type Token } from '../../src/api/tokens.ts';
import { type FakeControl, fakeControl } from './fake-control.ts';
import { askTcp, Line, listening, type TcpQuestion } from './tcp-client.ts';

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)), 'utf8');

const PAIR = { cert: fixture('localhost.crt'), key: fixture('localhost.key') };

const TOKENS: readonly Token[] = (['read', 'operate', 'admin'] as const).map((role) => ({
  name: `${role}er`,
  role,
  hash: hashOf(role),
}));

interface Opened extends FakeControl {
  readonly port: number;
  readonly door: FrontDoor;
  readonly told: readonly string[];
  ask(question: Omit<TcpQuestion, 'port'>): ReturnType<typeof askTcp>;
}

async function open(
  options: {
    answers?: Parameters<typeof fakeControl>[0];
    tls?: typeof PAIR;
    allowed?: readonly string[];
  } = {},
): Promise<Opened> {
  const fake = fakeControl(options.answers);
  const told: string[] = [];
  let port = 0;
  const door = new FrontDoor({
    now: () => Date.now(),
    tls: options.tls ?? null,
    place: () => ({
      host: '127.0.0.1',
      port,
      scheme: options.tls === undefined ? 'http' : 'https',
      allowed: options.allowed ?? [],
    }),
    tokens: () => TOKENS,
    tell: (_fields, message) => told.push(message),
  });
  const app = apiServer(fake.control, () => Date.now(), door);
  await app.ready();
  port = await listening(app.server);
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const { ca } = options.tls === undefined ? { ca: undefined } : { ca: options.tls.cert };
  const ask: Opened['ask'] = (question) => askTcp({ port, ...question, ...(ca === undefined ? {} : { ca }) });
  return { ...fake, port, door, told, ask };
}

const STATUS = { services: ['a', 'b', 'c', 'd'].map((name) => ({ name })), problems: [], prune: null };
const NO_LINES = { files: [], logs: [], problems: [] };

describe('the token', () => {
  test.each([
    ['none', undefined],
    ['a wrong one', 'wrong'],
    ['the hash of one', hashOf('admin')],
  ])('%s: 401, and nothing is asked of the daemon', async (_title, token) => {
    const { ask, asked } = await open();
    const calls = ['/api/status', '/health', '/metrics', '/api/openapi.json', '/api/nothing'];
    for (const path of calls) {
      const answer = await ask({ path, ...(token === undefined ? {} : { token }) });
      expect({ path, status: answer.status }).toEqual({ path, status: 401 });
      expect(answer.body).toMatchObject({ error: { code: 'unauthorized' } });
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    }
    expect(asked).toEqual([]);
  });

  test.each(['transfer-encoding: chunked', 'content-length: 9000000000'])(
    'nor is it taken for as long as it comes: %s',
    async (header) => {
      const { port } = await open();
      const line = new Line(port);
      const head = `POST /api/command HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n`;
      line.socket.write(`${head}${header}\r\n\r\n`);
      await expect.poll(() => line.heard).toMatch(/^HTTP\/1\.1 401 /);
      await line.ended;
      expect(line.heard.toLowerCase()).toContain('connection: close');
    },
    // Long before it would be sent away for what has not arrived.
    8000,
  );

  test('whoever showed a wrong one is not told that none was shown', async () => {
    const { ask } = await open();
    const messageFor = async (token?: string): Promise<string> =>
      (await ask({ path: '/api/status', ...(token === undefined ? {} : { token }) })).body.error.message;
    expect(await messageFor()).toContain('Authorization: Bearer');
    expect(await messageFor('wrong')).toBe('this token is not valid here');
  });

  test('a body of somebody without a token is not even read', async () => {
    const { port } = await open();
    const line = new Line(port);
    line.socket.write(
      'POST /api/command HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{'.replace(
        'PORT',
        String(port),
      ),
    );
    await expect.poll(() => line.heard).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('too many wrong ones are told to slow down; a right one is let in all the same', async () => {
    const { ask, told } = await open();
    const statuses: number[] = [];
    for (let turn = 0; turn < 13; turn++)
      statuses.push((await ask({ path: '/api/status', token: 'x' })).status);
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429, 429]);
    expect((await ask({ path: '/api/status', token: 'x' })).headers).toMatchObject({
      'retry-after': expect.stringMatching(/^[1-6]?\d$/),
      connection: 'close',
    });
    expect((await ask({ path: '/api/status', token: 'read' })).status).toBe(200);
    expect(told).toEqual(['too many requests without a valid token from 127.0.0.1']);
  });
});

describe('values of variables', () => {
  const fields = [
    { path: 'process.env.PASSWORD', from: 'hush', to: 'hush2', class: 'roll', file: '/c/web.yaml', line: 4 },
    { path: 'process.env.NEW.ONE', to: 'hush3', class: 'roll' },
    { path: 'process.args[0]', from: '-v', to: '-q', class: 'roll' },
  ];
  const diff = { changes: [{ service: 'web', action: 'roll', because: fields, reason: '', instances: 1 }] };
  const why = { service: 'web', because: ['it runs'], changes: fields };
  const answers = { diff: () => diff, why: () => why };

  test.each(['/api/diff', '/api/why/web'])('%s: hidden from those who may only read', async (path) => {
    const { ask } = await open({ answers });
    const { body } = await ask({ path, token: 'read' });
    const told = path === '/api/diff' ? body.changes[0].because : body.changes;
    expect(told).toEqual([
      { ...fields[0], from: '(hidden)', to: '(hidden)' },
      { ...fields[1], to: '(hidden)' },
      fields[2],
    ]);
    expect(JSON.stringify(body)).not.toContain('hush');
  });

  test('shown to those who may also deploy', async () => {
    const { ask } = await open({ answers });
    for (const token of ['operate', 'admin']) {
      expect((await ask({ path: '/api/diff', token })).body).toEqual(diff);
    }
  });
});

describe('the role', () => {
  const command = (verb: string) => ({ verb, services: ['web'], wait: 0 });
  test.each<[string, string, unknown, Role]>([
    ['GET', '/api/status', undefined, 'read'],
    ['HEAD', '/api/status', undefined, 'read'],
    ['POST', '/api/wait', { service: 'web', for: 'ready', timeout: 0 }, 'read'],
    ['POST', '/api/processes/web/stop', undefined, 'operate'],
    ['POST', '/api/processes/reload', undefined, 'operate'],
    ['POST', '/api/update', { wait: 0 }, 'operate'],
    ['POST', '/api/update', { prune: false }, 'operate'],
    ['POST', '/api/update', { prune: true }, 'admin'],
    ...['start', 'stop', 'restart', 'reload', 'trigger', 'hold', 'release'].map(
      (verb) => ['POST', '/api/command', command(verb), 'operate'] as [string, string, unknown, Role],
    ),
    ['POST', '/api/command', command('enable'), 'admin'],
    ['POST', '/api/command', command('disable'), 'admin'],
    ['POST', '/api/command', { ...command('scale'), instances: 2 }, 'admin'],
    ['POST', '/api/define', { name: 'a', command: ['x'], directory: '/' }, 'admin'],
    ['POST', '/api/delete', { services: ['a'] }, 'admin'],
    ['POST', '/api/shutdown', {}, 'admin'],
    ['POST', '/api/nothing', {}, 'admin'],
    ['POST', '/api/sync', {}, 'admin'],
    ['POST', '/api/rollback', {}, 'operate'],
    ['POST', '/api/rollback', { prune: true }, 'admin'],
    ['POST', '/api/resume', {}, 'operate'],
    ['POST', '/api/resume', { prune: true }, 'admin'],
    ['GET', '/api/history/latest/web', undefined, 'admin'],
    ['HEAD', '/api/history/latest/web', undefined, 'admin'],
    ['GET', '/api/history//web', undefined, 'admin'],
    ['GET', '/api/history/latest/%77eb', undefined, 'admin'],
  ])('%s %s %j takes %s', async (method, path, body, least) => {
    const opened = await open({
      answers: { wait: () => ({ met: true }), command: () => ({ results: [{ result: 'done' }] }) },
    });
    const roles: readonly Role[] = ['read', 'operate', 'admin'];
    for (const role of roles) {
      const before = opened.asked.length;
      const answer = await opened.ask({ method, path, token: role, ...(body === undefined ? {} : { body }) });
      const may = roles.indexOf(role) >= roles.indexOf(least);
      expect({ role, refused: answer.status === 403 }).toEqual({ role, refused: !may });
      if (!may && method !== 'HEAD') {
        expect(answer.body).toMatchObject({
          error: { code: 'forbidden', message: expect.stringContaining(`the token has ${role}`) },
        });
        expect(opened.asked).toHaveLength(before);
      }
    }
  });
});

test('a shutdown answers what becomes of the services, and begins when that is on its way', async () => {
  const begun: unknown[] = [];
  const { ask, asked } = await open({ answers: { shutdown: () => ({ stopServices: true }) } });
  const answer = await ask({ method: 'POST', path: '/api/shutdown', token: 'admin', body: {} });
  expect(answer).toMatchObject({ status: 200, body: { ok: true, stopServices: true } });
  const { request } = asked[0] as { request: { stopServices: boolean; answered: Promise<void> } };
  expect(request.stopServices).toBe(false);
  await request.answered.then(() => begun.push('end'));
  expect(begun).toEqual(['end']);
});

test('whatever a client says of itself, it acts in the name of its token', async () => {
  const { ask, asked } = await open({
    answers: { command: () => ({ results: [{ service: 'web', result: 'done' }] }) },
  });
  const headers = { 'x-processmaster-actor': 'root' };
  const options = { method: 'POST', token: 'admin', headers } as const;
  const body = { verb: 'stop', services: ['web'], wait: 0 };
  expect(await ask({ ...options, path: '/api/command', body: { ...body, by: 'root' } })).toMatchObject({
    status: 400,
    body: { error: { code: 'bad_request', message: 'unknown key "by"' } },
  });
  await ask({ ...options, path: '/api/command', body });
  await ask({ ...options, path: '/api/processes/web/stop' });
  await ask({ ...options, path: '/api/update', body: {} });
  await ask({ ...options, path: '/api/delete', body: { services: ['web'] } });
  await ask({ ...options, path: '/api/shutdown', body: {} });
  await expect.poll(() => asked.some(({ call }) => call === 'shutdown')).toBe(true);
  const changes = asked.filter(({ call }) => call !== 'status');
  expect(changes.map(({ call }) => call)).toEqual(['command', 'command', 'update', 'delete', 'shutdown']);
  for (const { request } of changes) expect(request).toMatchObject({ by: 'token:adminer' });
});

describe('pages of somebody else', () => {
  test('a name that is none of ours is refused, whatever the token', async () => {
    const { ask, asked } = await open({ allowed: ['pm.example.org'] });
    const from = (host: string) => ask({ path: '/api/status', token: 'admin', headers: { host } });
    expect(await from('evil.example')).toMatchObject({
      status: 421,
      body: { error: { code: 'wrong_host' } },
    });
    expect((await from('pm.example.org')).status).toBe(200);
    expect(asked).toHaveLength(1);
  });

  test('a page of another place is refused, and none is told that it may ask', async () => {
    const { ask, port } = await open();
    const from = (origin: string, method = 'GET') =>
      ask({ path: '/api/status', token: 'admin', method, headers: { origin } });
    expect(await from('https://evil.example')).toMatchObject({
      status: 403,
      body: { error: { code: 'wrong_origin' } },
    });
    expect((await from('null')).status).toBe(403);
    const own = await from(`http://127.0.0.1:${port}`);
    const preflight = await from(`http://127.0.0.1:${port}`, 'OPTIONS');
    expect(own.status).toBe(200);
    expect(preflight.status).toBe(404);
    for (const { headers } of [own, preflight]) {
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test('every answer says that it is not to be kept, guessed at, run or framed', async () => {
    const { ask } = await open();
    for (const path of ['/api/status', '/api/nothing', '/api/why/x']) {
      for (const token of ['admin', 'wrong']) {
        expect((await ask({ path, token })).headers).toMatchObject({
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'content-security-policy': expect.stringContaining("default-src 'none'"),
        });
      }
    }
  });
});

const OF_EVERY_ANSWER = {
  'cache-control': 'no-store',
  'content-security-policy': expect.stringContaining("default-src 'none'"),
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'content-type': expect.stringMatching(/^application\/json/),
};

/** An answer as it came over the line. */
function answerIn(text: string) {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(': ', 1)[0]?.toLowerCase(), line.replace(/^[^:]*: /, '')]),
  );
  expect(Number(headers['content-length'])).toBe(Buffer.byteLength(body));
  return { status: Number(first.split(' ')[1]), headers, body: JSON.parse(body) };
}

describe('what a request may look like', () => {
  test.each([
    ['text', { 'content-type': 'text/plain' }, '{}', 415, 'unsupported_type'],
    [
      'a form',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'services=web',
      415,
      'unsupported_type',
    ],
    ['no JSON', {}, '{"services":', 400, 'bad_request'],
    ['JSON that reaches for the prototype', {}, '{"__proto__":{"x":1}}', 400, 'bad_request'],
    ['too much', {}, JSON.stringify({ services: ['x'.repeat(1024 * 1024)] }), 413, 'too_large'],
    ['an unknown key', {}, '{"sudo":true}', 400, 'bad_request'],
  ])('%s', async (_title, headers, body, status, code) => {
    const { ask, asked } = await open();
    const answer = await ask({ method: 'POST', path: '/api/update', token: 'admin', headers, body });
    expect(answer).toMatchObject({
      status,
      body: { error: { code, message: expect.any(String) } },
    });
    expect(asked).toEqual([]);
  });

  test.each([undefined, 'read'])('a path that is no URL, with the token %s', async (token) => {
    const { ask, asked } = await open();
    const answer = await ask({ path: '/api/processes/%zz', ...(token === undefined ? {} : { token }) });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'bad_request' } } });
    expect(JSON.stringify(answer.body)).not.toContain('%zz');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(asked).toEqual([]);
  });

  test.each([1e300, 8.64e15, -1, 1.5])('a time that ends at no date: %s', async (time) => {
    const { ask, asked } = await open();
    const body = { verb: 'hold', services: ['web'], for: time, wait: 0 };
    const answer = await ask({ method: 'POST', path: '/api/command', token: 'operate', body });
    expect({ status: answer.status, asked }).toEqual({ status: 400, asked: [] });
  });

  test.each(['lines=1&lines=2', 'since=1h&since=2h', 'grep=a&grep=b', 'file=a&file=b', 'stream=a&stream=b'])(
    'what can be said once and is said twice: %s',
    async (query) => {
      const { ask, asked } = await open();
      const answer = await ask({ path: `/api/logs?${query}`, token: 'read' });
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'bad_request' } } });
      expect(asked).toEqual([]);
    },
  );

  test.each([
    '/api/logs?lines=abc',
    '/api/logs?lines=-1',
    '/api/logs?service=web&tail=3',
    '/api/history?limit=x',
  ])('words in an address that nobody knows, or that are no number: %s', async (path) => {
    const { ask, asked } = await open();
    const answer = await ask({ path, token: 'read' });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'bad_request' } } });
    expect(asked).toEqual([]);
  });

  test('services that are named one by one are a list, as those between commas are', async () => {
    const { ask, asked } = await open({ answers: { status: () => STATUS, logs: () => NO_LINES } });
    const answer = await ask({ path: '/api/logs?services=a,b&services=c&service=d', token: 'read' });
    expect(answer.status).toBe(200);
    const logs = asked.filter(({ call }) => call === 'logs');
    expect(logs).toMatchObject([{ request: { services: ['d', 'a', 'b', 'c'] } }]);
  });

  test('a service that nobody knows is no empty answer: logs and update', async () => {
    const diff = () => ({ changes: [{ service: 'new', action: 'start' }] });
    const { ask, asked } = await open({ answers: { status: () => STATUS, diff, update: () => ({}) } });
    const unknown = { status: 404, body: { error: { code: 'unknown_service' } } };
    expect(await ask({ path: '/api/logs?services=a,wob', token: 'read' })).toMatchObject(unknown);
    const update = (services: readonly string[]) =>
      ask({ method: 'POST', path: '/api/update', token: 'operate', body: { services } });
    expect(await update(['a', 'wob'])).toMatchObject(unknown);
    expect(asked.map(({ call }) => call)).not.toContain('update');
    // What would come with the update is known, too.
    expect(await update(['a', 'new'])).toMatchObject({ status: 200 });
  });

  test('headers have an end', async () => {
    const { ask } = await open();
    const answer = await ask({ path: '/api/status', token: 'admin', headers: { x: 'y'.repeat(20_000) } });
    expect(answer).toMatchObject({
      status: 431,
      body: { error: { code: 'headers_too_large', message: 'the headers are too large' } },
    });
    expect(answer.headers).toMatchObject(OF_EVERY_ANSWER);
  });

  test.each([
    ['no HTTP', 'GARBAGE\r\n\r\n'],
    ['two lengths', 'POST /api/update HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    ['no Host', 'GET /api/status HTTP/1.1\r\nauthorization: Bearer admin\r\n\r\n'],
  ])('what is no request of HTTP is refused in the words of every refusal: %s', async (_title, text) => {
    const { port, asked } = await open();
    const line = new Line(port);
    line.socket.write(text);
    await line.ended;
    const { status, headers, body } = answerIn(line.heard);
    expect({ status, body, asked }).toEqual({
      status: 400,
      body: { error: { code: 'bad_request', message: expect.any(String) } },
      asked: [],
    });
    expect(headers).toMatchObject({ ...OF_EVERY_ANSWER, connection: 'close' });
  });

  test('a mistake of the daemon is told to its log, and not to the client', async () => {
    const mistake = (): never => {
      throw new Error('secret path /root/x');
    };
    const { ask, told } = await open({ answers: { status: mistake } });
    const answer = await ask({ path: '/api/status', token: 'read' });
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain('secret');
    expect(JSON.stringify(answer.body)).not.toContain(' at ');
    expect(told).toEqual([expect.stringContaining('secret path /root/x')]);
  });
});

describe('time and room', () => {
  test('who says nothing, or half of a request, is sent away', { timeout: 30_000 }, async () => {
    const { port } = await open();
    const silent = new Line(port);
    const slow = new Line(port);
    slow.socket.write('GET /api/status HTTP/1.1\r\nhost: ');
    const half = new Line(port);
    const head = `POST /api/update HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer admin\r\n`;
    half.socket.write(`${head}content-type: application/json\r\ncontent-length: 10\r\n\r\n{`);
    await Promise.all([silent.ended, slow.ended, half.ended]);
    expect([silent, slow, half].filter(({ heard }) => /^HTTP\/1\.1 2/.test(heard))).toEqual([]);
  });

  test('strangers of one address have few places, and keep out nobody with a token', async () => {
    const { port, door, ask } = await open();
    const head = `GET /api/version HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer read\r\n\r\n`;
    const known = new Line(port);
    known.socket.write(head);
    await expect.poll(() => known.heard).toContain('1.2.3');
    const crowd: Line[] = [];
    for (let turn = 0; turn < 4; turn++) {
      crowd.push(...Array.from({ length: 100 }, () => new Line(port)));
      expect((await ask({ path: '/api/version', token: 'read' })).status).toBe(200);
    }
    await expect.poll(() => crowd.filter(({ isOpen }) => isOpen).length).toBeLessThanOrEqual(64);
    expect(door.visitors.count).toBeLessThanOrEqual(64);
    known.heard = '';
    known.socket.write(head);
    await expect.poll(() => known.heard).toContain('1.2.3');
  });
});

describe('TLS', () => {
  test('with a certificate everything is as without', async () => {
    const { ask, port } = await open({ tls: PAIR });
    expect(await ask({ path: '/api/version', token: 'read' })).toMatchObject({
      status: 200,
      body: { version: '1.2.3' },
    });
    expect((await ask({ path: '/api/version' })).status).toBe(401);
    const origin = `https://127.0.0.1:${port}`;
    expect((await ask({ path: '/api/version', token: 'read', headers: { origin } })).status).toBe(200);
  });

  test('without trust in it, or without TLS at all, nothing is answered', async () => {
    const { port } = await open({ tls: PAIR });
    await expect(askTcp({ port, path: '/api/version', token: 'read' })).rejects.toThrow();
    const other = `${PAIR.cert}`.replace(/MII.{20}/, 'MIIB');
    await expect(askTcp({ port, path: '/api/version', token: 'read', ca: other })).rejects.toThrow();
  });

  test('who has shown a token keeps the place under TLS too', async () => {
    const { port } = await open({ tls: PAIR });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const question = { port, path: '/api/version', token: 'read', ca: PAIR.cert, agent };
    await askTcp(question);
    const [kept] = Object.values(agent.freeSockets).flat();
    const crowd: Line[] = [];
    for (let turn = 0; turn < 10; turn++) {
      crowd.push(...Array.from({ length: 20 }, () => new Line(port)));
      expect((await askTcp(question)).status).toBe(200);
    }
    await expect.poll(() => crowd.filter(({ isOpen }) => isOpen).length).toBeLessThan(64);
    expect(Object.values(agent.freeSockets).flat()).toEqual([kept]);
  });
});
