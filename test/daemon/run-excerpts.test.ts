import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RunStart, readExcerpts } from '../../src/daemon/run-excerpts.ts';
import { defined } from '../builders.ts';

const NOON = Date.UTC(2026, 10, 21, 12);

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function write(name: string, text: string, modified = NOON): void {
  const path = join(directory, name);
  fs.writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  fs.utimesSync(path, modified / 1000, modified / 1000);
}
const excerpts = (starts: readonly RunStart[]) =>
  readExcerpts(defined({ spec: { logs: { stdout: join(directory, 'out.log') } } }), starts);
const runs = (starts: readonly (number | undefined)[]) => starts.map((from) => ({ at: NOON, from }));

it('gives each run of a schedule the lines that it wrote itself, the last of them', () => {
  const written = ['one\n', 'two\ntwo again\n', ['a', 'b', 'c', 'd', 'e', 'f', ''].join('\n')];
  const [first = '', second = ''] = written;
  write('out.log', written.join(''));
  expect(excerpts(runs([first.length + second.length, first.length, 0]))).toEqual([
    ['b', 'c', 'd', 'e', 'f'],
    ['two', 'two again'],
    ['one'],
  ]);
});

it('finds them in the file into which they were rotated, or in two files', () => {
  write('out.log.2', 'first\n', NOON);
  write('out.log.1', 'second\nthird\nthird a\n', NOON + 2000);
  write('out.log', 'third b\nfourth\nfifth\n', NOON + 4000);
  expect(
    excerpts([
      { at: NOON + 3500, from: 'third b\nfourth\n'.length },
      { at: NOON + 3000, from: 'third b\n'.length },
      { at: NOON + 1500, from: 'second\n'.length },
      { at: NOON + 1000, from: 0 },
      { at: NOON - 1000, from: 0 },
    ]),
  ).toEqual([['fifth'], ['fourth'], ['third', 'third a', 'third b'], ['second'], ['first']]);
});

it('is not taken in by a log that was rotated and has grown again', () => {
  write('out.log.1.gz', 'old run\n', NOON);
  write('out.log', 'something that is longer than before\n', NOON + 2000);
  expect(excerpts([{ at: NOON - 1000, from: 4 }])).toEqual([undefined]);
});

it('knows nothing of runs whose beginning nobody noted, or whose lines were cut off', () => {
  write('out.log', 'new\n');
  expect(excerpts(runs([0, 900, undefined]))).toEqual([['new'], undefined, undefined]);
  write('out.log', '');
  expect(excerpts(runs([0]))).toEqual([[]]);
});

it('knows nothing when the log cannot be read', () => {
  expect(excerpts(runs([0, 5]))).toEqual([undefined, undefined]);
});
