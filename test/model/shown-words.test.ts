import { describe, expect, it } from 'vitest';
import { firstAndMore, firstOf } from '../../src/model/shown-words.ts';

describe('many names in a sentence', () => {
  it.each([
    [[], '', ''],
    [['a'], 'a', 'a'],
    [['a', 'b'], 'a, b', 'a, b'],
    [['a', 'b', 'c'], 'a, b, …', 'a, b and 1 more'],
    [[1, 2, 3, 4], '1, 2, …', '1, 2 and 2 more'],
  ])('are told of %j', (words, first, more) => {
    expect(firstOf(words, 2)).toBe(first);
    expect(firstAndMore(words, 2)).toBe(more);
  });
});
