import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type PostResult, post } from '../../src/world/webhook.ts';

type Handler = (request: http.IncomingMessage, body: string, response: http.ServerResponse) => void;

async function server(handle: Handler): Promise<string> {
  const one = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    handle(request, body, response);
  });
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    one.closeAllConnections();
    await new Promise((resolve) => one.close(resolve));
  });
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
}

function send(url: string, timeout = 5000): Promise<PostResult> {
  return new Promise((resolve) => {
    post(
      { url, headers: { 'content-type': 'application/json', 'x-a': 'b' }, body: '{"ä":1}', timeout },
      resolve,
    );
  });
}

test('one POST with the body and the headers', async () => {
  const seen: unknown[] = [];
  const url = await server(({ method, headers, url: path }, body, response) => {
    seen.push([method, path, headers['x-a'], body]);
    response.writeHead(204).end();
  });
  expect(await send(`${url}/hook?key=1`)).toEqual({ status: 204 });
  expect(seen).toEqual([['POST', '/hook?key=1', 'b', '{"ä":1}']]);
});

test('a redirect is an answer like any other', async () => {
  let calls = 0;
  const url = await server((_request, _body, response) => {
    calls += 1;
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect(await send(url)).toEqual({ status: 307 });
  expect(calls).toBe(1);
});

test('no answer in time, an answer without end, a connection that breaks off, nobody there', async () => {
  expect(await send(await server(() => {}), 50)).toEqual({ failed: 'no answer within 0.05 s' });
  expect(
    await send(await server((_request, _body, response) => void response.writeHead(200).write('x'))),
  ).toEqual({
    status: 200,
  });
  const breaks = await server((request) => request.socket.destroy());
  expect(await send(breaks)).toEqual({ failed: expect.stringContaining('ECONNRESET') });
  const gone = 'http://127.0.0.1:1/secret';
  const refused = await send(gone);
  expect(refused).toEqual({ failed: expect.stringContaining('ECONNREFUSED') });
  expect(JSON.stringify(refused)).not.toContain('secret');
});

test('an answer may take longer than a timer can count', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const url = await server(() => undefined);
  const days = 30 * 24 * 3600 * 1000;
  const told = vi.fn();
  post({ url, headers: {}, body: '', timeout: days }, told);
  vi.advanceTimersByTime(days - 1);
  expect(told).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(told).toHaveBeenCalledExactlyOnceWith({ failed: 'no answer within 2592000 s' });
});
