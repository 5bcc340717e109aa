import { expect, it } from 'vitest';
import { readExcerpts } from '../../src/daemon/service-logs.ts';
import type { LogFile } from '../../src/world/log-files.ts';
import { defined, problem } from '../builders.ts';

function textFile(text: string): LogFile {
  const bytes = Buffer.from(text);
  return {
    identity: 'memory',
    size: () => bytes.length,
    read: (position, length) => bytes.subarray(position, position + length),
    close: () => undefined,
  };
}

const excerpts = (text: string, starts: readonly (number | undefined)[]) =>
  readExcerpts(defined(), starts, () => textFile(text));

it('gives each run of a schedule the lines that it wrote itself, the last of them', () => {
  const runs = ['one\n', 'two\ntwo again\n', ['a', 'b', 'c', 'd', 'e', 'f', ''].join('\n')];
  const [first = '', second = ''] = runs;
  expect(excerpts(runs.join(''), [first.length + second.length, first.length, 0])).toEqual([
    ['b', 'c', 'd', 'e', 'f'],
    ['two', 'two again'],
    ['one'],
  ]);
});

it('knows nothing of runs whose beginning nobody noted, or whose lines were rotated away', () => {
  expect(excerpts('new\n', [0, 900, undefined])).toEqual([['new'], undefined, undefined]);
  expect(excerpts('', [0])).toEqual([[]]);
});

it('knows nothing when the log cannot be read', () => {
  expect(readExcerpts(defined(), [0, 5], () => problem())).toEqual([undefined, undefined]);
});
