/** How long does a restart wait when files change again and again right after each start? */
import { expect, test } from 'vitest';
import { brake, NO_ROW, type QuickRow } from '../../src/policy/watch-brake.ts';

const DEBOUNCE = 200;

interface Times {
  readonly waits?: boolean;
  readonly age?: number;
  readonly gone?: number;
}

function change(row: QuickRow, files: readonly string[], { waits = false, age = 300, gone = 0 }: Times = {}) {
  return brake(row, { files, age, debounce: DEBOUNCE, gone, waits });
}

/** What so many changes of the log, each soon after a start, leave behind. */
function rowOf(length: number): QuickRow {
  let row = NO_ROW;
  for (let at = 0; at < length; at++) row = change(row, ['out.log']).row;
  return row;
}

test('four changes right after a start are followed at once, then each waits twice as long, up to 30 s', () => {
  const waits: number[] = [];
  let row = NO_ROW;
  for (let at = 0; at < 12; at++) {
    const braking = change(row, ['out.log']);
    row = braking.row;
    waits.push(braking.wait);
  }
  expect(waits).toEqual([0, 0, 0, 0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('a new name at each start makes no difference', () => {
  let row = NO_ROW;
  for (let at = 0; at < 200; at++) row = change(row, [`${at}.log`]).row;
  expect(change(row, ['next.log']).wait).toBe(30_000);
  expect(row.files.size).toBe(100);
  // The newest are those that may change once more.
  expect(change(row, ['199.log'], { age: 1200 }).wait).toBe(30_000);
});

test('more files than are kept make no difference', () => {
  const files = Array.from({ length: 150 }, (_, at) => `${at}.js`);
  let row = NO_ROW;
  for (let at = 0; at < 8; at++) row = change(row, files, { age: 1500 }).row;
  expect(change(row, files, { age: 1500 }).wait).toBe(16_000);
});

test('a change after a run of some seconds ends the row', () => {
  expect(change(rowOf(8), ['out.log'], { age: 3200 })).toEqual({
    row: { length: 0, files: new Set(['out.log']) },
    wait: 0,
  });
  expect(change(rowOf(8), ['out.log'], { age: 3199 }).wait).toBe(16_000);
});

test('another file than those of the row is followed at once, and the row goes on', () => {
  const row = rowOf(8);
  for (const times of [{ waits: true, age: 9000 }, { age: 1200 }]) {
    expect(change(row, ['main.js'], times)).toEqual({ row, wait: 0 });
    expect(change(row, ['main.js', 'out.log'], times)).toEqual({ row, wait: 0 });
  }
  expect(change(row, ['main.js'], { age: 1199 }).wait).toBe(16_000);
});

test('while nothing of the service runs, each change is followed at once, and the row becomes no longer', () => {
  for (const row of [rowOf(3), rowOf(8)]) {
    for (const times of [{ age: 1400 }, { age: 9000, waits: true }]) {
      expect(change(row, ['out.log'], { ...times, gone: 1200 })).toEqual({ row, wait: 0 });
    }
  }
  expect(change(rowOf(8), ['out.log'], { age: 1400, gone: 1199 })).toMatchObject({
    row: { length: 9 },
    wait: 16_000,
  });
  expect(change(rowOf(8), ['out.log'], { age: 3200, gone: 1200 }).row.length).toBe(0);
});

test('what changes again while a restart waits makes the row no longer', () => {
  const row = rowOf(8);
  const again = change(row, ['out.log'], { waits: true, age: 9000 });
  expect(again.row).toEqual(row);
  expect(again.wait).toBeGreaterThan(0);
});
