import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseCount,
  parseCpu,
  parseDuration,
  parseInstant,
  parseLimit,
  parseMode,
  parseSize,
  parseUmask,
  printCpu,
  printDuration,
  printElapsed,
  printInstant,
  printMode,
  printSize,
} from '../../src/model/units.ts';

const REFUSED = { refused: expect.any(String) };

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['1.5s', 1500],
    ['0s', 0],
    [' 10s ', 10_000],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test('a number that no line could hold is not repeated', () => {
    const result = parseDuration('9'.repeat(100_000));
    expect(typeof result === 'object' && result.refused.length).toBeLessThan(200);
  });

  test('a bare number is refused with the units to add', () => {
    expect(parseDuration(30)).toEqual({ refused: '30 has no unit: write 30s or 30ms' });
    expect(parseDuration('30')).toEqual({ refused: '"30" has no unit: write 30s or 30ms' });
    expect(parseDuration(0.5)).toEqual({ refused: '0.5 has no unit: write 0.5s' });
  });

  test.each([
    '',
    '-5s',
    '5 s',
    '5x',
    '1m1h',
    '1s1s',
    'NaN',
    'Infinity',
    '1e3s',
    '0.0001ms',
    '9999999999999d',
    true,
  ])('%s is refused', (value) => {
    expect(parseDuration(value)).toEqual(REFUSED);
  });

  test('what is printed reads back as the same', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (milliseconds) => {
        expect(parseDuration(printDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });

  test('they are printed as people write them', () => {
    expect([0, 999, 60_000, 5_400_000, 90_061_001].map(printDuration)).toEqual([
      '0s',
      '999ms',
      '1m',
      '1h30m',
      '1d1h1m1s1ms',
    ]);
  });

  test('what something took is told to the second, where it took one', () => {
    expect([0, 57, 999, 1000, 2057, 61_600].map(printElapsed)).toEqual([
      '0s',
      '57ms',
      '999ms',
      '1s',
      '2s',
      '1m2s',
    ]);
  });
});

describe('sizes', () => {
  test.each([
    [4096, 4096],
    ['4096', 4096],
    ['64K', 65_536],
    ['64KiB', 65_536],
    ['64KB', 64_000],
    ['200M', 209_715_200],
    ['1.5G', 1_610_612_736],
    ['1T', 1_099_511_627_776],
    ['2TB', 2_000_000_000_000],
    ['max', null],
  ])('%s is %s bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([
    '',
    '-1',
    '1.5',
    '1k',
    '10 M',
    'M',
    '1e9',
    'NaN',
    '.inf',
    '99999T',
    'unlimited',
    Number.NaN,
    -4,
    true,
  ])('%s is refused', (value) => {
    expect(parseSize(value)).toEqual(REFUSED);
  });

  test('what is printed reads back as the same', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.maxSafeNat(),
          fc.nat(1000).map((count) => count * 1024 ** 3),
        ),
        (bytes) => {
          expect(parseSize(printSize(bytes))).toBe(bytes);
        },
      ),
    );
    expect([0, 1500, 209_715_200, null].map(printSize)).toEqual(['0', '1500', '200M', 'max']);
  });
});

describe('CPU', () => {
  test.each([
    [1.5, 1500],
    ['1.5', 1500],
    ['500m', 500],
    ['50%', 500],
    ['2.5%', 25],
    [2, 2000],
    ['max', null],
  ])('%s is %s thousandths of a core', (text, thousandths) => {
    expect(parseCpu(text)).toBe(thousandths);
  });

  test.each([0, '0', '5m', '-1', '1.0005', '', '1.5 cores', 'NaN', Number.POSITIVE_INFINITY, true])(
    '%s is refused',
    (value) => {
      expect(parseCpu(value)).toEqual(REFUSED);
    },
  );

  test('what is printed reads back as the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 10_000_000 }), (thousandths) => {
        expect(parseCpu(printCpu(thousandths))).toBe(thousandths);
      }),
    );
  });
});

describe('modes', () => {
  test.each(['660', '0660', '0o660', 660])('%s means rw-rw----', (value) => {
    expect(parseMode(value)).toBe(0o660);
  });

  test('the digits count, so 432 is r---wx-w- and refused', () => {
    expect(parseMode(432)).toEqual({
      refused: '432 means r---wx-w- and lets every user of the host in: end it with 0',
    });
  });

  test.each([999, 77_777, '0666', '664', '1777', '', 'rw-rw----', '-660', '6.6', true, Number.NaN])(
    '%s is refused',
    (value) => {
      expect(parseMode(value)).toEqual(REFUSED);
    },
  );

  test('no spelling at all grants anything to others', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.stringMatching(/^0?o?[0-9]{1,6}$/), fc.string()), (value) => {
        const mode = parseMode(value);
        expect(typeof mode === 'number' ? mode & 0o7007 : 0).toBe(0);
      }),
    );
  });

  test('what is printed reads back as the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0o77 }), (bits) => {
        expect(parseMode(printMode(bits << 3))).toBe(bits << 3);
      }),
    );
  });

  test('a umask may take everything from others', () => {
    expect(['022', '0o27', '77', '0777'].map(parseUmask)).toEqual([0o022, 0o027, 0o077, 0o777]);
    expect(parseUmask('1022')).toEqual(REFUSED);
    expect(parseUmask('8')).toEqual(REFUSED);
  });
});

test('an amount of CPU that no machine has is printed as exactly as any other', () => {
  expect(printCpu(8_977_413_585_148_147)).toBe('8977413585148.147');
  expect([10, 500, 1000, 1500, 20_001].map(printCpu)).toEqual(['0.01', '0.5', '1', '1.5', '20.001']);
});

test('counts go from 1 to their bound', () => {
  expect([1, '500', 'max'].map((value) => parseCount(value, 1000))).toEqual([1, 500, null]);
  for (const value of [0, '0', -1, 1001, 1.5, 'many', true]) expect(parseCount(value, 1000)).toEqual(REFUSED);
});

test('limits are numbers, sizes or unlimited', () => {
  expect([0, 1024, '64M', 'unlimited'].map(parseLimit)).toEqual([0, 1024, 67_108_864, null]);
  for (const value of ['max', -1, 'x', 1.5]) expect(parseLimit(value)).toEqual(REFUSED);
});

test('garbage is refused, never thrown at', () => {
  const readers = [parseDuration, parseSize, parseCpu, parseMode, parseUmask, parseLimit];
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.stringMatching(/^[0-9.]{0,80}[a-zA-Z%]*$/)),
      (value) => {
        for (const reader of readers) {
          const result = reader(value);
          if (typeof result === 'number') expect(Number.isSafeInteger(result) && result >= 0).toBe(true);
          else expect(result === null || result.refused.length < 200).toBe(true);
        }
      },
    ),
  );
});

describe('instants', () => {
  test.each([
    ['2030-01-01T00:00:00Z', Date.UTC(2030, 0, 1)],
    ['2030-01-01T01:00+01:00', Date.UTC(2030, 0, 1)],
    ['2028-02-29T23:59:59.5-03:30', Date.UTC(2028, 2, 1, 3, 29, 59, 500)],
  ])('%s', (text, instant) => {
    expect(parseInstant(text)).toBe(instant);
  });

  test.each([
    '2030-01-01',
    '2030-01-01T00:00:00',
    '2030-02-30T00:00Z',
    '2030-01-01T25:00Z',
    '1893456000',
    'now',
    '',
  ])('%j is none', (text) => {
    expect(parseInstant(text)).toEqual(REFUSED);
  });

  test('what is printed is read back', () => {
    const instants = fc.date({
      min: new Date(0),
      max: new Date('9999-12-31T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(instants, (date) => {
        expect(parseInstant(printInstant(date.getTime()))).toBe(date.getTime());
      }),
    );
  });
});
