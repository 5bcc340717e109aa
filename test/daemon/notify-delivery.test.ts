/** How is a message sent, and when is it not? */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Delivered, deliverer, labelOf, signature } from '../../src/daemon/notify-delivery.ts';
import { NOTIFICATIONS, type Notification, type NotifySink } from '../../src/model/notification.ts';
import { TwinFiles } from '../twins/files.ts';

const MESSAGE: Notification = {
  ...{
    id: '1-1',
    event: 'failed',
    at: '2026-02-03T04:05:06.000Z',
    host: 'a',
    service: 'web',
    message: 'web: gone',
  },
};

async function receiver(status: number) {
  const got: { readonly headers: http.IncomingHttpHeaders; readonly body: string }[] = [];
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    got.push({ headers: request.headers, body });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/s3cr3t`, got };
}

function deliver(sink: NotifySink, files = new TwinFiles()): Promise<Delivered> {
  const clock = { wall: () => 1_700_000_000_500 };
  const send = deliverer({
    files,
    clock,
    version: '1.2.3',
    environment: { PATH: '/usr/bin:/bin', TOKEN: 'x' },
  });
  return new Promise((resolve) => {
    send(sink, MESSAGE, resolve);
  });
}

function webhook(url: string, secret_file: string | null = null): NotifySink {
  return { kind: 'webhook', url, secret_file, events: NOTIFICATIONS, timeout: 5000 };
}

test('signed over the time and the body, with the text of the file', async () => {
  const { url, got } = await receiver(200);
  const files = new TwinFiles();
  files.write('/etc/hook.secret', 'key\n', 0o600);
  expect(await deliver(webhook(url, '/etc/hook.secret'), files)).toEqual({ ok: true });
  const [{ headers, body } = { headers: {}, body: '' }] = got;
  expect(JSON.parse(body)).toEqual(MESSAGE);
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'processmaster/1.2.3',
    'x-processmaster-event': 'failed',
    'x-processmaster-timestamp': '1700000000',
    'x-processmaster-signature': `sha256=${signature('key', '1700000000', body)}`,
  });
});

test('the signature is what other programs compute', () => {
  // printf '1700000000.{}' | openssl dgst -sha256 -hmac key
  const digest = '9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae';
  expect(signature('key', '1700000000', '{}')).toBe(digest);
});

test.each<[number, Delivered]>([
  [204, { ok: true }],
  [302, { ok: false, why: 'it answered 302', again: false }],
  [404, { ok: false, why: 'it answered 404', again: false }],
  [408, { ok: false, why: 'it answered 408', again: true }],
  [429, { ok: false, why: 'it answered 429', again: true }],
  [503, { ok: false, why: 'it answered 503', again: true }],
])('status %i', async (status, expected) => {
  const { url, got } = await receiver(status);
  expect(await deliver(webhook(url))).toEqual(expected);
  expect(got[0]?.headers).not.toHaveProperty('x-processmaster-signature');
});

test('never unsigned when it should be signed', async () => {
  const { url, got } = await receiver(200);
  const files = new TwinFiles();
  files.write('/exposed', 'key', 0o644);
  files.write('/empty', '\n', 0o600);
  for (const [path, why] of [
    ['/exposed', /chmod o-r/],
    ['/empty', /is empty/],
    ['/missing', /does not exist/],
  ] as const) {
    expect(await deliver(webhook(url, path), files)).toEqual({
      ok: false,
      again: true,
      why: expect.stringMatching(why),
    });
  }
  expect(got).toEqual([]);
});

test('a command that cannot be is an answer, too', async () => {
  const command = ['/bin/true', 'a\0b'];
  const sink: NotifySink = { kind: 'command', command, events: NOTIFICATIONS, timeout: 1000 };
  expect(await deliver(sink)).toMatchObject({ ok: false, again: false });
});

test('people are told the host of an address, not its path', () => {
  expect(labelOf(webhook('https://u:p@example.org:8443/s3cr3t?key=1'))).toBe('example.org:8443');
});
