import { describe, expect, it, test } from 'vitest';
import { pathPattern } from '../../src/model/path-pattern.ts';

const ROOT = '/srv/app';

function means(pattern: string, path: string): boolean {
  return pathPattern(pattern)(`${ROOT}/${path}`, path);
}

describe('an ignore pattern', () => {
  test.each<[pattern: string, meant: readonly string[], others: readonly string[]]>([
    ['dist', ['dist', 'a/dist', 'dist/a/b', 'a/dist/b'], ['dist2', 'a/mydist', 'dis']],
    ['dist/', ['dist', 'a/dist/b'], ['dist2']],
    ['*.log', ['x.log', 'a/x.log', '.log', 'x.log/y'], ['x.log2', 'xlog']],
    ['*', ['a', '.hidden', 'a/b'], []],
    ['a?c', ['abc', 'x/a.c'], ['ac', 'abbc', 'a/c']],
    ['*a*b*', ['ab', 'xaxbx', 'aab'], ['ba', 'a', 'a/b']],
    ['src/*.js', ['src/a.js', 'src/a.js/b'], ['src/a/b.js', 'x/src/a.js', 'src/a.ts']],
    ['src/**/*.js', ['src/a.js', 'src/x/y/a.js'], ['a.js', 'lib/src/a.js', 'src/a.ts']],
    ['**/gen/*', ['gen/a', 'x/y/gen/a', 'gen/a/b'], ['gen', 'x/gen']],
    ['docs/**', ['docs', 'docs/a', 'docs/a/b'], ['a/docs', 'docs2/a']],
    ['**', ['a', 'a/b'], []],
    ['./build/out', ['build/out', 'build/out/a'], ['a/build/out', 'build']],
    ['/srv/app/tmp', ['tmp', 'tmp/a'], ['a/tmp', 'tmp2']],
    ['/srv/*/tmp', ['tmp/a'], ['a/tmp']],
    ['/tmp', [], ['tmp', 'a/tmp']],
    ['a.b', ['a.b'], ['axb']],
    ['[ab]', ['[ab]'], ['a', 'b']],
    ['日*', ['日本', 'x/日'], ['本日']],
    ['', [], ['a']],
    ['/', [], ['a']],
  ])('%j', (pattern, meant, others) => {
    expect(meant.filter((path) => !means(pattern, path))).toEqual([]);
    expect(others.filter((path) => means(pattern, path))).toEqual([]);
  });

  it('takes no time that grows with the power of its stars', () => {
    const stars = '*a'.repeat(40);
    expect(means(`${stars}b`, 'a'.repeat(400))).toBe(false);
    expect(means(`x/${'**/a/'.repeat(20)}b`, `x/${'a/'.repeat(60)}c`)).toBe(false);
  }, 1000);
});
