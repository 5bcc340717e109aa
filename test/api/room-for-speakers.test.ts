/** Can somebody who fills all places keep those out who have something to ask? */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { keepRoomForSpeakers } from '../../src/api/room-for-speakers.ts';
import { askTcp, listening } from './tcp-client.ts';

const MOST = 40;

/** `/waits` answers when it is told to; `/much` answers more than anybody takes who does not read. */
async function open() {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let waiting = 0;
  let much = 0;
  const app = fastify({ forceCloseConnections: true });
  keepRoomForSpeakers(app.server, MOST);
  app.get('/', async () => ({ ok: true }));
  app.get('/waits', async () => {
    waiting += 1;
    await released;
    return { ok: true };
  });
  app.get('/much', async () => {
    much += 1;
    return Buffer.alloc(16 * 1024 * 1024);
  });
  app.post('/', async () => ({ ok: true }));
  await app.ready();
  const port = await listening(app.server);
  let newest: Socket | undefined;
  app.server.on('connection', (socket) => {
    newest = socket;
  });
  /** Comes, says this and nothing more, and never reads; fulfilled when the server has heard it. */
  const visitor = async (says: string): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    socket.pause();
    socket.write(says);
    await once(socket, 'connect');
    const isHeard = () => newest?.remotePort === socket.localPort && newest?.bytesRead === says.length;
    await expect.poll(isHeard, { interval: 1 }).toBe(true);
  };
  onTestFinished(async () => {
    release();
    app.server.closeAllConnections();
    await app.close();
  });
  return { port, visitor, release, waiting: () => waiting, much: () => much };
}

const HEAD = 'HTTP/1.1\r\nhost: a\r\n';

test.each([
  ['half of a head', 'GET / HT'],
  ['half of a body', `POST / ${HEAD}content-type: application/json\r\ncontent-length: 9\r\n\r\n{`],
  ['a request whose answer they do not take', `GET /much ${HEAD}\r\n`],
])('those who have said %s give way', async (_title, says) => {
  const { port, much, visitor } = await open();
  for (let count = 0; count < MOST * 2; count++) {
    await visitor(says);
    expect((await askTcp({ port, path: '/' })).status).toBe(200);
  }
  if (says.includes('/much')) expect(much()).toBeGreaterThan(MOST);
  expect((await askTcp({ port, path: '/' })).status).toBe(200);
});

test('whoever waits for an answer keeps the place', async () => {
  const { port, waiting, release, visitor } = await open();
  const patient = Array.from({ length: 4 }, () => askTcp({ port, path: '/waits' }));
  await expect.poll(waiting).toBe(4);
  for (let count = 0; count < MOST * 2; count++) {
    await visitor('GET / HT');
  }
  release();
  expect((await Promise.all(patient)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});
