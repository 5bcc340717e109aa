import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSame } from '../../src/model/same.ts';

/** JSON in which the order of keys says nothing, made the slow way. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, 0, 1, '', 'a'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(tie('value'), fc.constant(undefined)), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  ),
})).value;

it('agrees with the JSON of both values', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      expect(isSame(a, b)).toBe(sorted(a) === sorted(b));
    }),
    { numRuns: 3000 },
  );
});

it('takes a copy for the same, whatever the order of its keys', () => {
  fc.assert(
    fc.property(values, (value) => {
      expect(isSame(value, structuredClone(value))).toBe(true);
    }),
  );
  expect(isSame({ a: 1, b: [{ c: 2 }] }, { b: [{ c: 2 }], a: 1 })).toBe(true);
});

it('tells a missing key from null, and an empty list from an empty map', () => {
  expect(isSame({ a: null }, {})).toBe(false);
  expect(isSame({ a: undefined }, {})).toBe(true);
  expect(isSame([], {})).toBe(false);
  expect(isSame([1], [1, 2])).toBe(false);
});
