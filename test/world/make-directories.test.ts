import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { makeDirectories } from '../../src/world/make-directories.ts';

let directory: string;
const at = (name: string) => join(directory, name);

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(directory, { recursive: true });
});

function codeOfMaking(path: string): string | undefined {
  try {
    makeDirectories(path);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

it('makes all that is missing, with the mode, and again nothing', () => {
  const umask = process.umask(0);
  makeDirectories(at('a/b/c'), 0o710);
  process.umask(umask);
  for (const made of ['a', 'a/b', 'a/b/c']) expect(fs.statSync(at(made)).mode & 0o7777).toBe(0o710);
  const before = fs.statSync(at('a/b/c'));
  makeDirectories(at('a/b/c'), 0o777);
  expect(fs.statSync(at('a/b/c'))).toMatchObject({ ino: before.ino, mode: before.mode });
});

it('goes through a link to a directory, and up again', () => {
  fs.mkdirSync(at('real'));
  fs.symlinkSync('real', at('link'));
  makeDirectories(at('link/x'));
  makeDirectories(`${directory}/y/../z`);
  expect(fs.readdirSync(at('real'))).toEqual(['x']);
  expect(fs.readdirSync(directory)).toEqual(['link', 'real', 'y', 'z']);
});

it('gives up where mkdir(2) answers ENOENT although the directory above is there', () => {
  expect(codeOfMaking('/proc/nope/x/y')).toBe('ENOENT');
  expect(codeOfMaking('/proc/self/fd/x')).toBe('ENOENT');
});

it.each([
  ['a file in the place', 'file', 'EEXIST'],
  ['a file above', 'file/x', 'ENOTDIR'],
  ['a link that leads nowhere', 'nowhere', 'ENOENT'],
  ['a link that leads nowhere above', 'nowhere/x', 'ENOENT'],
])('refuses %s', (_what, name, code) => {
  fs.writeFileSync(at('file'), '');
  fs.symlinkSync('gone', at('nowhere'));
  expect(codeOfMaking(at(name))).toBe(code);
});

it('makes a directory above again that somebody removes meanwhile', () => {
  fs.mkdirSync(at('a'));
  const real = fs.mkdirSync;
  vi.spyOn(fs, 'mkdirSync').mockImplementationOnce(((path: string, mode: number) => {
    fs.rmdirSync(at('a'));
    return real(path, mode);
  }) as typeof fs.mkdirSync);
  makeDirectories(at('a/b'));
  expect(fs.statSync(at('a/b')).isDirectory()).toBe(true);
});

it('tells why it may not be made, and asks no more of one that is there', () => {
  const refuses = Object.assign(new Error('refused'), { code: 'EROFS' });
  const mkdir = vi.spyOn(fs, 'mkdirSync').mockImplementation(() => {
    throw refuses;
  });
  expect(codeOfMaking(at('a'))).toBe('EROFS');
  expect(codeOfMaking(directory)).toBeUndefined();
  expect(mkdir).toHaveBeenCalledTimes(2);
});
