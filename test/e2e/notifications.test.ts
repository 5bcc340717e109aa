/** Is somebody told, once, that a service has failed, and once that it is back, and can he trust it? */
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { GROUND } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { SLEEP } from './services.ts';

interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly message: { readonly event: string; readonly service?: string; readonly id: string };
}

/** A server that answers each request with the next of these statuses, and then with 200. */
async function receiver(
  ...statuses: readonly number[]
): Promise<{ readonly url: string; readonly got: readonly Got[] }> {
  const got: Got[] = [];
  const left = [...statuses];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    got.push({ path: request.url ?? '', headers: request.headers, body, message: JSON.parse(body) });
    response.writeHead(left.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=s3cr3t`, got };
}

function told(got: readonly Got[]): readonly string[] {
  return got.map(({ message: { event, service } }) => `${event} ${service ?? ''}`.trim());
}

async function tells(host: Host, got: readonly Got[], expected: readonly string[]): Promise<void> {
  await host.until(
    `${expected.length} messages`,
    () => (got.length >= expected.length ? true : undefined),
    () => [told(got), host.stderr.slice(-3000)],
  );
  expect(told(got)).toEqual(expected);
}

/** It runs as long as a file says so, and is given up soon. */
function fragile(host: Host): object {
  return {
    process: { command: ['/bin/sh', '-c', `[ -e ${host.work}/good ] || exit 3; exec sleep 600`] },
    restart_policy: {
      restart_backoff: '10ms',
      stable_after: '200ms',
      tolerance: { max_restarts: 2, duration: '1m', retry_after: '100ms' },
    },
  };
}

test('a service that fails is told once, signed, and that it is back once; also over a restart of the daemon', async () => {
  const { url, got } = await receiver();
  const host = openHost({ ground: GROUND });
  const secret = join(host.work, 'hook.secret');
  fs.writeFileSync(secret, 'the-secret\n', { mode: 0o600 });
  if (GROUND.user === 'nobody') fs.chownSync(secret, 65_534, 65_534);
  host.settings['notify'] = [{ url, secret_file: secret }];
  host.service('web', { ...fragile(host) });
  host.service('other', SLEEP);
  await host.start();
  await tells(host, got, ['failed web']);
  const [first] = got;
  if (first === undefined) throw new Error('nothing was told');
  const { body, headers, path } = first;
  const timestamp = String(headers['x-processmaster-timestamp']);
  const expected = createHmac('sha256', 'the-secret').update(`${timestamp}.${body}`).digest('hex');
  expect(headers['x-processmaster-signature']).toBe(`sha256=${expected}`);
  expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60);
  expect(path).toBe('/hook?key=s3cr3t');
  expect(JSON.parse(body)).toMatchObject({
    event: 'failed',
    service: 'web',
    message: expect.stringContaining('web: '),
  });

  const tellings = async (count: number): Promise<string> =>
    host.until(`${count} tellings in the journal`, async () => {
      const { stdout, json } = await host.pmctl('events', 'web', '--json', '-n', '1000');
      const known = json.events.filter(({ name }: { name: string }) => name === 'notified');
      return known.length === count ? stdout : undefined;
    });
  await tellings(1);
  await host.crash();
  await host.start();
  // It goes on failing all the while; what could be told again would have been told by then.
  const before = host.lifecycle('worker_exited').length;
  await host.until('more failures', () =>
    host.lifecycle('worker_exited').length > before + 3 ? true : undefined,
  );
  expect(told(got)).toEqual(['failed web']);

  fs.writeFileSync(join(host.work, 'good'), '');
  await tells(host, got, ['failed web', 'recovered web']);
  const events = await tellings(2);
  const everything = `${host.story()}${events}${fs.readFileSync(join(host.state, 'notified.json'), 'utf8')}`;
  expect(everything).not.toMatch(/s3cr3t|the-secret/);
});

test('a server that is down is asked again; what it refuses for good is not, and that is told', async () => {
  const { url, got } = await receiver(503, 500);
  const refusing = await receiver(404);
  const host = openHost({
    ground: GROUND,
    settings: { notify: [{ url }, { url: refusing.url, events: ['failed'] }] },
  });
  host.service('web', { ...fragile(host) });
  await host.start();
  await tells(host, got, ['failed web', 'failed web', 'failed web']);
  expect(new Set(got.map(({ message }) => message.id)).size).toBe(1);
  await host.until(
    'the refusal to be told',
    async () =>
      (await host.pmctl('events', 'web', '--since', '1h')).stdout.includes(
        'could not be told: failed: it answered 404',
      )
        ? true
        : undefined,
    () => host.stderr,
  );
  expect(refusing.got).toHaveLength(1);
  expect(host.stderr).toContain('did not reach 127.0.0.1:');
  expect(host.stderr).not.toContain('s3cr3t');
});

test('a command is told of a broken file, of its repair, and of a new definition that failed', async () => {
  const host = openHost({ ground: GROUND });
  const file = join(host.work, 'messages');
  host.settings['notify'] = [
    {
      command: [
        '/bin/sh',
        '-c',
        `cat >> ${file}; echo "$PROCESSMASTER_NOTIFY_EVENT $PROCESSMASTER_NOTIFY_SERVICE" >> ${file}.names`,
      ],
    },
  ];
  host.service('web', SLEEP);
  await host.start();
  await host.runs('web');
  host.write('bad.yaml', 'process: [');
  await host.says('messages.names', (text) => text === 'configuration_invalid \n');
  host.remove('bad.yaml');
  await host.says('messages.names', (text) => text === 'configuration_invalid \nconfiguration_fixed \n');
  host.service('web', 'exit 4');
  await host.says('messages.names', (text) => text.endsWith('configuration_fixed \nrolled_back web\n'));
  host.service('web', SLEEP);
  await host.says('messages.names', (text) => text.endsWith('rolled_back web\nrecovered web\n'));
  const messages = host.said('messages').trimEnd().split('\n');
  expect(messages.map((line) => JSON.parse(line).event)).toEqual([
    'configuration_invalid',
    'configuration_fixed',
    'rolled_back',
    'recovered',
  ]);
});
