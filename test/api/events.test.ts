/** Do events reach those who listen over real sockets, and does somebody who does not read harm nobody? */
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import fastify from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventRoutes } from '../../src/api/event-routes.ts';
import type { StreamLimits } from '../../src/api/event-stream.ts';
import { Journal } from '../../src/daemon/journal.ts';
import type { ServiceName } from '../../src/model/names.ts';
import { systemClock } from '../../src/world/clock.ts';
import { EventFiles } from '../../src/world/event-files.ts';

const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

interface Served {
  readonly port: number;
  readonly journal: Journal;
  readonly directory: string;
  add(count: number, service?: string, text?: string): void;
  connections(): number;
}

async function served(limits?: Partial<StreamLimits>, maxSize = 10_000_000): Promise<Served> {
  const directory = fs.mkdtempSync(join(tmpdir(), 'pm-events-'));
  const clock = systemClock();
  const journal = new Journal({
    files: new EventFiles(directory, maxSize),
    clock,
    log: SILENT,
    wrote: () => {},
  });
  const app = fastify({ forceCloseConnections: true });
  eventRoutes(app, journal, () => clock.now(), { heartbeat: 15_000, patience: 10_000, ...limits });
  const sockets = new Set<net.Socket>();
  app.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await app.close();
    journal.close();
    fs.rmSync(directory, { recursive: true, force: true });
  });
  let number = 0;
  const add = (count: number, service = 'web', text = ''): void => {
    for (let index = 0; index < count; index++) {
      number += 1;
      journal.add({
        at: clock.now(),
        name: 'thing',
        service: service as ServiceName,
        fields: { number, text },
      });
    }
  };
  return {
    port: (app.server.address() as AddressInfo).port,
    journal,
    directory,
    add,
    connections: () => sockets.size,
  };
}

interface Heard {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  text(): string;
  readonly over: Promise<void>;
  close(): void;
}

function listen(port: number, path: string, headers: Record<string, string> = {}): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', () => {});
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text: () => text,
        over: new Promise((done) => response.on('close', done)),
        close: () => request.destroy(),
      });
    });
    request.on('error', reject);
    onTestFinished(() => {
      request.destroy();
    });
  });
}

const SSE = { accept: 'text/event-stream' };

async function until(what: string, is: () => boolean, seen: () => unknown): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!is()) {
    if (Date.now() > deadline) throw new Error(`waited for ${what}; seen: ${String(seen()).slice(-2000)}`);
    await after(5);
  }
}

function numbers(text: string): readonly number[] {
  return [...text.matchAll(/"number":(\d+)/g)].map(([, number]) => Number(number));
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

async function hears(heard: Heard, expected: readonly number[]): Promise<void> {
  await until(`${expected.length} events`, () => numbers(heard.text()).length >= expected.length, heard.text);
  expect(numbers(heard.text())).toEqual(expected);
}

describe('server-sent events', () => {
  test('what has happened and what happens, each with its number, its name and its JSON', async () => {
    const { port, add, journal } = await served();
    add(1, 'web', 'a\nb');
    const heard = await listen(port, '/api/events', SSE);
    expect([heard.status, heard.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
    await hears(heard, [1]);
    add(1);
    await hears(heard, [1, 2]);
    const [first = '', second = ''] = heard.text().split('\n\n').slice(1);
    expect(first.split('\n')).toEqual([
      `id: ${journal.last - 1}`,
      'event: thing',
      expect.stringMatching(/^data: \{.*"fields":\{"number":1,"text":"a\\nb"\}.*\}$/),
    ]);
    expect(JSON.parse(second.split('data: ')[1] ?? '')).toMatchObject({
      id: journal.last,
      service: 'web',
      name: 'thing',
    });
  });

  test('somebody who comes back misses nothing and hears nothing twice', async () => {
    const { port, add, journal } = await served();
    add(5);
    const known = journal.last;
    add(3);
    const comesBack = await listen(port, '/api/events?after=1', { ...SSE, 'last-event-id': String(known) });
    await hears(comesBack, [6, 7, 8]);
    const byAddress = await listen(port, `/api/events?after=${known}`, SSE);
    await hears(byAddress, [6, 7, 8]);
    add(1);
    await hears(comesBack, [6, 7, 8, 9]);
    expect(comesBack.text()).not.toContain('event: gap');
  });

  test('more than is in memory comes from disk, in order', async () => {
    const { port, add } = await served();
    add(5000);
    const heard = await listen(port, '/api/events', SSE);
    await hears(heard, range(1, 5000));
    add(2500);
    await hears(heard, range(1, 7500));
  });

  test('only those of the services that are asked for', async () => {
    const { port, add } = await served();
    add(2, 'web');
    add(1, 'db');
    const heard = await listen(port, '/api/events?service=db&service=cache', SSE);
    await hears(heard, [3]);
    add(1, 'web');
    add(1, 'cache');
    await hears(heard, [3, 5]);
  });

  test('that something is not kept any more is said, and so is a number that nobody knows', async () => {
    const { port, add, journal } = await served({}, 20_000);
    add(1);
    const old = journal.last;
    add(6000, 'web', 'x'.repeat(100));
    journal.flush();
    const heard = await listen(port, '/api/events', { ...SSE, 'last-event-id': String(old) });
    await until('the newest', () => numbers(heard.text()).includes(6001), heard.text);
    const [marker = ''] = heard.text().split('\n\n').slice(1);
    expect(marker).toMatch(new RegExp(`^event: gap\\ndata: \\{"after":${old},`));
    const unknown = await listen(port, '/api/events', {
      ...SSE,
      'last-event-id': String(journal.last + 1000),
    });
    await until('the marker', () => unknown.text().includes('event: gap'), unknown.text);
    add(1);
    await hears(unknown, [6002]);
  });

  test('a sign of life when nothing happens', async () => {
    const { port } = await served({ heartbeat: 20 });
    const heard = await listen(port, '/api/events', SSE);
    await until(
      'two heartbeats',
      () =>
        heard
          .text()
          .split('\n\n')
          .filter((one) => one === ':').length >= 2,
      heard.text,
    );
  });

  test('somebody who does not read is cut off, others hear everything, and nothing piles up', async () => {
    const { port, add, connections } = await served({ patience: 2000 });
    const slow = net.connect({ host: '127.0.0.1', port });
    onTestFinished(() => {
      slow.destroy();
    });
    let isOver = false;
    slow
      .on('error', () => {})
      .on('close', () => {
        isOver = true;
      });
    slow.write('GET /api/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n');
    slow.pause();
    const other = await listen(port, '/api/events', SSE);
    const before = process.memoryUsage().external + process.memoryUsage().arrayBuffers;
    // 16 MB: more than both ends of a connection ever take.
    for (let part = 1; part <= 40; part++) {
      add(100, 'web', 'x'.repeat(4000));
      const newest = `"number":${part * 100},`;
      await until(
        newest,
        () => other.text().slice(-6000).includes(newest),
        () => numbers(other.text()).length,
      );
    }
    expect(numbers(other.text())).toEqual(range(1, 4000));
    const grown = process.memoryUsage().external + process.memoryUsage().arrayBuffers - before;
    expect(grown).toBeLessThan(40_000_000);
    // A socket that is paused does not notice its end by itself: it has to read what was sent before.
    await until('one connection', () => connections() === 1, connections);
    slow.resume();
    await until(
      'the end of the slow one',
      () => isOver,
      () => slow.bytesRead,
    );
    expect(slow.bytesRead).toBeLessThan(16_000_000);
  });
});

describe('JSON lines', () => {
  test('what has happened, then the end', async () => {
    const { port, add, journal } = await served();
    add(3);
    const heard = await listen(port, `/api/events?after=${journal.last - 2}`);
    await heard.over;
    expect(heard.headers['content-type']).toBe('application/x-ndjson');
    expect(numbers(heard.text())).toEqual([2, 3]);
    for (const line of heard.text().trimEnd().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ name: 'thing' });
  });

  test.each([
    ['last=2', [4, 5]],
    ['since=1h&services=web', [1, 2, 3, 4, 5]],
    ['since=2099-01-01T00:00:00Z', []],
  ])('%s', async (query, expected) => {
    const { port, add } = await served();
    add(5);
    const heard = await listen(port, `/api/events?${query}`);
    await heard.over;
    expect(numbers(heard.text())).toEqual(expected);
  });

  test('however many listen, what has happened can still be asked for', async () => {
    const { port, add } = await served();
    add(1);
    const listeners = await Promise.all(
      Array.from({ length: 130 }, () => listen(port, '/api/events?follow=1')),
    );
    expect(listeners.filter(({ status }) => status === 503)).toHaveLength(2);
    const asked = await listen(port, '/api/events');
    await asked.over;
    expect([asked.status, numbers(asked.text())]).toEqual([200, [1]]);
  });

  test('follow=1 goes on', async () => {
    const { port, add } = await served();
    add(2);
    const heard = await listen(port, '/api/events?follow=1&last=1');
    await hears(heard, [2]);
    add(1);
    await hears(heard, [2, 3]);
  });

  test.each(['after=-1', 'after=x', 'since=soon', 'last=many', 'after=1&after=2'])(
    '%s is refused',
    async (query) => {
      const { port } = await served();
      expect((await listen(port, `/api/events?${query}`)).status).toBe(400);
    },
  );
});

test('what was told before a restart, or a crash, is told after it, by lower numbers', async () => {
  const { port, add, journal, directory } = await served();
  add(3);
  await (await listen(port, '/api/events')).over;
  // The first one never ends properly.
  const clock = systemClock();
  const later = new Journal({
    files: new EventFiles(directory, 1_000_000),
    clock,
    log: SILENT,
    wrote: () => {},
  });
  later.add({ at: clock.now(), name: 'manager_started', fields: {} });
  expect(later.last).toBeGreaterThan(journal.last);
  const told: string[] = [];
  for await (const { events } of later.read({ services: [] })) told.push(...events.map(({ name }) => name));
  expect(told).toEqual(['thing', 'thing', 'thing', 'manager_started']);
  expect(later.hasGapAfter(journal.last)).toBe(false);
  later.close();
});
