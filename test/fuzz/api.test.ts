/** Is every request either answered as it is promised or refused in words, with nothing done, whoever sends what? */
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { FrontDoor } from '../../src/api/front-door.ts';
import { apiServer } from '../../src/api/server.ts';
import { hashOf, ROLES, type Role, type Token } from '../../src/api/tokens.ts';
import { type FakeControl, fakeControl } from '../api/fake-control.ts';
import { serviceView } from '../cli/sample-views.ts';
import { headers, posted, rightBodies, urls } from './requests.ts';
import { fuzz } from './share.ts';

type App = ReturnType<typeof apiServer>;

/** What is injected comes over no connection that could be given up. */
class InjectedDoor extends FrontDoor {
  override get options(): Readonly<Record<string, unknown>> {
    const rewriteUrl = (request: { url: string; socket: { setTimeout?: () => void } }): string => {
      request.socket.setTimeout ??= () => undefined;
      return request.url;
    };
    return { ...super.options, rewriteUrl };
  }
}

const UPDATE = { changes: [], errors: [], warnings: [], unchanged: 0, held: [], prune: null };
const CHANGES = new Set(['update', 'sync', 'command', 'define', 'delete', 'shutdown', 'rollback', 'resume']);
const TOKENS: readonly Token[] = ROLES.map((role) => ({ name: role, role, hash: hashOf(role) }));

let fake: FakeControl;
let socket: App;
let door: App;

beforeAll(async () => {
  const deploys = new Proxy({}, { get: (_, call) => (request: unknown) => note(String(call), request) });
  fake = fakeControl({
    status: () => ({ services: [serviceView('web')], problems: [], prune: null }),
    command: () => ({ results: [{ service: 'web', result: 'done', detail: 'done' }] }),
    update: () => UPDATE,
    logs: () => ({ files: [], logs: [], problems: [] }),
    stats: () => ({ services: [] }),
    wait: () => serviceView('web'),
    why: () => undefined,
  });
  // What the fake knows is what it was made with: only these two are asked otherwise.
  const feed = { flush: () => undefined, since: () => [], subscribe: () => () => undefined };
  const control = new Proxy(fake.control, {
    get: (target, call) =>
      call === 'deploys' ? deploys : call === 'feed' ? feed : Reflect.get(target, call),
  });
  const note = (call: string, request: unknown) => {
    (fake.asked as { call: string; request: unknown }[]).push({ call, request });
    return { unfit: { code: 'unknown_snapshot', message: 'no such snapshot' } };
  };
  const place = { host: '127.0.0.1', port: 80, scheme: 'http' as const, allowed: [] };
  const front = new InjectedDoor({
    now: () => 0,
    tls: null,
    place: () => place,
    tokens: () => TOKENS,
    tell: () => undefined,
  });
  socket = apiServer(control, () => 0);
  door = apiServer(control, () => 0, front);
  await Promise.all([socket.ready(), door.ready()]);
});

afterAll(() => Promise.all([socket.close(), door.close()]));

const who = fc.constantFrom<Role | 'socket' | 'stranger'>('read', 'operate', 'admin', 'socket', 'stranger');

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly more: readonly (readonly [string, string])[];
  readonly as: Role | 'socket' | 'stranger';
}

async function expectAnswer({ method, path, body: payload, more, as }: Sent): Promise<void> {
  const token = as === 'stranger' ? 'wrong' : as;
  const own = as === 'socket' ? {} : { authorization: `Bearer ${token}` };
  const sent = { 'content-type': 'application/json', host: '127.0.0.1', ...Object.fromEntries(more), ...own };
  const before = fake.asked.length;
  const answer = await (as === 'socket' ? socket : door).inject({
    ...{ method: method as 'GET', url: path, headers: sent },
    ...(payload === undefined || method === 'GET' || method === 'HEAD' ? {} : { payload }),
  });
  // A daemon that ends is told so when the answer is on its way.
  await new Promise((resolve) => setImmediate(resolve));
  const asked = fake.asked.slice(before);
  const { statusCode, payload: said } = answer;
  expect([statusCode, said.slice(0, 200)]).toEqual([
    expect.toSatisfy((code) => code >= 200 && code < 500),
    expect.anything(),
  ]);
  expect(said).not.toMatch(/\n\s+at .*[:(]|node_modules|\.ts:\d/);
  const changed = asked.filter(({ call }) => CHANGES.has(call));
  if (statusCode >= 400) {
    // A state that is not there is known to nobody but the one who is asked for it.
    const known = changed.filter(({ call }) => call !== 'rollback' && call !== 'resume');
    expect([statusCode, known]).toEqual([statusCode, []]);
    if (method !== 'HEAD') {
      expect(answer.json()).toEqual({ error: { code: expect.any(String), message: expect.any(String) } });
    }
  }
  if (as === 'stranger') expect(asked).toEqual([]);
  if (as === 'read') expect(changed).toEqual([]);
  if (as === 'operate') {
    for (const { call, request } of changed) {
      expect(['update', 'command', 'rollback', 'resume']).toContain(call);
      expect((request as { prune?: boolean }).prune ?? false).toBe(false);
      expect(['enable', 'disable', 'scale']).not.toContain((request as { verb?: string }).verb);
    }
  }
  for (const { request } of changed) {
    if (as !== 'socket') expect(request).toMatchObject({ by: `token:${as}` });
    expect(Object.getPrototypeOf(request)).toBe(Object.prototype);
  }
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
}

fuzz('api: bodies', fc.tuple(posted, headers, who), ([[route, payload], more, as]) => {
  const [method = '', path = ''] = route.split(' ');
  return expectAnswer({ method, path, body: payload, more, as });
});

fuzz(
  'api: paths and headers',
  fc.tuple(urls, headers, fc.option(rightBodies, { nil: undefined }), who),
  ([{ method, path }, more, payload, as]) => {
    return expectAnswer({ method, path, more, as, ...(payload === undefined ? {} : { body: payload }) });
  },
);
