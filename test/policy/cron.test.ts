import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Cron, parseCron } from '../../src/policy/cron.ts';
import { DAY_OF_WEEK, HOUR, parseField } from '../../src/policy/cron-field.ts';
import { slotsBetween } from '../../src/policy/slots.ts';

const NEW_YEAR = Date.UTC(2025, 0, 1);
const NEXT_YEAR = Date.UTC(2026, 0, 1);

function refusal(text: string, zone: string | null = 'UTC', host = 'UTC'): string {
  const found = parseCron(text, zone, host);
  if (!('problem' in found)) throw new Error(`${text} was accepted`);
  return `${found.problem}; ${found.hint ?? ''}`;
}

function year(text: string): readonly number[] {
  const found = parseCron(text, null, 'UTC');
  if ('problem' in found) throw new Error(found.problem);
  return slotsBetween(found as Cron, NEW_YEAR - 1, NEXT_YEAR - 1, 1000);
}

describe('two ways to write the same', () => {
  test.each([
    ['@yearly', '0 0 1 1 *'],
    ['@annually', '0 0 1 1 *'],
    ['@monthly', '0 0 1 * *'],
    ['@weekly', '0 0 * * 0'],
    ['@daily', '0 0 * * *'],
    ['@midnight', '0 0 * * *'],
    ['@Hourly', '0 * * * *'],
    ['0 5 * * *', '0 0 5 * * *'],
    ['  0\t5 *  * * ', '0 5 * * *'],
    ['0 0 * * 7', '0 0 * * 0'],
    ['0 0 * * sun', '0 0 * * SUN'],
    ['0 0 * * MON-SUN', '0 0 * * *'],
    ['0 0 * * 0-7', '0 0 * * *'],
    ['0 0 * * 7-7', '0 0 * * 0'],
    ['0 0 * * 5-7', '0 0 * * 5,6,0'],
    ['0 0 * * 7-2', '0 0 * * 0,1,2'],
    ['0 0 * * FRI-MON', '0 0 * * 5,6,0,1'],
    ['0 22-2 * * *', '0 22,23,0,1,2 * * *'],
    ['0 22-3/2 * * *', '0 22,0,2 * * *'],
    ['0 0 1 Nov-feb *', '0 0 1 1,2,11,12 *'],
    ['0 0 1 1-7/3 *', '0 0 1 1,4,7 *'],
    ['0 */24 * * *', '0 0 * * *'],
    ['05 00 01 * *', '5 0 1 * *'],
  ])('%s is %s', (one, other) => {
    expect(year(one)).toEqual(year(other));
    expect(year(one).length).toBeGreaterThan(0);
  });
});

describe('days', () => {
  it('match by month or by week where both are restricted', () => {
    const days = year('0 0 13 * 5').map((slot) => new Date(slot));
    expect(days.every((day) => day.getUTCDate() === 13 || day.getUTCDay() === 5)).toBe(true);
    expect(days.filter((day) => day.getUTCDate() === 13)).toHaveLength(12);
    expect(days.filter((day) => day.getUTCDay() === 5)).toHaveLength(52);
  });

  test.each(['0 0 */2 * 1', '0 0 1-31/2 * */7,1'])('match by both where one has a star: %s', (text) => {
    const days = year(text).map((slot) => new Date(slot));
    expect(days.length).toBeGreaterThan(20);
    expect(days.every((day) => day.getUTCDate() % 2 === 1 && day.getUTCDay() <= 1)).toBe(true);
  });

  it('an impossible day of the month leaves the day of the week', () => {
    expect(year('0 0 31 2 1')).toEqual(year('0 0 * 2 1'));
  });

  it('never fires exactly when no named month has a named day', () => {
    const monthday = fc.integer({ min: 28, max: 31 });
    const month = fc.integer({ min: 1, max: 12 });
    const lists = fc.tuple(
      fc.uniqueArray(monthday, { minLength: 1, maxLength: 2 }),
      fc.uniqueArray(month, { minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(lists, ([days, months]) => {
        // 2024 is a leap year: it has every day that ever is.
        const exists = days.some((day) =>
          months.some((each) => new Date(Date.UTC(2024, each - 1, day)).getUTCMonth() === each - 1),
        );
        const found = parseCron(`0 0 ${days} ${months} *`, null, 'UTC');
        expect('problem' in found).toBe(!exists);
      }),
    );
  });
});

describe('refused', () => {
  test.each([
    ['61 * * * *', /minute field has 61.* 0 to 59/],
    ['60 * * * * *', /second field has 60/],
    ['* 24 * * *', /hour field has 24/],
    ['* * 0 * *', /day-of-month field has 0/],
    ['* * 32 * *', /day-of-month field has 32/],
    ['* * * 13 *', /month field has 13/],
    ['* * * * 8', /day-of-week field has 8/],
    ['', /empty/],
    ['   ', /empty/],
    ['* * * *', /4 fields/],
    ['*', /1 field,/],
    ['* * * * * * *', /7 fields/],
    ['0 0 L * *', /day-of-month field has "L"/],
    ['0 0 15W * *', /day-of-month field has "15W"/],
    ['0 0 * * 5L', /day-of-week field has "5L"/],
    ['0 0 * * MON#2', /day-of-week field has "MON#2"/],
    ['0 0 ? * *', /day-of-month field has "\?"/],
    ['H * * * *', /minute field has "H"/],
    ['0~30 * * * *', /minute field has "0~30"/],
    ['0 0 * JANUARY *', /month field has "JANUARY".*names JAN to DEC/],
    ['0 0 * MON *', /month field has "MON"/],
    ['0 MON * * *', /hour field has "MON"/],
    ['1,,2 * * * *', /minute field has an empty part/],
    ['-5 * * * *', /minute field has an empty part/],
    ['5- * * * *', /minute field has an empty part/],
    ['1-2-3 * * * *', /minute field has "1-2-3"/],
    ['*-5 * * * *', /minute field has "\*"/],
    ['**/5 * * * *', /minute field has "\*\*"/],
    ['1.5 * * * *', /minute field has "1.5"/],
    ['1e1 * * * *', /minute field has "1e1"/],
    ['*/0 * * * *', /step.* 1 to 60/],
    ['*/61 * * * *', /step.* 1 to 60/],
    ['10-20/12 * * * *', /step.* 1 to 11/],
    ['*/5/5 * * * *', /minute field has "\*\/5\/5"/],
    ['*/ * * * *', /4 fields|minute field/],
    ['5/15 * * * *', /minute field has "5\/15".*5-59\/15/],
    ['@reboot', /@reboot.*starts together with the daemon/],
    ['@every 5m', /@every 5m is not known.*@hourly/],
    ['@constructor', /not known/],
    ['0 0 30 2 *', /never fires/],
    ['0 0 31 4,6,9,11 *', /never fires/],
    [`${'1,'.repeat(600)}1 * * * *`, /too long/],
  ])('%s', (text, sentence) => {
    expect(refusal(text)).toMatch(sentence);
  });

  test.each([
    ['Mars/Olympus', /"Mars\/Olympus" is no time zone.*Europe\/Berlin or UTC/],
    ['berlin', /did you mean Europe\/Berlin/],
    ['America/new york', /did you mean America\/New_York/],
    ['+02:00', /no time zone/],
    ['', /no time zone/],
  ])('the time zone %j', (zone, sentence) => {
    expect(refusal('0 0 * * *', zone)).toMatch(sentence);
  });

  it('the zone of the host, when that is wrong', () => {
    expect(refusal('0 0 * * *', null, 'Nowhere')).toMatch(/"Nowhere" is no time zone/);
  });

  it('never by throwing, and never accepted without meaning anything', () => {
    const piece = fc.constantFrom(
      '*',
      '0',
      '7',
      '12',
      '59',
      '-',
      '/',
      ',',
      ' ',
      ' ',
      ' * ',
      'MON',
      'L',
      '#',
      '?',
      '@',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const found = parseCron(pieces.join(''), null, 'UTC');
        if ('problem' in found) expect(found.problem).not.toBe('');
        else expect(slotsBetween(found, NEW_YEAR, Date.UTC(2034, 0, 1), 1)).toHaveLength(1);
      }),
      { numRuns: 2000 },
    );
  });
});

it('takes the zone of the host only where none is named', () => {
  const zoneOf = (zone: string | null) => (parseCron('0 0 * * *', zone, 'Asia/Tokyo') as Cron).zone.name;
  expect(zoneOf(null)).toBe('Asia/Tokyo');
  expect(zoneOf('UTC')).toBe('UTC');
});

it('reads one field', () => {
  expect(parseField('SAT-1', DAY_OF_WEEK)).toEqual([0, 1, 6]);
  expect(parseField('23-1,5', HOUR)).toEqual([0, 1, 5, 23]);
});
