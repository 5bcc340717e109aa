import { describe, expect, test } from 'vitest';
import { didYouMean } from '../../src/cli/did-you-mean.ts';
import { age, humanBytes, percent, shortDuration } from '../../src/cli/quantities.ts';

const SECOND = 1000;
const DAY = 86_400 * SECOND;

describe('quantities in few columns', () => {
  test.each([
    [0, '0s'],
    [59_999, '59s'],
    [60 * SECOND, '1m'],
    [3599 * SECOND, '59m'],
    [3600 * SECOND, '1h'],
    [DAY - 1, '23h'],
    [6 * DAY, '6d'],
    [-5, '0s'],
  ])('%i ms is %s', (milliseconds, shown) => expect(shortDuration(milliseconds)).toBe(shown));

  test.each([
    [null, '-'],
    [0, '0B'],
    [999, '999B'],
    [1000, '1.0K'],
    [1536, '1.5K'],
    [48 * 1024 ** 2, '48M'],
    [1000 * 1024 ** 2, '1.0G'],
    [1.25 * 1024 ** 4, '1.3T'],
  ])('%s bytes are %s', (bytes, shown) => expect(humanBytes(bytes)).toBe(shown));

  test.each([
    [null, '-'],
    [0, '0%'],
    [0.44, '0.4%'],
    [12.4, '12%'],
    [250, '250%'],
  ])('%s percent is %s', (value, shown) => expect(percent(value)).toBe(shown));

  test('an age is told from an ISO time; one that is missing or broken is a dash', () => {
    expect(age('2026-01-01T00:00:00.000Z', Date.UTC(2026, 0, 1, 3))).toBe('3h');
    expect(age(null, 0)).toBe('-');
    expect(age('yesterday', 0)).toBe('-');
  });
});

describe('did you mean', () => {
  const known = ['web', 'worker', 'max_backoff', 'db'];
  test.each([
    { word: 'wbe', meant: '; did you mean web?', why: 'two neighbours swapped' },
    { word: 'Web', meant: '; did you mean web?', why: 'another case' },
    { word: 'workr', meant: '; did you mean worker?', why: 'a letter missing' },
    { word: 'max_backof', meant: '; did you mean max_backoff?', why: 'the end missing' },
    { word: 'pg', meant: '', why: 'too short to be near to anything' },
    { word: 'zebra', meant: '', why: 'nothing is near' },
  ])('$word: $why', ({ word, meant }) => expect(didYouMean(word, known)).toBe(meant));
});
