import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Tail, type TailOptions } from '../../src/cli/tail.ts';

function place(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tail-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'stdout.log');
}

function tail(path: string, options: Partial<TailOptions> = {}): Tail {
  const made = new Tail(path, { lines: 2, links: false, ...options });
  onTestFinished(() => made.close());
  return made;
}

test.each([
  { text: 'a\nb\nc\n', lines: 2, seen: ['b', 'c'] },
  { text: 'a\nb\nc\n', lines: 9, seen: ['a', 'b', 'c'] },
  { text: 'a\nb\nc\n', lines: 0, seen: [] },
  { text: 'a\nb\nc\n', lines: null, seen: ['a', 'b', 'c'] },
  { text: '', lines: 2, seen: [] },
  { text: '\n\n\n', lines: 2, seen: ['', ''] },
])('the last $lines lines of $text', ({ text, lines, seen }) => {
  const path = place();
  writeFileSync(path, text);
  expect(tail(path, { lines }).read()).toEqual(seen);
});

test('a line counts when it is complete, and its characters may come in pieces', () => {
  const path = place();
  writeFileSync(path, 'a\nhalf');
  const one = tail(path);
  expect(one.read()).toEqual(['a']);
  const euro = Buffer.from(' €\n');
  appendFileSync(path, euro.subarray(0, 2));
  expect(one.read()).toEqual([]);
  appendFileSync(path, euro.subarray(2));
  expect(one.read()).toEqual(['half €']);
});

test('lines are found across the borders of what is read at once', () => {
  const path = place();
  const lines = Array.from({ length: 3000 }, (_, index) => `${index} ${'x'.repeat(90)}`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  expect(tail(path, { lines: 2000 }).read()).toEqual(lines.slice(1000));
});

test('a file that is renamed is read to its end, and the new one from its beginning', () => {
  const path = place();
  writeFileSync(path, 'a\n');
  const one = tail(path);
  one.read();
  appendFileSync(path, 'b\nunfinished');
  renameSync(path, `${path}.1`);
  expect(one.read()).toEqual(['b']);
  writeFileSync(path, 'c\nd\ne\n');
  expect(one.read()).toEqual(['unfinished', 'c', 'd', 'e']);
});

test('a file that became shorter is read from its beginning', () => {
  const path = place();
  writeFileSync(path, 'a\nb\n');
  const one = tail(path);
  one.read();
  truncateSync(path);
  expect(one.read()).toEqual([]);
  appendFileSync(path, 'c\n');
  expect(one.read()).toEqual(['c']);
});

test('a file that is not there yet is shown from its first line on', () => {
  const path = place();
  const one = tail(path, { lines: 1 });
  expect(one.read()).toEqual([]);
  expect(one.trouble).toBeUndefined();
  writeFileSync(path, 'a\nb\n');
  expect(one.read()).toEqual(['a', 'b']);
});

test('a fifo is refused at once instead of waited for', () => {
  const path = place();
  execFileSync('mkfifo', [path]);
  const one = tail(path);
  expect(one.read()).toEqual([]);
  expect(one.trouble).toBe('it is no regular file');
});

test('a link is refused, unless links are allowed', () => {
  const path = place();
  writeFileSync(`${path}.real`, 'a\n');
  symlinkSync(`${path}.real`, path);
  const refused = tail(path);
  expect(refused.read()).toEqual([]);
  expect(refused.trouble).toBe('it is a symbolic link');
  expect(tail(path, { links: true }).read()).toEqual(['a']);
});
