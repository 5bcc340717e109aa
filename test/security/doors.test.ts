/** Are the doors of the API as narrow as they are said to be? */
import { readFileSync } from 'node:fs';
import { connect, type SecureVersion } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { FrontDoor } from '../../src/api/front-door.ts';
import { apiServer } from '../../src/api/server.ts';
import { hashOf } from '../../src/api/tokens.ts';
import { TokenBook } from '../../src/daemon/token-book.ts';
import type { FileStatus } from '../../src/world/world.ts';
import { fakeControl } from '../api/fake-control.ts';
import { listening } from '../api/tcp-client.ts';

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../api/fixtures/${name}`, import.meta.url)), 'utf8');

/** Answers the version that both agreed on, or the code of the refusal. */
function shakeHands(port: number, version: SecureVersion): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      ...{ port, host: '127.0.0.1', rejectUnauthorized: false },
      ...{ minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' },
    });
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol() ?? '');
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

test('TLS begins at 1.2, whatever the daemon was started with, also after the certificate was renewed', async () => {
  const pair = { cert: fixture('localhost.crt'), key: fixture('localhost.key') };
  const door = new FrontDoor({
    ...{ now: () => Date.now(), tls: pair, tokens: () => [], tell: () => undefined },
    place: () => ({ host: '127.0.0.1', port: 0, scheme: 'https', allowed: [] }),
  });
  const { https } = door.options as { https: { minVersion?: string } };
  expect(https.minVersion).toBe('TLSv1.2');
  const app = apiServer(fakeControl().control, () => Date.now(), door);
  await app.ready();
  const port = await listening(app.server);
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  expect(await shakeHands(port, 'TLSv1.3')).toBe('TLSv1.3');
  expect(await shakeHands(port, 'TLSv1.2')).toBe('TLSv1.2');
  expect(await shakeHands(port, 'TLSv1.1')).toMatch(/^ERR_SSL|ECONNRESET|EPROTO/);
});

test('a file of tokens that is exchanged between the look at its rights and the reading lets nobody in', () => {
  const status: FileStatus = { kind: 'file', size: 1, mode: 0o600, uid: 0, gid: 0, version: '1' };
  const line = (name: string) => `${name} admin ${hashOf(name)}\n`;
  let statusNow = status;
  let text = line('root');
  let meanwhile = (): void => undefined;
  const book = new TokenBook('/tokens', {
    files: {
      status: () => statusNow,
      read: () => {
        meanwhile();
        return text;
      },
    },
    users: { self: { user: 'root', uid: 0, gid: 0 } as never },
    complain: () => undefined,
  });
  const names = () => book.tokens.map(({ name }) => name);
  expect(names()).toEqual(['root']);
  // He moves his own file there for a moment, and the right one back: which changes its time.
  let changes = 1;
  const changed = (): FileStatus => ({ ...status, version: String(++changes) });
  statusNow = changed();
  meanwhile = () => {
    text = line('mallory');
    statusNow = changed();
  };
  expect(names()).toEqual([]);
  // Who replaces the file once, as `pmctl token` does, locks nobody out.
  meanwhile = () => {
    if (text !== line('root')) statusNow = changed();
    text = line('root');
  };
  expect(names()).toEqual(['root']);
});
