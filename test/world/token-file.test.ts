import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { appendLine, newSecret, rewrite } from '../../src/world/token-file.ts';

function directory(): string {
  const made = fs.mkdtempSync(join(tmpdir(), 'pm-tokens-'));
  onTestFinished(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

/** The next write takes half of what it is given. */
function fillDisk(afterwards = () => {}): void {
  const write = fs.writeSync;
  const full = vi.spyOn(fs, 'writeSync').mockImplementationOnce((fd, data) => {
    const bytes = Buffer.from(data as unknown as Uint8Array);
    const written = write(fd, bytes.subarray(0, bytes.length / 2));
    afterwards();
    return written;
  });
  onTestFinished(() => full.mockRestore());
}

test('a new file is open to nobody else, whatever the umask', () => {
  const path = join(directory(), 'sub', 'tokens');
  const before = process.umask(0);
  try {
    expect(appendLine(path, 'a\n')).toBeUndefined();
  } finally {
    process.umask(before);
  }
  expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  expect(fs.statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  expect(fs.readFileSync(path, 'utf8')).toBe('a\n');
});

test('a line is added as one, also where the last one was left open; mode and inode stay', () => {
  const path = join(directory(), 'tokens');
  fs.writeFileSync(path, 'a', { mode: 0o640 });
  const { ino } = fs.statSync(path);
  expect(appendLine(path, 'b\n')).toBeUndefined();
  expect(appendLine(path, 'c\n')).toBeUndefined();
  expect(fs.readFileSync(path, 'utf8')).toBe('a\nb\nc\n');
  expect(fs.statSync(path)).toMatchObject({ ino, mode: 0o100640 });
});

test('no symbolic link is followed to somewhere else', () => {
  const path = join(directory(), 'tokens');
  fs.symlinkSync('/dev/null', path);
  expect(appendLine(path, 'a\n')).toEqual({ failed: 'ELOOP' });
});

test('what a full disk takes of a line is taken back, and the line counts as refused', () => {
  const path = join(directory(), 'tokens');
  fs.writeFileSync(path, 'a\n');
  fillDisk();
  expect(appendLine(path, 'b viewer 123456\n')).toEqual({ failed: 'ENOSPC' });
  expect(fs.readFileSync(path, 'utf8')).toBe('a\n');
});

test('what somebody else has added behind a torn line stays', () => {
  const path = join(directory(), 'tokens');
  fs.writeFileSync(path, 'a\n');
  fillDisk(() => fs.appendFileSync(path, '\nc\n'));
  expect(appendLine(path, 'b viewer 123456\n')).toEqual({ failed: 'ENOSPC' });
  expect(fs.readFileSync(path, 'utf8')).toMatch(/^a\nb.*\nc\n$/);
});

test('the names are on disk, too: of a new file, and of one that was replaced', () => {
  const path = join(directory(), 'tokens');
  const synced: string[] = [];
  const sync = vi.spyOn(fs, 'fsyncSync').mockImplementation((fd) => {
    const name = fs.readlinkSync(`/proc/self/fd/${fd}`);
    synced.push(
      basename(name) === basename(join(path, '..')) ? `directory: ${fs.readdirSync(name)}` : 'file',
    );
  });
  onTestFinished(() => sync.mockRestore());
  appendLine(path, 'a\n');
  appendLine(path, 'b\n');
  rewrite(path, 'b\n');
  expect(synced).toEqual(['file', 'directory: tokens', 'file', 'file', 'directory: tokens']);
});

test('a file is replaced as a whole, and keeps its mode', () => {
  const path = join(directory(), 'tokens');
  fs.writeFileSync(path, 'a\nb\n', { mode: 0o640 });
  expect(rewrite(path, 'b\n')).toBeUndefined();
  expect(fs.readFileSync(path, 'utf8')).toBe('b\n');
  expect(fs.statSync(path).mode & 0o777).toBe(0o640);
  expect(fs.readdirSync(join(path, '..'))).toEqual(['tokens']);
  expect(rewrite(join(path, 'x'), '')).toEqual({ failed: 'ENOTDIR' });
});

test('secrets have 256 bits, need no quotes, and are never the same', () => {
  const drawn = Array.from({ length: 1000 }, newSecret);
  expect(new Set(drawn).size).toBe(1000);
  for (const secret of drawn) expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  expect(drawn.filter((secret) => !/^[\w-]{43}$/.test(secret))).toEqual([]);
});
