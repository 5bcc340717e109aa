import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Cron, parseCron } from '../../src/policy/cron.ts';
import { lastSlot, nextSlot, slotsBetween } from '../../src/policy/slots.ts';
import { lines, stretch, walked } from './wall-walker.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function cron(text: string, zone = 'UTC'): Cron {
  const found = parseCron(text, zone, 'UTC');
  if ('problem' in found) throw new Error(found.problem);
  return found;
}

/** Slots as ISO instants without milliseconds. */
function between(text: string, zone: string, after: string, until: string): string[] {
  const slots = slotsBetween(cron(text, zone), Date.parse(after), Date.parse(until), 1000);
  return slots.map((slot) => new Date(slot).toISOString().replace(':00.000', ''));
}

describe('where the clock is set', () => {
  test.each<[string, string, string, string, string, string[]]>([
    [
      'a time in the gap comes at its end',
      '30 2 * * *',
      'Europe/Berlin',
      '2025-03-29T12:00Z',
      '2025-03-31T12:00Z',
      ['2025-03-30T01:00Z', '2025-03-31T00:30Z'],
    ],
    [
      'several times in the gap, and one at its end, come as one',
      '0,30 2,3 * * *',
      'Europe/Berlin',
      '2025-03-29T12:00Z',
      '2025-03-30T12:00Z',
      ['2025-03-30T01:00Z', '2025-03-30T01:30Z'],
    ],
    [
      'a time shown twice comes the first time',
      '30 2 * * *',
      'Europe/Berlin',
      '2025-10-25T12:00Z',
      '2025-10-27T12:00Z',
      ['2025-10-26T00:30Z', '2025-10-27T01:30Z'],
    ],
    [
      'every half hour does not pause in autumn',
      '*/30 * * * *',
      'America/New_York',
      '2025-11-02T05:00Z',
      '2025-11-02T07:30Z',
      [
        '2025-11-02T05:30Z',
        '2025-11-02T06:00Z',
        '2025-11-02T06:30Z',
        '2025-11-02T07:00Z',
        '2025-11-02T07:30Z',
      ],
    ],
    [
      'every hour does not double in spring',
      '0 0-23 * * *',
      'America/New_York',
      '2025-03-09T05:30Z',
      '2025-03-09T08:30Z',
      ['2025-03-09T06:00Z', '2025-03-09T07:00Z', '2025-03-09T08:00Z'],
    ],
    [
      'half an hour of gap',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2025-10-04T00:00Z',
      '2025-10-05T12:00Z',
      ['2025-10-04T15:30Z'],
    ],
    [
      'midnight in the gap',
      '0 0 * * *',
      'America/Sao_Paulo',
      '2018-11-03T12:00Z',
      '2018-11-05T12:00Z',
      ['2018-11-04T03:00Z', '2018-11-05T02:00Z'],
    ],
    [
      'a day that never was',
      '0 12 * * *',
      'Pacific/Apia',
      '2011-12-29T12:00Z',
      '2011-12-31T12:00Z',
      ['2011-12-29T22:00Z', '2011-12-30T10:00Z', '2011-12-30T22:00Z'],
    ],
  ])('%s', (_title, text, zone, after, until, slots) => {
    expect(between(text, zone, after, until)).toEqual(slots);
  });
});

/** An instant near each change of the clock, and one far from any. */
const ANCHORS: readonly (readonly [zone: string, at: string])[] = [
  ['Europe/Berlin', '2025-03-30T01:00Z'],
  ['Europe/Berlin', '2025-10-26T01:00Z'],
  ['America/New_York', '2024-03-10T07:00Z'],
  ['America/New_York', '2024-11-03T06:00Z'],
  ['Australia/Lord_Howe', '2025-04-05T15:00Z'],
  ['Australia/Lord_Howe', '2025-10-04T15:30Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00Z'],
  ['America/Sao_Paulo', '2018-11-04T03:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'],
  ['Pacific/Apia', '2012-03-31T14:00Z'],
  ['UTC', '2024-02-29T00:00Z'],
  ['UTC', '2024-12-31T23:00Z'],
];

describe.each(ANCHORS)('%s around %s agrees with someone who watches the clock', (zone, at) => {
  const anchor = Date.parse(at);

  test.each([
    ['each minute of six days', false, 60_000, 3 * DAY],
    ['each second of four hours', true, 1000, 2 * HOUR],
  ] as const)(
    '%s',
    (_title, seconds, step, radius) => {
      const days = stretch(zone, anchor - radius, anchor + radius, step);
      const until = days.from + (days.walls.length - 1) * step;
      fc.assert(
        fc.property(lines(seconds), fc.double({ min: 0, max: 1, noNaN: true }), (line, part) => {
          const parsed = parseCron(line.text, zone, 'UTC');
          const expected = walked(days, line);
          if ('problem' in parsed) {
            // Refused is only what never fires; that is tried elsewhere against the calendar.
            expect(parsed.problem).toContain('never fires');
            expect(expected).toEqual([]);
            return;
          }
          expect(slotsBetween(parsed, days.from, until, Number.POSITIVE_INFINITY)).toEqual(expected);
          const after = Math.floor(days.from + part * (until - days.from));
          expect(lastSlot(parsed, days.from, after)).toBe(expected.filter((slot) => slot <= after).at(-1));
          const next = expected.find((slot) => slot > after);
          // Asked from anywhere, in any order and with any memo, the answer is the same.
          if (next !== undefined) expect(nextSlot(parsed, after)).toBe(next);
          else expect(nextSlot(parsed, after) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(until);
        }),
        { numRuns: 40 },
      );
    },
    30_000,
  );
});

describe('nextSlot', () => {
  it('is strictly after, to the millisecond', () => {
    const noon = Date.UTC(2025, 5, 1, 12);
    expect(nextSlot(cron('0 12 * * *'), noon - 1)).toBe(noon);
    expect(nextSlot(cron('0 12 * * *'), noon)).toBe(noon + DAY);
  });

  it('finds the leap day across a century without one', () => {
    expect(nextSlot(cron('0 0 29 2 *'), Date.UTC(2097, 0, 1))).toBe(Date.UTC(2104, 1, 29));
  });

  it('finds a Saturday that is a leap day, at once even with seconds', () => {
    expect(nextSlot(cron('* * * 29 2 */6'), Date.UTC(2021, 0, 1))).toBe(Date.UTC(2032, 1, 29));
  });

  it('always goes forward in every zone, over decades', () => {
    const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    const instant = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2037, 0, 1) });
    fc.assert(
      fc.property(zone, instant, lines(false), (name, start, line) => {
        const parsed = parseCron(line.text, name, 'UTC');
        if ('problem' in parsed) return;
        let at = start;
        for (let nth = 0; nth < 6; nth += 1) {
          const next = nextSlot(parsed, at);
          if (next === undefined) return;
          expect(next).toBeGreaterThan(at);
          expect(nextSlot(parsed, next - 1)).toBe(next);
          at = next;
        }
      }),
      { numRuns: 25 },
    );
  }, 30_000);

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Date.UTC(9999, 0, 1)])('has no slot after %s', (after) => {
    expect(nextSlot(cron('* * * * *'), after)).toBeUndefined();
  });

  it('asks the calendar once for each slot', () => {
    const parsed = cron('0 3 * * *', 'Europe/Berlin');
    const slot = nextSlot(parsed, Date.UTC(2025, 5, 1))!;
    // A calendar that cannot be asked any more.
    const deaf = { ...parsed, calendar: undefined as never };
    for (let at = slot - HOUR; at < slot; at += 1000) expect(nextSlot(deaf, at)).toBe(slot);
  });
});

describe('slotsBetween', () => {
  it('excludes the start, includes the end and stops at the limit', () => {
    const noon = Date.UTC(2025, 5, 1, 12);
    expect(slotsBetween(cron('0 * * * *'), noon, noon + 2 * HOUR, 10)).toEqual([
      noon + HOUR,
      noon + 2 * HOUR,
    ]);
    expect(slotsBetween(cron('0 * * * *'), noon, noon + DAY, 1)).toEqual([noon + HOUR]);
    expect(slotsBetween(cron('0 * * * *'), noon, noon + HOUR - 1, 10)).toEqual([]);
  });
});
