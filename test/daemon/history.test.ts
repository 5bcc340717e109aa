/** Which applied states are written down, what becomes of them, and to which does one go back? */
import { describe, expect, test } from 'vitest';
import type { Commit, Trigger } from '../../src/api/deploys.ts';
import { lastGood } from '../../src/daemon/history-views.ts';
import { resultOf, Snapshots } from '../../src/daemon/snapshots.ts';
import { name } from '../builders.ts';
import { Place, soon } from './history-place.ts';

test('an entry tells what changed against the one before', async () => {
  const place = new Place();
  await place.apply({ a: '1', b: '1', c: '1' });
  await place.apply({ a: '2', b: '1', d: '1' });
  const [newest] = place.snapshots.all();
  expect(newest).toMatchObject({ number: 2, by: 'bob', added: ['d'], changed: ['a'], removed: ['c'] });
  expect(newest?.files.map(({ path }) => path)).toEqual(['a.yaml', 'b.yaml', 'd.yaml']);
});

test('the same state applied again is no new entry, an older one is, with its id', async () => {
  const place = new Place();
  await place.apply({ a: '1' });
  await place.apply({ a: '1' });
  await place.apply({ a: '2' });
  await place.apply({ a: '1' });
  const ids = place.snapshots.all().map(({ id }) => id);
  expect(ids).toHaveLength(3);
  expect(ids[0]).toBe(ids[2]);
});

test('a directory that cannot be read is no state', async () => {
  const place = new Place();
  await place.apply({ a: '1' });
  place.desired = { ...place.desired, services: new Map(), readable: false };
  place.history.applied({ trigger: 'watch', by: null });
  await place.history.settled();
  expect(place.snapshots.all()).toHaveLength(1);
});

describe('the outcome', () => {
  test('is written when it is known; what failed has failed until it has come up', async () => {
    const place = new Place();
    await place.apply({ a: '1', b: '1' });
    expect(place.results()).toEqual([['update', { a: 'pending', b: 'pending' }]]);
    place.stands.set('a', 'up').set('b', 'failed');
    place.later(300);
    expect(place.results()).toEqual([['update', { a: 'converged', b: 'failed' }]]);
    place.stands.set('b', 'waiting');
    place.later(10_000);
    expect(place.results()).toEqual([['update', { a: 'converged', b: 'failed' }]]);
    place.stands.set('b', 'up');
    place.later(10_000);
    expect(place.results()).toEqual([['update', { a: 'converged', b: 'converged' }]]);
    expect(new Snapshots(place.files, '/state', soon).latest()?.results).toEqual({
      a: 'converged',
      b: 'converged',
    });
  });

  test('of a one-shot is known when it has ended, not while it runs', async () => {
    const place = new Place();
    place.type = 'oneshot';
    await place.apply({ a: '1', b: '1' });
    place.stands.set('a', 'up').set('b', 'up');
    // However long that takes.
    place.later(5 * 3600_000);
    expect(place.results()).toEqual([['update', { a: 'pending', b: 'pending' }]]);
    place.stands.set('a', 'completed').set('b', 'failed');
    place.later(60_000);
    expect(place.results()).toEqual([['update', { a: 'converged', b: 'failed' }]]);
  });

  test('of what has come up before something else is followed is known, however soon that is', async () => {
    const place = new Place();
    await place.apply({ a: '1', b: '1' });
    place.stands.set('a', 'up').set('b', 'failed');
    place.history.look();
    await place.apply({ a: '2', b: '2' });
    expect(place.results()[1]).toEqual(['update', { a: 'converged', b: 'failed' }]);
  });

  test('of the newer is not taken for that of the older while the newer is not written down', async () => {
    const place = new Place();
    await place.apply({ a: '1' });
    place.stands.set('a', 'up');
    const written = place.apply({ a: '2' });
    place.history.look();
    await written;
    expect(place.results()[1]).toEqual(['update', { a: 'pending' }]);
  });

  test('is found out by the next daemon when the first one did not live to see it', async () => {
    const first = new Place();
    await first.apply({ a: '1' });
    await first.history.close();
    const next = new Place(first.files);
    next.stands.set('a', 'up');
    await next.apply({ a: '1' });
    next.later(300);
    expect(next.results()).toEqual([['update', { a: 'converged' }]]);
  });

  test('of what one entry has brought is told by that entry, also when something else was applied since', async () => {
    const place = new Place();
    place.stands.set('b', 'up');
    await place.apply({ a: '1', b: '1' });
    place.later(300);
    await place.apply({ a: '1', b: '2' });
    place.later(300);
    expect(place.results().map(([, results]) => results)).toEqual([
      { b: 'converged' },
      { a: 'pending', b: 'converged' },
    ]);
    place.stands.set('a', 'failed');
    place.later(10_000);
    expect(place.results().map(([, results]) => results)).toEqual([
      { b: 'converged' },
      { a: 'failed', b: 'converged' },
    ]);
    place.stands.set('a', 'up');
    place.later(10_000);
    expect(place.results()[1]?.[1]).toEqual({ a: 'converged', b: 'converged' });
  });

  test('is how the service stood when something else was applied, whatever has brought it', async () => {
    const place = new Place();
    await place.apply({ a: '1', b: '1' });
    place.stands.set('a', 'up').set('b', 'up');
    place.later(300);
    await place.apply({ a: '1', b: '2' });
    place.later(300);
    place.stands.set('a', 'failed');
    place.history.look();
    expect(place.results().map(([, results]) => results)).toEqual([
      { a: 'failed', b: 'converged' },
      { a: 'converged', b: 'converged' },
    ]);
    place.stands.set('a', 'waiting');
    place.history.look();
    expect(place.results()[0]).toEqual(['update', { a: 'failed', b: 'converged' }]);
    place.stands.set('a', 'up');
    place.history.look();
    expect(place.results()[0]).toEqual(['update', { a: 'converged', b: 'converged' }]);
  });

  test('of what was changed again before it was known stays open', async () => {
    const place = new Place();
    await place.apply({ a: '1' });
    await place.apply({ a: '2' });
    place.stands.set('a', 'up');
    place.later(10_000);
    expect(place.results().map(([, results]) => results)).toEqual([{ a: 'converged' }, { a: 'pending' }]);
  });

  test('of an update that failed by something older is a failure of what brought it', async () => {
    const place = new Place();
    await place.apply({ a: '1', b: '1' });
    await place.apply({ a: '1', b: '2' });
    place.history.failed(name('a'));
    await place.history.settled();
    expect(place.results().map(([, results]) => results)).toEqual([
      { b: 'pending' },
      { a: 'failed', b: 'pending' },
    ]);
  });

  test('is not written any more to an entry that has been cleared away', async () => {
    const place = new Place();
    for (let count = 0; count <= 51; count++) await place.apply({ a: '1', b: String(count) });
    place.stands.set('a', 'up').set('b', 'up');
    place.later(10_000);
    expect(place.snapshots.all().map(({ number }) => number)).not.toContain(1);
  });

  test('of a removed service is that nothing is left', async () => {
    const place = new Place();
    await place.apply({ a: '1', b: '1' });
    await place.apply({ b: '1' });
    place.later(300);
    expect(place.results()[0]?.[1]).toMatchObject({ a: 'converged' });
  });
});

describe('one goes back', () => {
  /** A good state, one in which `a` fails, and one that changes only `b`, which comes up. */
  async function failedUnderLater(): Promise<Place> {
    const place = new Place();
    place.stands.set('a', 'up').set('b', 'up');
    await deploy(place, { a: '1', b: '1' });
    place.stands.set('a', 'failed');
    await deploy(place, { a: '2', b: '1' });
    await deploy(place, { a: '2', b: '2' });
    return place;
  }

  /** Applied, and looked at until what is up and what failed is known. */
  async function deploy(place: Place, texts: Readonly<Record<string, string>>): Promise<void> {
    await place.apply(texts);
    place.later(300);
  }

  function target(place: Place): number | undefined {
    return lastGood(place.snapshots.all(), place.history.current)?.number;
  }

  test('one deploy, however long another service has been failing', async () => {
    const place = new Place();
    place.stands.set('web', 'up').set('crash', 'up');
    await deploy(place, { web: '1', crash: '1' });
    place.stands.set('crash', 'failed');
    await deploy(place, { web: '1', crash: '2' });
    for (const web of ['2', '3', '4']) await deploy(place, { web, crash: '2' });
    expect(place.snapshots.all().map(resultOf)).toEqual([
      'converged',
      'converged',
      'converged',
      'failed',
      'converged',
    ]);
    expect(target(place)).toBe(4);
  });

  test('to the state of the first start, in which only something else was broken', async () => {
    const place = new Place();
    place.stands.set('web', 'up').set('crash', 'failed');
    await deploy(place, { web: '1', crash: '1' });
    await deploy(place, { web: '2', crash: '1' });
    expect(target(place)).toBe(1);
  });

  test('not while nothing else has come up', async () => {
    const place = new Place();
    place.stands.set('web', 'failed');
    await deploy(place, { web: '1' });
    await deploy(place, { web: '2' });
    expect(target(place)).toBeUndefined();
  });

  test('over a deploy that failed, rather than to it', async () => {
    const place = await failedUnderLater();
    expect(target(place)).toBe(1);
  });

  test('never to what came up and was given up later', async () => {
    const place = new Place();
    place.stands.set('a', 'up');
    for (const text of ['1', '2']) {
      await place.apply({ a: text });
      place.later(300);
    }
    place.stands.set('a', 'failed');
    place.history.look();
    await place.apply({ a: '3' });
    place.later(300);
    expect(lastGood(place.snapshots.all(), place.history.current)?.number).toBe(1);
  });

  test('never to what would break again what is mended', async () => {
    const place = await failedUnderLater();
    place.stands.set('a', 'up');
    await deploy(place, { a: '3', b: '2' });
    expect(place.snapshots.all().map(resultOf)).toEqual(['converged', 'converged', 'failed', 'converged']);
    expect(target(place)).toBe(1);
  });

  test('past what was not known to come up before the next deploy, where that would be changed', async () => {
    const place = new Place();
    place.stands.set('a', 'up').set('b', 'up');
    await deploy(place, { a: '1', b: '1' });
    place.stands.set('a', 'waiting');
    await deploy(place, { a: '2', b: '1' });
    await deploy(place, { a: '2', b: '2' });
    await deploy(place, { a: '2', b: '3' });
    // What waits is the same there: going back leaves it alone.
    expect(target(place)).toBe(3);
    place.stands.set('a', 'failed');
    place.later(10_000);
    expect(place.snapshots.all().map(resultOf)).toEqual(['converged', 'converged', 'failed', 'converged']);
    await deploy(place, { a: '3', b: '3' });
    expect(target(place)).toBe(1);
  });
});

describe('the commit comes when Git has told it', () => {
  const at = (letter: string): Commit => ({ oid: letter.repeat(40), branch: 'main', dirty: false });
  const [older, newer] = [at('a'), at('b')];

  /** Applies a state of the newer commit, of which Git tells only after what comes meanwhile. */
  async function meanwhile(comes: (place: Place) => Promise<void>): Promise<Place> {
    const place = new Place();
    place.commit = older;
    await place.apply({ a: '1' });
    let tell = (_: Commit): void => {};
    place.commit = new Promise((resolve) => {
      tell = resolve;
    });
    await place.apply({ a: '2' }, 'bob', 'sync');
    await comes(place);
    tell(newer);
    await place.history.settled();
    for (let turn = 0; turn < 10; turn++) await soon();
    return place;
  }

  const told = (place: Place) => place.snapshots.all().map(({ number, commit }) => [number, commit]);

  test('and is that of a deploy that failed before, with what has become of it', async () => {
    const place = await meanwhile(async (same) => {
      same.history.failed(name('a'));
      await same.apply({ a: '1' }, 'bob', 'failure');
    });
    expect(told(place)).toEqual([
      [3, older],
      [2, newer],
      [1, older],
    ]);
    expect(place.snapshots.all()[1]?.results).toEqual({ a: 'failed' });
    expect(place.history.current?.number).toBe(3);
  });

  test('and is not told where files were applied again before: the checkout may stand elsewhere', async () => {
    const place = await meanwhile((same) => same.apply({ a: '3' }, 'bob', 'sync'));
    expect(told(place)).toContainEqual([2, null]);
  });
});

test('of a long history only those entries are read that the commit is asked of', async () => {
  const at = (letter: string): Commit => ({ oid: letter.repeat(40), branch: 'main', dirty: false });
  const first = new Place();
  first.commit = at('a');
  for (const text of ['1', '2', '3', '4', '5']) await first.apply({ a: text });
  /** Numbers of the entries that a later daemon reads to apply this, and what the newest says then. */
  async function readFor(text: string, trigger: Trigger) {
    const place = new Place(first.files);
    place.commit = at('b');
    place.files.calls.length = 0;
    await place.apply({ a: text }, 'bob', trigger);
    for (let turn = 0; turn < 10; turn++) await soon();
    const read = place.files.calls.flatMap((call) => /^read .*\/0*(\d+)-\w+\.json$/.exec(call)?.[1] ?? []);
    return { read, commit: place.snapshots.latest()?.commit };
  }
  expect(await readFor('6', 'update')).toEqual({ read: ['5'], commit: at('b') });
  expect(await readFor('2', 'rollback')).toEqual({ read: ['6', '2'], commit: at('a') });
});

test('what one goes back to is of its own commit, not of the one that is checked out', async () => {
  const place = new Place();
  const at = (letter: string) => ({ oid: letter.repeat(40), branch: 'main', dirty: false });
  place.commit = at('a');
  await place.apply({ web: 'one', db: 'one' });
  place.commit = at('b');
  await place.apply({ web: 'two', db: 'two' });
  await place.apply({ web: 'one', db: 'one' }, 'bob', 'rollback');
  expect(place.snapshots.latest()?.commit).toEqual(at('a'));
  await place.apply({ web: 'two', db: 'two' }, 'bob', 'resume');
  expect(place.snapshots.latest()?.commit).toEqual(at('b'));
  await place.apply({ web: 'one', db: 'one' }, 'bob', 'failure');
  expect(place.snapshots.latest()?.commit).toEqual(at('a'));
  // What an update that was stopped has begun is no commit as a whole.
  await place.apply({ web: 'two', db: 'one' }, 'bob', 'failure');
  expect(place.snapshots.latest()?.commit).toEqual({ ...at('b'), dirty: true });
});

test('what cannot be written is complained about, and nothing stops for it', async () => {
  const place = new Place();
  place.files.mkdir('/state/snapshots/blobs');
  const replace = place.files.replace.bind(place.files);
  place.files.replace = (path, text, options) =>
    path.includes('blobs') ? { failed: 'ENOSPC' } : replace(path, text, options);
  await place.apply({ a: '1' });
  expect(place.complaints).toEqual([expect.stringContaining('ENOSPC')]);
});
