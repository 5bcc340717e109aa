import { describe, expect, it, test } from 'vitest';
import { guardRemovals, stillRecent } from '../../src/reconcile/guard.ts';
import { NOW, name } from '../builders.ts';

function ask(
  removed: number,
  running: number,
  more: { files?: number; readable?: boolean; maxPercent?: number; recent?: number } = {},
) {
  const services = Array.from({ length: removed }, (_, n) => name(`s${n}`));
  return guardRemovals({
    removed: services,
    recent: more.recent ?? 0,
    running,
    files: more.files ?? running - removed + 1,
    readable: more.readable ?? true,
    maxPercent: more.maxPercent ?? 30,
  });
}

test.each([
  ['nothing is removed', 0, 10, 'approve'],
  ['one of one, while other files are there', 1, 1, 'approve'],
  ['one of two is more than the share, but one is always meant', 1, 2, 'approve'],
  ['two of five', 2, 5, 'hold'],
  ['exactly the share', 3, 10, 'approve'],
  ['one more than the share', 4, 10, 'hold'],
  ['all of many', 30, 30, 'hold'],
] as const)('%s: %i of %i -> %s', (_title, removed, running, say) => {
  expect(ask(removed, running).say).toBe(say);
});

describe('a directory that looks wrong', () => {
  it('holds even a single removal when the directory is empty', () => {
    expect(ask(1, 1, { files: 0 })).toEqual({
      say: 'hold',
      services: [name('s0')],
      reason: 'the configuration directory is empty',
    });
  });

  it('holds even a single removal when the directory cannot be read', () => {
    expect(ask(1, 100, { readable: false })).toMatchObject({
      say: 'hold',
      reason: 'the configuration directory cannot be read',
    });
  });

  it('has nothing to hold when nothing that runs is gone', () => {
    expect(ask(0, 0, { files: 0, readable: false })).toEqual({ say: 'approve', services: [] });
  });
});

it('max_percent 100 lets everything go but the last file', () => {
  expect(ask(10, 10, { maxPercent: 100 }).say).toBe('approve');
  expect(ask(10, 10, { maxPercent: 100, files: 0 }).say).toBe('hold');
});

it('says how many of how many, and which setting decides', () => {
  const answer = ask(2, 5);
  expect(answer).toMatchObject({
    services: [name('s0'), name('s1')],
    reason: '2 of 5 running services have no file any more, more than prune.max_percent (30 %) allows',
  });
});

describe('removals that follow each other', () => {
  test.each([
    ['one more of ten, after two', 1, 8, 2, 'approve'],
    ['one more of ten, after three', 1, 7, 3, 'hold'],
    ['one more of two, after one', 1, 1, 1, 'hold'],
    ['two of a hundred, after two', 2, 98, 2, 'approve'],
    ['the share is that of what ran before', 1, 71, 29, 'approve'],
    ['and no more than that', 1, 70, 30, 'hold'],
  ] as const)('%s: %i of %i after %i -> %s', (_title, removed, running, recent, say) => {
    expect(ask(removed, running, { recent }).say).toBe(say);
  });

  it('are told together', () => {
    expect(ask(1, 7, { recent: 3 })).toMatchObject({
      services: [name('s0')],
      reason:
        '4 of 10 running services lost their file within a minute, more than prune.max_percent (30 %) allows',
    });
  });

  it('count for a minute', () => {
    const approved = new Map([
      [name('old'), NOW - 60_000],
      [name('young'), NOW - 59_999],
    ]);
    expect([...stillRecent(approved, NOW).keys()]).toEqual(['young']);
  });
});
