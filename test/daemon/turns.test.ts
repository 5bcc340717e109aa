import { expect, test } from 'vitest';
import { type Turn, Turns } from '../../src/daemon/turns.ts';

interface Item extends Turn {
  readonly name: string;
}

function item(name: string, due: number): Item {
  return { name, due, isBusy: false, isWanted: false };
}

/** Time stands still; whoever wants to be woken at once is, and later means never. */
function ground(items: Item[], { lanes = 1, done = (_: Item): void => undefined } = {}) {
  const served: string[] = [];
  let scans = 0;
  const turns = new Turns<Item>({
    clock: {
      now: () => 1000,
      wall: () => 1000,
      after: (delay, wake) => {
        const timer = delay > 0 ? undefined : setImmediate(wake);
        return () => clearImmediate(timer);
      },
    },
    lanes,
    items: () => {
      scans += 1;
      return items;
    },
    serve: async (each) => {
      served.push(each.name);
      each.due = 5000;
      done(each);
    },
    current: (each) => items.find(({ name }) => name === each.name),
  });
  const idle = async () => {
    for (let turn = 0; turn < 10 * items.length + 10; turn++)
      await new Promise((resolve) => setImmediate(resolve));
  };
  return { turns, served, idle, scans: () => scans };
}

test('who is due longest comes first, and who is not due does not come', async () => {
  const { turns, served, idle } = ground([item('b', 20), item('a', 10), item('later', 2000)]);
  turns.go();
  await idle();
  expect(served).toEqual(['a', 'b']);
});

test('a thousand that are due at once are looked through once, not once for each', async () => {
  const items = Array.from({ length: 1000 }, (_, at) => item(`item ${at}`, at));
  const { turns, served, idle, scans } = ground(items, { lanes: 2 });
  turns.go();
  await idle();
  expect(served).toEqual(items.map(({ name }) => name));
  expect(scans()).toBeLessThan(10);
});

test('who is wanted now comes before those who have waited, also when it has just been served', async () => {
  const items = [item('a', 10), item('b', 20), item('c', 30)];
  const [a, , c] = items;
  let isFirst = true;
  const { turns, served, idle } = ground(items, {
    done: (each) => {
      if (!isFirst || each !== a || c === undefined) return;
      isFirst = false;
      turns.want(c);
      turns.want(a);
    },
  });
  turns.go();
  await idle();
  expect(served).toEqual(['a', 'a', 'c', 'b']);
});

test('who was taken away, or replaced, while he waited is not served', async () => {
  const items = [item('a', 10), item('b', 20), item('c', 30)];
  const fresh = item('c', 3000);
  const { turns, served, idle } = ground(items, { done: () => items.splice(1, 2, fresh) });
  turns.go();
  await idle();
  expect(served).toEqual(['a']);
});

test('who becomes due earlier is not missed, and looks for nobody else where the next look comes before', async () => {
  const items = [item('a', 3000), item('b', 4000), item('c', 4000)];
  const [a, b, c] = items;
  if (a === undefined || b === undefined || c === undefined) throw new Error('three were made');
  const { turns, served, idle, scans } = ground(items);
  turns.go();
  const before = scans();
  b.due = 3500;
  turns.sooner(b);
  expect(scans()).toBe(before);
  c.due = 10;
  turns.sooner(c);
  await idle();
  expect(served).toEqual(['c']);
});

test('nothing begins after the end', async () => {
  const { turns, served, idle } = ground([item('a', 10)]);
  await turns.close();
  turns.go();
  await idle();
  expect(served).toEqual([]);
});
