import { expect, it } from 'vitest';
import { LONGEST_MATCHED, lineMatcher } from '../../src/world/line-matcher.ts';

function matches(pattern: string, lines: readonly string[], patience?: number) {
  const matcher = lineMatcher(pattern, patience);
  if ('refused' in matcher) throw new Error(matcher.refused);
  return matcher.matches(lines);
}

it('answers for each line', () => {
  expect(matches('err(or)?$', ['an error', 'error here', 'err'])).toEqual([true, false, true]);
  expect(matches('a.c', [])).toEqual([]);
});

it('looks at the beginning of a long line only', () => {
  const before = 'x'.repeat(LONGEST_MATCHED - 3);
  expect(matches('end', [`${before}end`, `${before}-end`])).toEqual([true, false]);
});

it('gives up a pattern that would take for ever, and does not try again', () => {
  const matcher = lineMatcher('(a+)+$', 50);
  if ('refused' in matcher) throw new Error(matcher.refused);
  expect(matcher.matches([`${'a'.repeat(100)}b`])).toBeUndefined();
  expect(matcher.matches(['a'])).toBeUndefined();
});

it('says what is no pattern', () => {
  expect(lineMatcher('(')).toEqual({ refused: expect.stringContaining('Unterminated group') });
});
