/** Over the control socket: what is told to whoever asks wrongly? */
import { describe, expect, onTestFinished, test } from 'vitest';
import { apiServer } from '../../src/api/server.ts';
import { fakeControl } from './fake-control.ts';
import { Line, listening } from './tcp-client.ts';

function post(url: string, payload?: unknown, headers: Record<string, string> = {}) {
  const app = apiServer(fakeControl().control, () => 0);
  onTestFinished(() => app.close());
  const body = payload === undefined ? {} : { payload: payload as object | string };
  return app.inject({ method: 'POST', url, headers, ...body });
}

async function told(url: string, payload?: unknown, headers: Record<string, string> = {}) {
  const answer = await post(url, payload, headers);
  const { error } = answer.json<{ error: { code: string; message: string } }>();
  return { status: answer.statusCode, ...error };
}

const COMMAND = { verb: 'start', services: ['web'] };
const DEFINE = { name: 'web', command: ['x'], directory: '/srv' };

describe('a body that is not as it should be is told in its own words', () => {
  test.each<[string, unknown, string]>([
    ['wait', { service: 'web', for: 'gone', timeout: 0 }, 'for: write one of ready, stopped, completed'],
    ['wait', { service: 'web', for: 'ready', timeout: -1 }, 'timeout: write at least 0'],
    ['wait', { service: 'web', for: 'ready', timeout: '5s' }, 'timeout: write a whole number'],
    ['command', { command: 'start', services: ['web'] }, 'verb is missing'],
    ['command', { ...COMMAND, services: [] }, 'services: the list is empty'],
    ['command', { ...COMMAND, services: 'web' }, 'services: write a list'],
    ['command', { ...COMMAND, services: ['web', 7] }, 'services[1]: write a text'],
    ['command', { ...COMMAND, services: ['x'.repeat(65)] }, 'services[0]: write at most 64 characters'],
    ['command', { ...COMMAND, instances: 1000 }, 'instances: write at most 999'],
    ['command', { ...COMMAND, by: 'me' }, 'unknown key "by"'],
    ['command', [], 'the body: write an object'],
    ['update', { prune: 'yes' }, 'prune: write true or false'],
    [
      'update',
      { plan: { desired: 'x', changes: [{ service: 'a', action: 'start' }] } },
      'plan.changes[0]: instances is missing',
    ],
    ['update', { plan: { desired: 'x', changes: [], more: 1 } }, 'plan: unknown key "more"'],
    ['define', { ...DEFINE, directory: 'srv' }, 'directory: write an absolute path'],
    ['define', { ...DEFINE, command: ['a\0b'] }, 'command[0]: a NUL character is not possible here'],
    ['define', { ...DEFINE, instances: 'many' }, 'instances: write a whole number, or auto'],
    ['define', { ...DEFINE, port: 0 }, 'port: write at least 1, or auto'],
    ['define', { ...DEFINE, schedule: '' }, 'schedule: the text is empty'],
    ['define', { ...DEFINE, env: { 'A/B': 1 } }, 'env.A/B: write a text'],
    ['shutdown', [], 'the body: write an object or nothing'],
  ])('%s %j', async (call, body, message) => {
    expect(await told(`/api/${call}`, body)).toEqual({ status: 400, code: 'bad_request', message });
  });
});

describe('what is no JSON', () => {
  const json = { 'content-type': 'application/json' };
  test.each<[string, string, Record<string, string>, number, string, string]>([
    [
      'no type',
      '{}',
      {},
      415,
      'unsupported_type',
      'send the body as JSON, with the header Content-Type: application/json',
    ],
    ['nothing', '', json, 400, 'bad_request', 'the body is empty, where Content-Type says that it is JSON'],
    ['half of it', '{"prune":', json, 400, 'bad_request', 'the body is no valid JSON'],
    [
      'too much',
      `"${'x'.repeat(1024 * 1024)}"`,
      json,
      413,
      'too_large',
      'the body is larger than 1048576 bytes',
    ],
  ])('%s', async (_title, body, headers, status, code, message) => {
    expect(await told('/api/update', body, headers)).toEqual({ status, code, message });
  });
});

test('a call that there is not is named as it was made', async () => {
  const message = 'no such call: POST /api/processes/web/foo';
  expect(await told('/api/processes/web/foo')).toEqual({ status: 404, code: 'not_found', message });
  expect(await told('/api/foo')).toMatchObject({ message: 'no such call: POST /api/foo' });
});

describe('what is no request at all', () => {
  async function heard(text: string): Promise<string> {
    const app = apiServer(fakeControl().control, () => 0);
    await app.ready();
    const port = await listening(app.server);
    onTestFinished(() => app.close());
    const line = new Line(port);
    line.socket.write(text);
    await line.ended;
    return line.heard;
  }

  test.each([
    ['GARBAGE\r\n\r\n', 400, 'bad_request'],
    [`GET /health HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['GET /health HTTP/1.1\r\n\r\n', 400, 'bad_request'],
  ])('%j is refused as everything is', async (text, status, code) => {
    const [head = '', body = ''] = (await heard(text)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/^content-type: application\/json/im);
    expect(JSON.parse(body)).toEqual({ error: { code, message: expect.any(String) } });
  });

  test('HTTP/1.0 knows no Host', async () => {
    expect(await heard('GET /api/version HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });
});
