/** Is a schedule taken exactly when crontab(5) has a meaning for it, and does it fire exactly then, in every zone? */
import fc from 'fast-check';
import { expect } from 'vitest';
import { parseCron } from '../../src/policy/cron.ts';
import { nextSlot, slotsBetween } from '../../src/policy/slots.ts';
import { type Stretch, stretch, walked } from '../policy/wall-walker.ts';
import { crontab, everFires, lineOf, nextInUtc } from './crontab.ts';
import { anyText, damaged } from './noise.ts';
import { fuzz } from './share.ts';

const DAY = 86_400_000;

const value = fc.oneof(
  { weight: 12, arbitrary: fc.nat(12).map(String) },
  { weight: 6, arbitrary: fc.nat(62).map(String) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'mon',
      'SUN',
      'Sat',
      'jan',
      'FEB',
      'dec',
      'L',
      'W',
      '15W',
      'LW',
      '?',
      'H',
      '5L',
      '',
      '-',
    ),
  },
);
const range = fc.oneof(
  { weight: 4, arbitrary: fc.constant('*') },
  { weight: 4, arbitrary: value },
  { weight: 3, arbitrary: fc.tuple(value, value).map(([from, to]) => `${from}-${to}`) },
  { weight: 1, arbitrary: fc.tuple(value, value).map(([day, nth]) => `${day}#${nth}`) },
);
const item = fc.oneof(
  { weight: 4, arbitrary: range },
  { weight: 1, arbitrary: fc.tuple(range, fc.nat(70)).map(([of, step]) => `${of}/${step}`) },
);
const field = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
const usual = fc.oneof({ weight: 3, arbitrary: fc.constant('*') }, { weight: 1, arbitrary: field });
const nickname = fc.constantFrom(
  '@yearly',
  '@Monthly',
  '@weekly',
  '@DAILY',
  '@hourly',
  '@reboot',
  '@every 5m',
  '@',
  '@toString',
);
const line = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(field, usual, usual, usual, usual).map((all) => all.join(' ')) },
  { weight: 3, arbitrary: fc.tuple(usual, field, usual, field, usual, field).map((all) => all.join(' ')) },
  { weight: 2, arbitrary: fc.array(field, { minLength: 3, maxLength: 8 }).map((all) => all.join('  ')) },
  { weight: 1, arbitrary: nickname },
);

fuzz(
  'schedule: grammar',
  fc.tuple(
    fc.oneof({ weight: 6, arbitrary: line }, damaged(line, 2), anyText),
    fc.oneof(
      { weight: 8, arbitrary: fc.constant('UTC') },
      fc.constantFrom('', 'Mars/Base', '../UTC', '+02:00', 'utc'),
      anyText,
    ),
  ),
  ([text, zone]) => {
    const found = parseCron(text, zone, 'UTC');
    const expected = crontab(text);
    if ('problem' in found) {
      expect(found.problem).toMatch(/^\S.{5,}$/s);
      expect(found.problem.length).toBeLessThan(2500);
      const isZone = found.problem.includes('is no time zone');
      if (isZone) expect(zone).not.toMatch(/^UTC$/);
      else expect(expected === undefined || !everFires(expected)).toBe(true);
      return;
    }
    expect(expected).toBeDefined();
    const next = nextSlot(found, 0);
    expect(next).toBeGreaterThan(0);
    if (zone === 'UTC') expect(nextSlot(found, next! - 1)).toBe(next);
  },
);

fuzz(
  'schedule: far ahead',
  fc.tuple(line, fc.integer({ min: 0, max: Date.UTC(2150, 0, 1) })),
  ([text, after]) => {
    const expected = crontab(text);
    const found = parseCron(text, null, 'UTC');
    if (expected === undefined || 'problem' in found) return;
    // The 29th of February on a certain day of the week: 28 years, or 40 over a century without one.
    const next = nextInUtc(expected, after, 41 * 366);
    expect(next).toBeDefined();
    expect(nextSlot(found, after)).toBe(next);
    expect(nextSlot(found, next!)).toBe(nextInUtc(expected, next!, 41 * 366));
  },
);

/** Where the clock was set, and where a day has no such hour. */
const PLACES = [
  ['Europe/Berlin', '2025-03-30T01:00Z'],
  ['America/New_York', '2024-11-03T06:00Z'],
  ['Australia/Lord_Howe', '2025-10-04T15:30Z'],
  ['Africa/Casablanca', '2025-02-23T02:00Z'],
  ['America/Nuuk', '2024-03-31T01:00Z'],
  ['Asia/Gaza', '2024-10-26T00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'],
  ['Antarctica/Troll', '2025-03-30T01:00Z'],
  ['Asia/Kathmandu', '2024-02-29T12:00Z'],
  ['UTC', '2023-12-31T23:00Z'],
] as const;

const walks = new Map<number, Stretch>();

/** Each of them is walked once. */
function walk(nth: number): Stretch {
  const [zone, at] = PLACES[nth]!;
  const known = walks.get(nth) ?? stretch(zone, Date.parse(at) - DAY, Date.parse(at) + DAY, 60_000);
  walks.set(nth, known);
  return known;
}

/** Often in these days, so that there is something to see. */
const often = fc
  .tuple(field, fc.oneof(fc.constant('*'), field), usual, usual, usual)
  .map(([minute, hour, ...days]) => [minute, hour, ...days].join(' '));

fuzz('schedule: near the clock', fc.tuple(fc.nat(PLACES.length - 1), often), ([nth, text]) => {
  const expected = crontab(text);
  const found = parseCron(text, PLACES[nth]![0], 'UTC');
  if (expected === undefined || 'problem' in found) return;
  const days = walk(nth);
  const until = days.from + (days.walls.length - 1) * days.step;
  expect(slotsBetween(found, days.from, until, Number.POSITIVE_INFINITY)).toEqual(
    walked(days, lineOf(text, expected)),
  );
});
