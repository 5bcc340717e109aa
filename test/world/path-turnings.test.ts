import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { turningsOf } from '../../src/world/path-turnings.ts';

test('a path without links turns only where its last entry stands', () => {
  const top = directory();
  fs.mkdirSync(join(top, 'a/b'), { recursive: true });
  expect(shown(join(top, 'a/b'))).toEqual([[join(top, 'a'), ['b']]]);
});

test('each link on the way counts, those behind other links and relative ones too', () => {
  const top = directory();
  fs.mkdirSync(join(top, 'releases/1/config.d'), { recursive: true });
  fs.symlinkSync('releases/1', join(top, 'stable'));
  fs.symlinkSync(join(top, 'stable'), join(top, 'current'));
  expect(shown(join(top, 'current/config.d'))).toEqual([
    [top, ['current', 'stable']],
    [join(top, 'releases/1'), ['config.d']],
  ]);
  fs.symlinkSync('../stable', join(top, 'releases/back'));
  expect(shown(join(top, 'releases/back'))).toEqual([
    [join(top, 'releases'), ['1', 'back']],
    [top, ['stable']],
  ]);
});

test('where the path breaks off, the missing entry is waited for', () => {
  const top = directory();
  expect(shown(join(top, 'missing/config.d'))).toEqual([[top, ['missing']]]);
  fs.symlinkSync('nowhere/deep', join(top, 'dangling'));
  expect(shown(join(top, 'dangling'))).toEqual([[top, ['dangling', 'nowhere']]]);
});

test('links that lead to each other come to an end', () => {
  const top = directory();
  fs.symlinkSync('there', join(top, 'here'));
  fs.symlinkSync('here', join(top, 'there'));
  expect(shown(join(top, 'here'))).toEqual([[top, ['here', 'there']]]);
});

function directory(): string {
  const path = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  onTestFinished(() => fs.rmSync(path, { recursive: true }));
  return path;
}

function shown(path: string): readonly (readonly [string, readonly string[]])[] {
  return turningsOf(path).map(({ parent, names }) => [parent, [...names].sort()]);
}
