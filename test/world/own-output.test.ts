import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isWrittenTo, unkept } from '../../src/world/own-output.ts';

function ground(): { readonly directory: string; readonly open: (name: string) => number } {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const open = (name: string): number => {
    const fd = fs.openSync(join(directory, name), name === '' ? 'r' : 'a');
    onTestFinished(() => fs.closeSync(fd));
    return fd;
  };
  return { directory, open };
}

test('only a file behind a descriptor keeps what is written there', () => {
  const { directory, open } = ground();
  expect(unkept(`/proc/self/fd/${open('out')}`)).toBeUndefined();
  const path = `/proc/self/fd/${open('')}`;
  expect(unkept(path)).toMatchObject({ code: 'log-unreadable', message: expect.stringContaining(path) });
  // Whatever else is wrong with a path is told by whoever opens it.
  expect(unkept(directory)).toBeUndefined();
});

test('a file is where a descriptor writes to, by whatever name', () => {
  const { directory, open } = ground();
  const fd = open('out');
  fs.symlinkSync('out', join(directory, 'link'));
  fs.writeFileSync(join(directory, 'other'), '');
  expect(['out', 'link', 'other', 'missing'].map((name) => isWrittenTo(join(directory, name), fd))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  // Nothing is shown again that is written there.
  const nowhere = fs.openSync('/dev/null', 'a');
  onTestFinished(() => fs.closeSync(nowhere));
  expect(isWrittenTo('/dev/null', nowhere)).toBe(false);
});
