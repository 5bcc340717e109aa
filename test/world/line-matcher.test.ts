import vm from 'node:vm';
import { expect, it, vi } from 'vitest';
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

it('matches at once: nothing is made for each pattern that takes longer than a match', () => {
  matches('a', ['a']);
  const spy = vi.spyOn(vm, 'createContext');
  expect([matches('b', ['a', 'b']), matches('a', ['a', 'b'])]).toEqual([
    [false, true],
    [true, false],
  ]);
  expect(spy).not.toHaveBeenCalled();
  spy.mockRestore();
});

it.each([
  [0, [true]],
  [50, undefined],
])('counts the %i ms that it had, not those in which others had the processor', (used, answer) => {
  const late = Object.assign(new Error('late'), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
  const run = vi.spyOn(vm, 'runInContext').mockImplementationOnce(() => {
    throw late;
  });
  const usage = vi.spyOn(process, 'cpuUsage').mockReturnValue({ user: used * 1000, system: 0 });
  expect(matches('a', ['a'], 50)).toEqual(answer);
  for (const spy of [run, usage]) spy.mockRestore();
});

it('says what is no pattern', () => {
  expect(lineMatcher('(')).toEqual({ refused: expect.stringContaining('Unterminated group') });
});
