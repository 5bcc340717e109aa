import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blobOf, resultOf, type Snapshot, Snapshots, snapshotId } from '../../src/daemon/snapshots.ts';
import type { Durability } from '../../src/world/world.ts';
import { TwinFiles } from '../twins/files.ts';

const STATE = '/state';
const soon = (): Promise<void> => Promise.resolve();

function open(files: TwinFiles): Snapshots {
  return new Snapshots(files, STATE, soon);
}

/** A directory in which each service says one text. */
function snapshot(
  number: number,
  texts: Readonly<Record<string, string>>,
  more: Partial<Snapshot> = {},
): Snapshot {
  const files = Object.entries(texts).map(([service, text]) => ({
    path: `${service}.yaml`,
    blob: blobOf(text),
    service,
    hash: null,
    digest: null,
    env_files: {},
  }));
  return {
    number,
    id: snapshotId(files),
    at: number * 1000,
    trigger: 'update',
    by: 'bob',
    commit: null,
    files,
    added: [],
    changed: [],
    removed: [],
    results: {},
    ...more,
  };
}

function blobs(texts: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.values(texts).map((text) => [blobOf(text), text]));
}

async function keep(store: Snapshots, number: number, texts: Readonly<Record<string, string>>, more = {}) {
  const one = snapshot(number, texts, more);
  expect(await store.keep(one, blobs(texts))).toBeUndefined();
  return one;
}

function listed(files: TwinFiles, directory = ''): readonly string[] {
  const names = files.list(`${STATE}/snapshots${directory}`);
  return 'failed' in names ? [] : names;
}

test('what was kept is read back by the next daemon, text for text', async () => {
  const files = new TwinFiles();
  const texts = { web: 'process: {command: a}\n', api: 'process: {command: ä}\r\n' };
  const kept = await keep(open(files), 1, texts, { changed: ['web'], results: { web: 'failed' } });
  const again = open(files);
  expect(again.all()).toEqual([kept]);
  expect(kept.files.map(({ blob }) => again.text(blob))).toEqual(Object.values(texts));
  expect(again.nextNumber).toBe(2);
  expect(again.problems).toEqual([]);
});

test('one text is kept once, however many states have it', async () => {
  const files = new TwinFiles();
  const store = open(files);
  await keep(store, 1, { a: 'same', b: 'same', c: 'one' });
  await keep(store, 2, { a: 'same', b: 'same', c: 'two' });
  expect(listed(files, '/blobs')).toEqual([blobOf('same'), blobOf('one'), blobOf('two')].sort());
});

test('all of it is for its owner alone', async () => {
  const files = new TwinFiles();
  await keep(open(files), 1, { web: 'x' });
  const paths = [
    ...listed(files).filter((name) => name.endsWith('.json')),
    ...listed(files, '/blobs').map((name) => `blobs/${name}`),
  ];
  const modes = paths.map((path) => files.status(`${STATE}/snapshots/${path}`));
  expect(modes).toHaveLength(2);
  for (const status of modes) expect(status).toMatchObject({ mode: 0o600 });
});

test('the id is that of paths and texts, whatever their order', () => {
  const [a, b] = [
    { path: 'a.yaml', blob: blobOf('1') },
    { path: 'b.yaml', blob: blobOf('2') },
  ];
  expect(snapshotId([a, b])).toBe(snapshotId([b, a]));
  expect(snapshotId([a, b])).not.toBe(snapshotId([a]));
  expect(snapshotId([a])).not.toBe(snapshotId([{ ...a, path: 'c.yaml' }]));
});

describe('bounded', () => {
  test('the oldest go, and the texts that nobody has any more', async () => {
    const files = new TwinFiles();
    const store = open(files);
    for (let number = 1; number <= 5; number++) {
      await keep(
        store,
        number,
        { web: `text ${number}`, db: 'always' },
        { changed: ['web'], results: { web: 'failed' } },
      );
    }
    await store.prune(2);
    expect(store.all().map(({ number }) => number)).toEqual([5, 4]);
    expect(listed(files, '/blobs')).toEqual(['text 5', 'text 4', 'always'].map(blobOf).sort());
    expect(
      open(files)
        .all()
        .map(({ number }) => number),
    ).toEqual([5, 4]);
  });

  test('the last that converged stays: it is what one would go back to', async () => {
    const store = open(new TwinFiles());
    await keep(store, 1, { web: '1' }, { changed: ['web'], results: { web: 'converged' } });
    for (let number = 2; number <= 6; number++) {
      await keep(store, number, { web: `${number}` }, { changed: ['web'], results: { web: 'failed' } });
    }
    await store.prune(3);
    expect(store.all().map(({ number }) => number)).toEqual([6, 5, 4, 1]);
    expect(store.text(blobOf('1'))).toBe('1');
  });

  test('while an entry cannot be read, no text is removed: it may be one of its', async () => {
    const files = new TwinFiles();
    const store = open(files);
    for (let number = 1; number <= 3; number++) await keep(store, number, { web: `${number}` });
    const [, second = ''] = listed(files).filter((name) => name.endsWith('.json'));
    files.write(`${STATE}/snapshots/${second}`, '{');
    const again = open(files);
    await again.prune(2);
    expect(listed(files, '/blobs')).toHaveLength(3);
  });
});

describe('torn', () => {
  test('an entry cut at any byte is skipped and named, or whole; older ones stay', async () => {
    const files = new TwinFiles();
    const store = open(files);
    const first = await keep(store, 1, { web: 'one', db: 'x' });
    const second = await keep(store, 2, { web: 'two', db: 'x' }, { results: { web: 'pending' } });
    const path = `${STATE}/snapshots/00000002-${second.id}.json`;
    const text = files.read(path, 1e6) as string;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: text.length }), (length) => {
        files.write(path, text.slice(0, length));
        const again = open(files);
        const whole = length >= text.trimEnd().length;
        expect(again.all()).toEqual(whole ? [second, first] : [first]);
        expect(again.latest()).toEqual(whole ? second : first);
        expect(again.problems.map(({ code }) => code)).toEqual(whole ? [] : ['snapshot-unreadable']);
        // Its number is not given out again.
        expect(again.nextNumber).toBe(3);
      }),
      { numRuns: 400 },
    );
  });

  test('a text cut at any byte is never taken for what was kept, and is mended when it is kept again', async () => {
    const text = 'process:\n  command: exec sleep 1000\n';
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: text.length - 1 }), async (length) => {
        const files = new TwinFiles();
        await keep(open(files), 1, { web: text });
        files.write(`${STATE}/snapshots/blobs/${blobOf(text)}`, text.slice(0, length));
        const again = open(files);
        expect(again.text(blobOf(text))).toMatchObject({ code: 'snapshot-unreadable' });
        await keep(again, 2, { web: text });
        expect(again.text(blobOf(text))).toBe(text);
      }),
    );
  });

  test('a daemon that dies at any write leaves entries that have all their texts', async () => {
    const states = [
      { a: '1', b: '1' },
      { a: '2', b: '1' },
      { a: '2', b: '3', c: '4' },
    ];
    for (let writes = 0; writes <= 12; writes++) {
      const files = new TwinFiles();
      let left = writes;
      // From then on nothing reaches the disk any more.
      const dying = Object.assign(Object.create(files) as TwinFiles, {
        list: (path: string) => files.list(path),
        read: (path: string, limit: number) => files.read(path, limit),
        remove: (path: string) => (left-- > 0 ? files.remove(path) : { failed: 'EIO' }),
        replace: (path: string, text: string, options: { mode: number; durable: boolean }) =>
          left-- > 0 ? files.replace(path, text, options) : { failed: 'EIO' },
      });
      const store = open(dying);
      for (const [at, texts] of states.entries()) {
        if ((await store.keep(snapshot(at + 1, texts), blobs(texts))) !== undefined) break;
        await store.prune(2);
      }
      const again = open(files);
      for (const { files: each } of again.all()) {
        for (const { blob } of each) expect(typeof again.text(blob)).toBe('string');
      }
      expect(again.problems).toEqual([]);
    }
  });

  test('what a killed daemon was writing is cleared away', async () => {
    const files = new TwinFiles({ [`${STATE}/snapshots/.12.0.abc.tmp`]: '{"ver' });
    expect(open(files).all()).toEqual([]);
    expect(listed(files)).toEqual([]);
  });
});

test('a state has failed when one service has, and converged when all have', () => {
  const touched = { added: ['a'], changed: ['b'], removed: [] };
  expect(resultOf({ added: [], changed: [], removed: [], results: {} })).toBe('converged');
  expect(resultOf({ ...touched, results: { a: 'converged', b: 'converged' } })).toBe('converged');
  expect(resultOf({ ...touched, results: { a: 'converged', b: 'pending' } })).toBe('pending');
  expect(resultOf({ ...touched, results: { a: 'failed', b: 'pending' } })).toBe('failed');
  // Written by an earlier daemon, which noted besides what it had not touched.
  expect(resultOf({ ...touched, results: { a: 'converged', b: 'converged', c: 'failed' } })).toBe(
    'converged',
  );
});

test('an entry comes when its texts are on disk, and is itself the old or the new one after a power cut', async () => {
  const order: string[] = [];
  class Disk extends TwinFiles {
    override replace(path: string, text: string, options: { mode: number; durable: Durability }) {
      order.push(`${path.includes('/blobs/') ? 'text' : 'entry'} ${options.durable}`);
      return super.replace(path, text, options);
    }

    override async settle(paths: readonly string[]): Promise<void> {
      await soon();
      order.push(`settled ${paths.map((path) => path.split('/').at(-2)).join()}`);
    }
  }
  await keep(open(new Disk()), 1, { web: 'a', api: 'b' });
  expect(order).toEqual(['text false', 'text false', 'settled blobs,blobs', 'entry content']);
});
