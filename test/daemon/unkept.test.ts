/** What becomes of an applied state that could not be written when it was applied? */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Commit } from '../../src/api/deploys.ts';
import { Snapshots } from '../../src/daemon/snapshots.ts';
import { Place, soon } from './history-place.ts';

let place: Place;
/** What of the paths below `/state/snapshots` has no room now. */
let full: RegExp | undefined;
/** Of files that were written since. */
let replaced: string[];

beforeEach(() => {
  place = new Place();
  place.files.mkdir('/state/snapshots/blobs');
  full = undefined;
  replaced = [];
  const replace = place.files.replace.bind(place.files);
  place.files.replace = (path, text, options) => {
    if (full?.test(path)) return { failed: 'ENOSPC' };
    replaced.push(path);
    return replace(path, text, options);
  };
});

/** As the next daemon reads it: each entry with all of its texts. */
function kept() {
  const next = new Snapshots(place.files, '/state', soon);
  return next.all().map(({ number, results, files, commit }) => {
    return { number, results, commit, texts: files.map(({ blob }) => next.text(blob)) };
  });
}

async function thereIsRoom(): Promise<void> {
  full = undefined;
  place.history.again();
  await place.history.settled();
}

test.each([
  ['a text', /blobs/],
  ['the entry', /\.json$/],
])(
  'it is no entry as long as %s cannot be written, and comes with all that is known by then',
  async (_what, path) => {
    const commit: Commit = { oid: 'a'.repeat(40), branch: 'main', dirty: false };
    place.commit = commit;
    full = path;
    await place.apply({ a: '1', b: '1' });
    expect(place.unwritten).toContain('ENOSPC');
    place.stands.set('a', 'up');
    place.later(300);
    place.history.again();
    await place.history.settled();
    expect(kept()).toEqual([]);
    expect(place.unwritten).toContain('ENOSPC');
    expect(place.history.current?.results).toEqual({ a: 'converged', b: 'pending' });

    await thereIsRoom();
    const entry = { number: 1, commit, texts: ['1', '1'] };
    expect(kept()).toEqual([{ ...entry, results: { a: 'converged', b: 'pending' } }]);
    expect(place.unwritten).toBeUndefined();
    place.stands.set('b', 'up');
    place.later(10_000);
    expect(kept()).toEqual([{ ...entry, results: { a: 'converged', b: 'converged' } }]);
  },
);

test('it is not taken for kept because an older entry could be written', async () => {
  await place.apply({ a: '1' });
  full = /blobs/;
  await place.apply({ a: '1', b: '2' });
  place.stands.set('a', 'up');
  place.later(300);
  expect(place.unwritten).toContain('ENOSPC');
  expect(kept()).toMatchObject([{ number: 1, results: { a: 'converged' } }]);
  await thereIsRoom();
  expect(kept()).toMatchObject([{ number: 2, texts: ['1', '2'], results: { b: 'pending' } }, { number: 1 }]);
});

test('it is given up for a newer one, which tells all that is new since the last that was kept', async () => {
  await place.apply({ a: '1' });
  full = /blobs/;
  await place.apply({ a: '2' });
  await place.apply({ a: '2', b: '3' });
  place.stands.set('a', 'up').set('b', 'up');
  place.later(300);
  await thereIsRoom();
  expect(kept()).toMatchObject([
    { texts: ['2', '3'], results: { a: 'converged', b: 'converged' } },
    { number: 1, results: { a: 'pending' } },
  ]);
  expect(kept()).toHaveLength(2);
});

test('nothing waits when the state before it is applied again, and what that has brought is looked at', async () => {
  await place.apply({ a: '1' });
  full = /blobs/;
  await place.apply({ a: '2', b: '1' });
  full = undefined;
  await place.apply({ a: '1' });
  expect(place.unwritten).toBeUndefined();
  replaced = [];
  place.stands.set('a', 'up');
  place.later(300);
  expect(kept()).toEqual([{ number: 1, results: { a: 'converged' }, commit: null, texts: ['1'] }]);
  expect(replaced).toHaveLength(1);
});

test('what became of an entry is written when there is room, but not where the entry is gone', async () => {
  await place.apply({ a: '1' });
  full = /\.json$/;
  place.stands.set('a', 'up');
  place.later(300);
  expect(kept()).toMatchObject([{ results: { a: 'pending' } }]);
  await thereIsRoom();
  expect(kept()).toMatchObject([{ results: { a: 'converged' } }]);

  place.stands.set('a', 'waiting');
  await place.apply({ a: '2' });
  await place.apply({ a: '2', b: '2' });
  full = /\.json$/;
  place.stands.set('a', 'failed');
  place.later(300);
  await place.snapshots.prune(1);
  await thereIsRoom();
  expect(kept().map(({ number }) => number)).toEqual([3, 1]);
  expect(place.unwritten).toBeUndefined();
});

test('what becomes of it while its texts come to the disk is part of it', async () => {
  full = /blobs/;
  await place.apply({ a: '1' });
  place.stands.set('a', 'up');
  const settle = place.files.settle.bind(place.files);
  place.files.settle = (paths) => {
    place.later(300);
    return settle(paths);
  };
  await thereIsRoom();
  expect(kept()).toMatchObject([{ results: { a: 'converged' } }]);
});

test('its texts are all on disk before it, also those that were written when another one failed', async () => {
  const settled: string[] = [];
  const settle = place.files.settle.bind(place.files);
  place.files.settle = (paths) => {
    settled.push(...paths);
    return settle(paths);
  };
  let written = 0;
  full = { test: (path: string) => path.includes('blobs') && ++written > 1 } as RegExp;
  await place.apply({ a: '1', b: '2' });
  expect(settled).toEqual([]);
  await thereIsRoom();
  expect(settled).toHaveLength(2);
});

describe('what was kept is lost with the state directory', () => {
  function lose(): void {
    place.files.delete('/state');
  }

  test('what is in force comes back with its texts when something has become of it', async () => {
    await place.apply({ a: '1', b: '1' });
    lose();
    place.stands.set('a', 'up');
    place.later(300);
    await place.history.settled();
    expect(kept()).toMatchObject([{ number: 1, texts: ['1', '1'], results: { a: 'converged' } }]);
    place.stands.set('b', 'up');
    place.later(10_000);
    expect(kept()).toMatchObject([{ number: 1, results: { a: 'converged', b: 'converged' } }]);
  });

  test('it waits for room like any other', async () => {
    await place.apply({ a: '1' });
    lose();
    full = /blobs/;
    place.stands.set('a', 'up');
    place.later(300);
    await place.history.settled();
    expect(place.unwritten).toContain('ENOSPC');
    await thereIsRoom();
    expect(kept()).toMatchObject([{ number: 1, texts: ['1'], results: { a: 'converged' } }]);
  });

  test('an older one, whose texts nobody has, does not come back', async () => {
    await place.apply({ a: '1' });
    await place.apply({ a: '1', b: '1' });
    lose();
    place.stands.set('a', 'up');
    place.later(300);
    await place.history.settled();
    expect(kept()).toEqual([]);
    place.stands.set('b', 'up');
    place.later(10_000);
    await place.history.settled();
    expect(kept()).toMatchObject([{ number: 2, texts: ['1', '1'] }]);
  });

  test('the next one has all of its texts, also those that were there before', async () => {
    await place.apply({ a: '1' });
    lose();
    await place.apply({ a: '1', b: '2' });
    expect(kept()).toMatchObject([{ number: 2, texts: ['1', '2'] }]);
  });

  test('something else was applied by then: only that is written', async () => {
    await place.apply({ a: '1' });
    lose();
    place.stands.set('a', 'up');
    place.later(300);
    await place.apply({ a: '2' });
    expect(kept()).toMatchObject([{ number: 2, texts: ['2'] }]);
  });
});
