import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemFiles } from '../../src/world/files.ts';
import { nextTurn } from '../../src/world/turn.ts';

describe('files', () => {
  const files = systemFiles();
  let directory: string;
  const at = (name: string) => join(directory, name);

  beforeEach(() => {
    directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  it('are settled two at a time: the other threads are for those who look up names', async () => {
    const waiting: (() => void)[] = [];
    const file = {
      datasync: () => new Promise<void>((resolve) => waiting.push(resolve)),
      close: async () => {},
    };
    const slow = vi.spyOn(fs.promises, 'open').mockImplementation(async () => file as fs.promises.FileHandle);
    onTestFinished(() => slow.mockRestore());
    const settled = files.settle(['a', 'b', 'c', 'd', 'e']);
    const seen: number[] = [];
    while (seen.reduce((sum, many) => sum + many, 0) < 5) {
      await nextTurn();
      seen.push(waiting.length);
      for (const resolve of waiting.splice(0)) resolve();
    }
    await settled;
    expect(seen).toEqual([2, 2, 1]);
  });

  it('are read as a whole up to the limit, and not a byte beyond', () => {
    fs.writeFileSync(at('a'), 'grün');
    expect(files.read(at('a'), 5)).toBe('grün');
    expect(files.read(at('a'), 4)).toEqual({ failed: 'EFBIG' });
    expect(files.read(at('none'), 5)).toEqual({ failed: 'ENOENT' });
  });

  it('that tell no size, or are large, are read to their end', () => {
    expect(files.read('/proc/self/stat', 4096)).toMatch(new RegExp(`^${process.pid} `));
    expect(files.read('/proc/self/stat', 10)).toEqual({ failed: 'EFBIG' });
    fs.writeFileSync(at('large'), 'x'.repeat(200_000));
    expect(files.read(at('large'), 1_000_000)).toHaveLength(200_000);
  });

  it('that are none are refused, and nothing waits for a writer', () => {
    execFileSync('mkfifo', [at('fifo')]);
    expect(files.read(at('fifo'), 10)).toEqual({ failed: 'ENOTREG' });
    expect(files.read('/dev/zero', 10)).toEqual({ failed: 'ENOTREG' });
    expect(files.read(directory, 10)).toEqual({ failed: 'EISDIR' });
  });

  it('are told about through symbolic links, with a version that changes with the content', () => {
    fs.writeFileSync(at('a'), '1', { mode: 0o640 });
    fs.symlinkSync('a', at('link'));
    const before = files.status(at('link'));
    expect(before).toMatchObject({ kind: 'file', size: 1, mode: 0o640, uid: process.getuid?.() });
    fs.writeFileSync(at('a'), '2');
    expect(files.status(at('link'))).not.toEqual(before);
    expect(files.status(directory)).toMatchObject({ kind: 'directory' });
    expect(files.status('/dev/null')).toMatchObject({ kind: 'other' });
    expect(files.status(at('none'))).toEqual({ failed: 'ENOENT' });
  });

  it('are listed in order', () => {
    for (const name of ['b', 'a', '.c']) fs.writeFileSync(at(name), '');
    expect(files.list(directory)).toEqual(['.c', 'a', 'b']);
    expect(files.list(at('none'))).toEqual({ failed: 'ENOENT' });
  });

  it.each([true, false])(
    'are replaced as a whole, with the mode that was asked for (durable: %s)',
    (durable) => {
      const umask = process.umask(0o077);
      try {
        expect(files.replace(at('deep/er/a'), 'one', { mode: 0o644, durable })).toBeUndefined();
      } finally {
        process.umask(umask);
      }
      const held = fs.openSync(at('deep/er/a'), 'r');
      expect(files.replace(at('deep/er/a'), 'two', { mode: 0o600, durable })).toBeUndefined();
      expect(fs.readFileSync(held, 'utf8')).toBe('one');
      fs.closeSync(held);
      expect(fs.readFileSync(at('deep/er/a'), 'utf8')).toBe('two');
      expect(fs.statSync(at('deep/er/a')).mode & 0o777).toBe(0o600);
      expect(fs.statSync(at('deep')).mode & 0o777).toBe(0o700);
      expect(fs.readdirSync(at('deep/er'))).toEqual(['a']);
    },
  );

  it.skipIf(process.getuid?.() !== 0)(
    'are given to whom they shall belong, with all bits of the mode',
    () => {
      const options = { mode: 0o4750, durable: true, owner: { uid: 1000, gid: 1001 } };
      expect(files.replace(at('a'), 'theirs', options)).toBeUndefined();
      expect(files.status(at('a'))).toMatchObject({ mode: 0o4750, uid: 1000, gid: 1001 });
    },
  );

  it.skipIf(process.getuid?.() !== 0)('stay as they are when they may not be given away', () => {
    fs.writeFileSync(at('a'), 'before');
    fs.chmodSync(directory, 0o777);
    const owner = { uid: 1000, gid: 1001 };
    process.seteuid?.(65534);
    try {
      const options = { mode: 0o600, durable: true, owner };
      expect(files.replace(at('a'), 'theirs', options)).toEqual({ failed: 'EPERM' });
    } finally {
      process.seteuid?.(0);
    }
    expect(fs.readFileSync(at('a'), 'utf8')).toBe('before');
    expect(fs.readdirSync(directory)).toEqual(['a']);
  });

  it('leave nothing behind when they cannot be replaced', () => {
    fs.mkdirSync(at('taken/x'), { recursive: true });
    expect(files.replace(at('taken'), 'text', { mode: 0o600, durable: true })).toMatchObject({
      failed: 'EISDIR',
    });
    expect(fs.readdirSync(directory)).toEqual(['taken']);
    fs.writeFileSync(at('file'), '');
    expect(files.replace(at('file/x'), 'text', { mode: 0o600, durable: true })).toMatchObject({
      failed: expect.stringMatching(/ENOTDIR|EEXIST/),
    });
  });

  it.each([true, false])('are made as a whole where nothing is (durable: %s)', (durable) => {
    expect(files.create(at('new/a'), 'one', { mode: 0o644, durable })).toBeUndefined();
    expect(fs.readFileSync(at('new/a'), 'utf8')).toBe('one');
    expect(fs.statSync(at('new/a')).mode & 0o777).toBe(0o644);
    expect(fs.statSync(at('new/a')).nlink).toBe(1);
    expect(fs.readdirSync(at('new'))).toEqual(['a']);
  });

  it('are never made in the place of anything, and nothing is left behind', () => {
    fs.writeFileSync(at('file'), 'theirs');
    fs.symlinkSync(at('nowhere'), at('link'));
    for (const name of ['file', 'link'])
      expect(files.create(at(name), 'mine', { mode: 0o644, durable: true })).toEqual({ failed: 'EEXIST' });
    expect(fs.readFileSync(at('file'), 'utf8')).toBe('theirs');
    expect(fs.readdirSync(directory).sort()).toEqual(['file', 'link']);
  });

  it('tell where they lead when they are links', () => {
    fs.writeFileSync(at('file'), '');
    fs.symlinkSync('nowhere', at('link'));
    expect(files.linkTarget(at('link'))).toBe('nowhere');
    expect(files.linkTarget(at('file'))).toBeUndefined();
    expect(files.linkTarget(at('none'))).toEqual({ failed: 'ENOENT' });
  });

  it('may be gone already when they are removed', () => {
    fs.writeFileSync(at('a'), '');
    expect(files.remove(at('a'))).toBeUndefined();
    expect(files.remove(at('a'))).toBeUndefined();
    expect(files.remove(directory)).toMatchObject({ failed: expect.stringMatching(/EISDIR|EPERM/) });
  });

  it('may be executed by those whose class of bits says so, on the whole way', () => {
    const app = { uid: 54321, gid: 54321, groups: [777], user: 'app', home: '/', shell: '/bin/sh' };
    fs.chmodSync(directory, 0o755);
    fs.writeFileSync(at('a'), '', { mode: 0o644 });
    const may = (mode: number, changes: object = {}) => {
      fs.chmodSync(at('a'), mode);
      return files.executable(at('a'), { ...app, ...changes });
    };
    expect(may(0o644)).toBe(false);
    expect(may(0o755)).toBe(true);
    expect(may(0o754)).toBe(false);
    const { uid, gid } = fs.statSync(at('a'));
    expect(may(0o710, { gid })).toBe(true);
    expect(may(0o710, { groups: [gid] })).toBe(true);
    expect(may(0o701, { gid })).toBe(false);
    if (uid === 0) expect(may(0o100, { uid })).toBe(true);
    fs.chmodSync(directory, 0o700);
    expect(may(0o755)).toBe(false);
    expect(files.executable(directory, null)).toBe(false);
    expect(files.executable(at('none'), null)).toBe(false);
    expect(files.executable('/bin/sh', null)).toBe(true);
  });
});
