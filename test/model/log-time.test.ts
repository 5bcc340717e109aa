import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { WallClock } from '../../src/model/line-time.ts';
import { parseLogTime } from '../../src/model/log-time.ts';

const NOW = new Date(2026, 10, 21, 15, 30).getTime();

/** A host two hours ahead of UTC. */
const local: WallClock = (year, month, day, hour, minute, second, millisecond) =>
  Date.UTC(year, month - 1, day, hour - 2, minute, second, millisecond);

describe('a moment', () => {
  test.each([
    ['10m', NOW - 600_000],
    ['1h30m', NOW - 5_400_000],
    ['1d', NOW - 86_400_000],
    ['2026-11-20', Date.UTC(2026, 10, 19, 22)],
    ['2026-11-20T14:05', Date.UTC(2026, 10, 20, 12, 5)],
    ['2026-11-20 14:05:06', Date.UTC(2026, 10, 20, 12, 5, 6)],
    ['2026-11-20T14:05:06.5Z', Date.UTC(2026, 10, 20, 14, 5, 6, 500)],
    ['2026-11-20T14:05+05:30', Date.UTC(2026, 10, 20, 8, 35)],
    ['2026-11-20T14:05:06-0100', Date.UTC(2026, 10, 20, 15, 5, 6)],
    ['14:05', Date.UTC(2026, 10, 21, 12, 5)],
    [' 14:05:06 ', Date.UTC(2026, 10, 21, 12, 5, 6)],
  ])('%s', (text, time) => {
    expect(parseLogTime(text, NOW, local)).toBe(time);
  });

  it('of today, in the zone that is named', () => {
    const lateInUtc = Date.UTC(2026, 10, 21, 23, 30);
    expect(parseLogTime('14:05+02:00', lateInUtc)).toBe(Date.UTC(2026, 10, 22, 12, 5));
    expect(parseLogTime('14:05Z', lateInUtc)).toBe(Date.UTC(2026, 10, 21, 14, 5));
  });
});

test.each([
  '',
  'yesterday',
  '10',
  '10 minutes',
  '1m1h',
  '2026-02-30',
  '2026-13-01',
  '25:00',
  '14:60',
  '14',
  '2026-11-20T',
  '20.11.2026',
  '-5m',
])('%j is none, and it is told how to write one', (text) => {
  expect(parseLogTime(text, NOW)).toEqual({
    refused: `${JSON.stringify(text)} is no time: write it like 10m, 2h or 1d (so long ago), 14:05, 2026-11-21 or 2026-11-21T14:05:06Z`,
  });
});

it('every instant is read back as it was written', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1971-01-01'), max: new Date('2199-01-01'), noInvalidDate: true }),
      (date) => {
        expect(parseLogTime(date.toISOString(), NOW)).toBe(date.getTime());
        expect(parseLogTime(`${date.getTime() % 1_000_000}ms`, NOW)).toBe(NOW - (date.getTime() % 1_000_000));
      },
    ),
  );
});
