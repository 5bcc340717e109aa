/** What does a request to follow the files do, and to whom? */
import { beforeEach, describe, expect, test } from 'vitest';
import type { UpdateRequest } from '../../src/api/changes.ts';
import { Reconciling } from '../../src/daemon/reconciling.ts';
import { name } from '../builders.ts';
import { GOOD } from '../twins/program.ts';
import { SmallDaemon } from './small-daemon.ts';

let daemon: SmallDaemon;
let reconciling: Reconciling;
let told: string[];
/** Who asks after each pass whether something has come about. */
let waiters: Set<() => void>;

beforeEach(() => {
  daemon = new SmallDaemon();
  told = [];
  waiters = new Set();
  const { loop, clock } = daemon;
  const onPass = loop.onPass.bind(loop);
  loop.onPass = (listener) => {
    const leave = onPass(listener);
    waiters.add(leave);
    return () => {
      waiters.delete(leave);
      leave();
    };
  };
  reconciling = new Reconciling({
    world: { clock },
    loop,
    followed: () => {},
    manager: (event, { changes, failed_services }) => {
      const which = failed_services === undefined ? '' : `: ${failed_services}`;
      told.push(`${event.replace('manager_reload_', '')} ${changes}${which}`);
    },
  });
});

const BY_HAND = { services: [], prune: false, wait: 0, by: 'bob' };

describe('--prune', () => {
  beforeEach(() => {
    for (const service of ['s1', 's2', 's3', 's4', 's5', 's6']) daemon.save(service);
    daemon.loop.reload();
    daemon.pass(1000);
    for (const service of ['s3', 's4', 's5', 's6']) daemon.files.delete(service);
  });

  async function pruned(...services: string[]): Promise<readonly string[]> {
    const { changes } = await reconciling.reconcile({ ...BY_HAND, services, prune: true }, 'update');
    daemon.pass(40_000);
    return changes.map(({ action, service }) => `${action} ${service}`);
  }

  test('removes everything that is held back', async () => {
    await reconciling.reconcile(BY_HAND, 'watch');
    expect(daemon.loop.removals.held).toEqual(['s3', 's4', 's5', 's6']);
    expect(await pruned()).toEqual(['stop s3', 'stop s4', 'stop s5', 'stop s6']);
    expect(daemon.loop.names()).toEqual(['s1', 's2']);
  });

  test('with names removes none of the others, now and later', async () => {
    await reconciling.reconcile(BY_HAND, 'watch');
    expect(await pruned('s1')).toEqual([]);
    expect(daemon.running()).toEqual(['s1', 's2', 's3', 's4', 's5', 's6']);
    expect(await pruned('s3', 's4', 's5')).toEqual(['stop s3', 'stop s4', 'stop s5']);
    expect(daemon.loop.names()).toEqual(['s1', 's2', 's6']);
    // A single removal would be meant; this one is the rest of many.
    await reconciling.reconcile(BY_HAND, 'update');
    daemon.pass(120_000);
    expect(daemon.running()).toEqual(['s1', 's2', 's6']);
    expect(daemon.loop.removals.held).toEqual(['s6']);
    expect(await pruned('s6')).toEqual(['stop s6']);
    expect(daemon.loop.removals.held).toEqual([]);
  });
});

describe('services of which nothing runs, and whose files the guard misses', () => {
  const by = { by: 'bob', at: 0 };

  beforeEach(async () => {
    for (const service of ['stopped', 'none', 'runs']) daemon.save(service);
    daemon.loop.reload();
    daemon.pass(1000);
    daemon.loop.setIntents(
      new Map([
        [name('stopped'), { stopped: by }],
        [name('none'), { scale: { ...by, instances: 0, file: 1 } }],
      ]),
    );
    daemon.pass(40_000);
    expect(daemon.running()).toEqual(['runs']);
    daemon.files.clear();
    await reconciling.reconcile(BY_HAND, 'watch');
  });

  test('are told by diff, each of them', () => {
    const { changes, unchanged, prune } = reconciling.diff();
    const reason = 'its file is gone; pmctl update --prune removes it';
    expect(changes).toEqual([
      { service: 'none', action: 'keep', because: [], reason, instances: 0 },
      { service: 'runs', action: 'keep', because: [], reason, instances: 1 },
      { service: 'stopped', action: 'keep', because: [], reason, instances: 0 },
    ]);
    expect(prune?.services).toEqual(['none', 'runs', 'stopped']);
    expect(unchanged).toBe(0);
  });

  test('are told to be forgotten when their removal is confirmed, and are', async () => {
    const { changes, unchanged } = await reconciling.reconcile({ ...BY_HAND, prune: true }, 'update');
    expect(changes.map(({ action, service, instances }) => [action, service, instances])).toEqual([
      ['forget', 'none', 0],
      ['stop', 'runs', 1],
      ['forget', 'stopped', 0],
    ]);
    expect(unchanged).toBe(0);
    daemon.pass(40_000);
    expect(daemon.loop.names()).toEqual([]);
  });

  test('are told once: what is approved already is on its way', () => {
    expect(daemon.loop.prune()).toBeUndefined();
    expect(reconciling.diff().changes.map(({ action }) => action)).toEqual(['stop']);
  });
});

test('a service that was stopped stays so where its file was away for a moment, in the plan as in the deed', async () => {
  for (const service of ['s1', 's2', 's3', 's4']) daemon.save(service);
  daemon.loop.reload();
  const stopped = { by: 'bob', at: 0 };
  daemon.loop.setIntents(new Map(['s1', 's2'].map((service) => [name(service), { stopped }])));
  daemon.pass(40_000);
  expect(daemon.running()).toEqual(['s3', 's4']);
  for (const service of ['s1', 's2']) daemon.files.delete(service);
  const { prune } = await reconciling.reconcile(BY_HAND, 'watch');
  expect(prune).toBeNull();
  daemon.pass(1000);
  expect(daemon.loop.names()).toEqual(['s3', 's4']);
  expect(reconciling.diff()).toMatchObject({ changes: [], unchanged: 2 });
  for (const service of ['s1', 's2']) daemon.save(service);
  const { changes } = reconciling.diff();
  expect(changes).toEqual(
    ['s1', 's2'].map((service) => {
      return { service, action: 'define', because: [], reason: 'added; stopped by bob', instances: 0 };
    }),
  );
  await reconciling.reconcile(BY_HAND, 'watch');
  daemon.pass(40_000);
  expect(daemon.running()).toEqual(['s3', 's4']);
  expect(daemon.loop.intent(name('s1'))).toEqual({ stopped });
});

test('a named removal is judged by what it removes, in the plan as in the deed', async () => {
  for (const service of ['s1', 's2', 's3', 's4', 's5', 's6']) daemon.save(service);
  daemon.loop.reload();
  daemon.pass(1000);
  for (const service of ['s3', 's4', 's5', 's6']) daemon.files.delete(service);
  const { changes } = await reconciling.reconcile({ ...BY_HAND, services: ['s3'] }, 'update');
  daemon.pass(40_000);
  expect(changes.map(({ action, service }) => `${action} ${service}`)).toEqual(['stop s3']);
  expect(daemon.running()).toEqual(['s1', 's2', 's4', 's5', 's6']);
});

describe('what waits for a service that does not come', () => {
  const LONG = 24 * 60 * 60_000;
  const needing = (description: string) => ({
    description,
    depends_on: { db: 'ready' },
  });

  beforeEach(() => {
    daemon.save('db', { enabled: false });
    daemon.save('x');
    for (const service of ['w1', 'w2', 'w3']) daemon.save(service, needing(''));
    daemon.loop.reload();
    daemon.pass(1000);
  });

  async function follows(trigger: 'watch' | 'HUP'): Promise<void> {
    void reconciling.reconcile({ services: [], prune: false, wait: LONG }, trigger);
    daemon.pass(2000);
    await new Promise(setImmediate);
  }

  test.each(['watch', 'HUP'] as const)('is no change of what it is not about: %s', async (trigger) => {
    for (const description of ['one', 'two', 'three']) {
      daemon.save('x', { description });
      await follows(trigger);
    }
    const lines = told.filter((line) => !line.startsWith('requested'));
    expect(lines).toEqual([
      'started 1',
      'completed 1',
      'started 1',
      'completed 1',
      'started 1',
      'completed 1',
    ]);
    expect(waiters.size).toBe(0);
  });

  test('is waited for once, however often it is changed', async () => {
    for (const description of ['one', 'two', 'three']) {
      daemon.save('w1', needing(description));
      await follows('watch');
    }
    expect(told).toEqual(['started 1', 'started 1', 'completed 1', 'started 1', 'completed 1']);
    expect(waiters.size).toBe(1);
    // Who asks is told of all that is still to come.
    const { changes } = await reconciling.reconcile(BY_HAND, 'update');
    expect(changes.map(({ service, result }) => `${service} ${result}`)).toEqual([
      'w1 pending',
      'w2 pending',
      'w3 pending',
    ]);
    daemon.save('db');
    await follows('watch');
    daemon.pass(5000);
    await new Promise(setImmediate);
    expect(daemon.running()).toEqual(['db', 'w1', 'w2', 'w3', 'x']);
    expect(waiters.size).toBe(0);
  });

  test('is not waited for on account of somebody who has gone', async () => {
    const asker = new AbortController();
    daemon.save('w1', needing('one'));
    const asked = { ...BY_HAND, wait: LONG, gone: asker.signal };
    const answer = reconciling.reconcile(asked, 'update');
    daemon.pass(2000);
    await new Promise(setImmediate);
    const awaited = waiters.size;
    asker.abort();
    await new Promise(setImmediate);
    // What it has brought is still to be told of.
    expect([awaited, waiters.size]).toEqual([3, 1]);
    expect(told).toEqual(['requested undefined', 'started 1']);
    // Until something newer has come.
    daemon.save('w1', needing('two'));
    await follows('watch');
    expect(waiters.size).toBe(1);
    expect((await answer).changes.map(({ service }) => service)).toEqual(['w1', 'w2', 'w3']);
  });
});

describe('a commit that nobody has asked for', () => {
  const synced = (more: Partial<UpdateRequest> = {}) =>
    reconciling.reconcile({ ...BY_HAND, wait: 10_000, ...more }, 'sync');

  beforeEach(() => {
    daemon.install('/bad', { ...GOOD, ends: { how: 'exit', code: 3, after: 50 } });
    for (const service of ['a', 'b']) daemon.save(service);
    daemon.loop.reload();
    daemon.pass(1000);
    daemon.save('a', { process: { command: ['/bad'] }, rollout: { surge: 1 } }, 'b');
  });

  test('answers for the services that it changes, and no others', async () => {
    const first = synced({ own: true });
    daemon.pass(5000);
    expect((await first).changes).toMatchObject([{ service: 'a', result: 'failed', kept: true }]);
    daemon.save('b', { description: 'newer' });
    const second = synced({ own: true });
    daemon.pass(5000);
    expect((await second).changes).toMatchObject([{ service: 'b', result: 'done' }]);
    // Whoever asks is told of all that is not as the files say.
    const byHand = synced();
    daemon.pass(5000);
    expect((await byHand).changes).toMatchObject([{ service: 'a', result: 'failed', kept: true }]);
  });

  test('does not wait for what another one has left under way', async () => {
    daemon.install('/slow', { ...GOOD, onStop: { how: 'dies', after: 3000, code: 0 } });
    daemon.save('c', { process: { command: ['/slow'] }, rollout: { surge: 0 } });
    daemon.loop.reload();
    daemon.pass(5000);
    daemon.save('c', { rollout: { surge: 0 } }, 'b');
    void synced({ own: true });
    daemon.pass(500);
    daemon.save('b', { description: 'newer' });
    const second = synced({ own: true });
    daemon.pass(100);
    expect(daemon.running()).toContain('c');
    expect(await second).not.toHaveProperty('underway');
  });
});

test('the end of an update names what failed, and nothing else', async () => {
  daemon.install('/nosuch', { ...GOOD, there: false });
  daemon.save('good');
  daemon.save('bad', { process: { command: ['/nosuch'] } });
  const view = reconciling.reconcile({ ...BY_HAND, wait: 20_000 }, 'update');
  daemon.pass(20_000);
  await view;
  expect(told.at(-1)).toBe('failed 2: bad');
});
