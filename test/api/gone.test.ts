/** Is the wait of a request ended when its connection is closed? */
import { once } from 'node:events';
import { request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { MayGo } from '../../src/api/may-go.ts';
import { apiServer } from '../../src/api/server.ts';
import { fakeControl } from './fake-control.ts';
import { askTcp, listening } from './tcp-client.ts';

const CALLS: readonly (readonly [path: string, body: object])[] = [
  ['/api/wait', { service: 'web', for: 'ready', timeout: 60_000 }],
  ['/api/command', { verb: 'start', services: ['web'] }],
  ['/api/update', {}],
  ['/api/sync', {}],
  ['/api/define', { name: 'web', command: ['sleep'], directory: '/' }],
  ['/api/delete', { services: ['web'] }],
  ['/api/rollback', {}],
  ['/api/resume', {}],
  ['/api/processes/reload', {}],
  ['/api/processes/web/start', {}],
];

/** Every question waits until who asked has gone, or `answer` is called. */
async function open() {
  const seen: AbortSignal[] = [];
  let tell = (): void => undefined;
  const heard = new Promise<void>((resolve) => {
    tell = resolve;
  });
  let answer = (): void => undefined;
  const told = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const waits = async ({ gone }: MayGo): Promise<object> => {
    if (gone === undefined) throw new Error('nobody can tell whether anybody waits');
    seen.push(gone);
    tell();
    const left = new Promise<void>((resolve) => gone.addEventListener('abort', () => resolve()));
    await Promise.race([left, told]);
    return { results: [], changes: [] };
  };
  const calls = ['wait', 'command', 'update', 'sync', 'define', 'delete'];
  const deploys = { rollback: waits, resume: waits };
  const control = new Proxy(fakeControl().control, {
    get: (target, call) =>
      call === 'deploys' ? deploys : calls.includes(String(call)) ? waits : Reflect.get(target, call),
  });
  const app = apiServer(control, () => 0);
  await app.ready();
  const port = await listening(app.server);
  onTestFinished(() => app.close());
  return { port, heard, answer, seen };
}

test.each(CALLS)('POST %s', async (path, body) => {
  const { port, heard, seen } = await open();
  const headers = { 'content-type': 'application/json' };
  const asked = request({ host: '127.0.0.1', port, path, method: 'POST', agent: false, headers });
  const answered = once(asked, 'response').then(() => Promise.reject(new Error('it was answered')));
  asked.end(JSON.stringify(body));
  await Promise.race([heard, answered]);
  expect(seen.map(({ aborted }) => aborted)).toEqual([false]);
  const [gone] = seen;
  if (gone === undefined) throw new Error('nothing was asked');
  const left = once(gone, 'abort');
  asked.destroy();
  await Promise.allSettled([left, answered]);
  expect(gone.aborted).toBe(true);
});

test('who waits is answered', async () => {
  const { port, heard, answer, seen } = await open();
  const asked = askTcp({
    port,
    path: '/api/command',
    method: 'POST',
    body: { verb: 'start', services: ['web'] },
  });
  await heard;
  expect(seen.map(({ aborted }) => aborted)).toEqual([false]);
  answer();
  expect((await asked).status).toBe(200);
});
