import { describe, expect, it, test } from 'vitest';
import { guardRemovals } from '../../src/reconcile/guard.ts';
import { name } from '../builders.ts';

function ask(
  removed: number,
  running: number,
  more: { files?: number; readable?: boolean; maxPercent?: number } = {},
) {
  const services = Array.from({ length: removed }, (_, n) => name(`s${n}`));
  return guardRemovals({
    removed: services,
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
