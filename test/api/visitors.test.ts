import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Failures, FORGIVEN, SPAN } from '../../src/api/failures.ts';
import { addressKey, Visitors } from '../../src/api/visitors.ts';

class Caller extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  isGone = false;
  constructor(remoteAddress: string, remotePort: number) {
    super();
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
  }
  destroy(): void {
    this.isGone = true;
    this.emit('close');
  }
}

function come(visitors: Visitors, address: string, count: number, from = 1): readonly Caller[] {
  return Array.from({ length: count }, (_, index) => {
    const caller = new Caller(address, from + index);
    visitors.arrived(caller);
    return caller;
  });
}

function present(callers: readonly Caller[]): readonly number[] {
  return callers.filter(({ isGone }) => !isGone).map(({ remotePort }) => remotePort);
}

describe('who gives way', () => {
  test('the oldest stranger of an address that has too many', () => {
    const visitors = new Visitors({ total: 10, each: 3 });
    const callers = come(visitors, '10.0.0.1', 5);
    const other = come(visitors, '10.0.0.2', 1);
    expect(present(callers)).toEqual([3, 4, 5]);
    expect(present(other)).toEqual([1]);
    expect(visitors.count).toBe(4);
  });

  test('the oldest stranger of all when all are too many', () => {
    const visitors = new Visitors({ total: 3, each: 3 });
    const callers = ['a', 'b', 'c', 'd'].flatMap((address) => come(visitors, address, 1));
    expect(callers.map(({ isGone }) => isGone)).toEqual([true, false, false, false]);
  });

  test('who has shown a token stays; when all have, the newcomer goes', () => {
    const visitors = new Visitors({ total: 10, each: 3 });
    const callers = come(visitors, '10.0.0.1', 3);
    for (const caller of callers) visitors.showed(caller, 'ann');
    const late = come(visitors, '10.0.0.1', 50, 100);
    expect(present(callers)).toEqual([1, 2, 3]);
    expect(present(late)).toEqual([]);
    callers[0]?.destroy();
    expect(present(come(visitors, '10.0.0.1', 1, 200))).toEqual([200]);
  });

  test('who goes by himself makes room, and nothing is kept of him', () => {
    const visitors = new Visitors({ total: 3, each: 3 });
    for (const caller of come(visitors, '10.0.0.1', 3)) caller.destroy();
    expect(visitors.count).toBe(0);
    expect(present(come(visitors, '10.0.0.1', 3))).toEqual([1, 2, 3]);
  });

  test('a connection under TLS is known by its address and port', () => {
    const visitors = new Visitors({ total: 10, each: 1 });
    const [raw] = come(visitors, '10.0.0.1', 1);
    visitors.showed(new Caller('10.0.0.1', 1), 'ann');
    come(visitors, '10.0.0.1', 1, 2);
    expect(raw?.isGone).toBe(false);
  });

  test('those whose token was taken away are sent away, strangers are not', () => {
    const visitors = new Visitors({ total: 10, each: 10 });
    const [ann, bob, stranger] = come(visitors, '10.0.0.1', 3);
    visitors.showed(ann!, 'ann');
    visitors.showed(bob!, 'bob');
    visitors.keepOnly((name) => name === 'bob');
    expect([ann, bob, stranger].map((one) => one?.isGone)).toEqual([true, false, false]);
  });
});

describe('what counts as one address', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    [undefined, ''],
  ])('%s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

describe('who shows too many tokens that are none', () => {
  test('is told once that it is too much, until the time is over', () => {
    const failures = new Failures();
    const first = Array.from({ length: FORGIVEN + 2 }, (_, index) => failures.note('a', index).is);
    expect(first.slice(0, FORGIVEN)).toEqual(Array(FORGIVEN).fill('forgiven'));
    expect(first.slice(FORGIVEN)).toEqual(['first_over', 'over']);
    expect(failures.note('a', SPAN - 1)).toEqual({ is: 'over', left: 1 });
    expect(failures.note('a', SPAN).is).toBe('forgiven');
    expect(failures.note('b', 5).is).toBe('forgiven');
  });

  test('thousands of addresses leave no more behind than a thousand', () => {
    const failures = new Failures();
    for (let turn = 0; turn <= FORGIVEN; turn++) failures.note('first', 0);
    for (let index = 0; index < 999; index++) failures.note(String(index), 1);
    expect(failures.note('first', 2).is).toBe('over');
    failures.note('one more', 2);
    expect(failures.note('first', 3).is).toBe('forgiven');
  });
});
