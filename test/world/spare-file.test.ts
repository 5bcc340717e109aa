/** Is a file replaced as a whole where there is room for nothing but what it has already? */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepRoom, replaceBySpare, spareOf } from '../../src/world/spare-file.ts';

let directory: string;
let path: string;
const inode = (of: string) => fs.statSync(of).ino;

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  path = join(directory, 'intent.json');
  fs.writeFileSync(path, 'before');
});

afterEach(() => {
  fs.rmSync(directory, { recursive: true });
});

describe('a spare file', () => {
  test('has room for more than the file says, and grows with it', () => {
    keepRoom(path);
    expect(fs.statSync(spareOf(path))).toMatchObject({ size: 65_536, mode: 0o100600 });
    const same = inode(spareOf(path));
    keepRoom(path);
    expect(inode(spareOf(path))).toBe(same);
    fs.writeFileSync(path, 'x'.repeat(40_000));
    keepRoom(path);
    // Blocks of 512 bytes: the room is there, and no hole.
    const { size, blocks } = fs.statSync(spareOf(path));
    expect([size, blocks * 512]).toEqual([80_000, expect.toSatisfy((room: number) => room >= 80_000)]);
  });

  test('is kept also of a file that is not there yet, and not where nothing can be kept', () => {
    fs.rmSync(path);
    keepRoom(path);
    expect(fs.existsSync(spareOf(path))).toBe(true);
    const nowhere = join(path, 'no', 'directory');
    keepRoom(nowhere);
    expect(fs.existsSync(spareOf(nowhere))).toBe(false);
  });

  test('takes the place of the file, which is the next spare: over and over', () => {
    keepRoom(path);
    const both = [inode(path), inode(spareOf(path))];
    for (const text of ['one', 'two, which is longer', 'ü']) {
      replaceBySpare(path, text, 0o640);
      expect(fs.readFileSync(path, 'utf8')).toBe(text);
      both.reverse();
      expect([inode(path), inode(spareOf(path))]).toEqual(both);
      expect(fs.statSync(path).mode).toBe(0o100640);
    }
    expect(fs.readdirSync(directory).sort()).toEqual(['intent.json', 'intent.json.spare']);
  });

  test('takes the place of a file that was not there, once', () => {
    fs.rmSync(path);
    keepRoom(path);
    replaceBySpare(path, 'first', 0o600);
    expect(fs.readFileSync(path, 'utf8')).toBe('first');
    expect(() => replaceBySpare(path, 'second', 0o600)).toThrow('ENOENT');
    expect(fs.readFileSync(path, 'utf8')).toBe('first');
  });

  test('is used also after an end in the middle of it', () => {
    keepRoom(path);
    fs.linkSync(path, `${path}.before`);
    replaceBySpare(path, 'now', 0o600);
    expect(fs.readFileSync(path, 'utf8')).toBe('now');
    expect(fs.readFileSync(spareOf(path), 'utf8')).toBe('before');
    expect(fs.existsSync(`${path}.before`)).toBe(false);
  });

  test.each<[string, () => void]>([
    ['has a second name: the file itself', () => fs.linkSync(path, spareOf(path))],
    ['is a link', () => fs.symlinkSync(path, spareOf(path))],
    ['is not there', () => {}],
  ])('that %s is not written to', (_, make) => {
    make();
    expect(() => replaceBySpare(path, 'now', 0o600)).toThrow();
    expect(fs.readFileSync(path, 'utf8')).toBe('before');
  });
});
