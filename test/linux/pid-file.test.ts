/** A stale pid file is removed before a start; anything that may still mean a living process is left alone. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { existsSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { clearStalePidFile } from '../../src/world/pid-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'pm-pid-file-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function pidFile(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

/** The pid of a process that has ended and was reaped. */
async function endedPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid ?? 0;
}

describe('a pid file', () => {
  test('of a process that is gone is removed', async () => {
    const path = pidFile('gone.pid', `${await endedPid()}\n`);
    expect(clearStalePidFile(path, null)).toBeUndefined();
    expect(existsSync(path)).toBe(false);
  });

  test('of a living process stays, and the process is named', () => {
    const path = pidFile('alive.pid', `${process.pid}\n`);
    expect(clearStalePidFile(path, null)).toMatchObject({
      code: 'pid-file-kept',
      message: expect.stringContaining(`process ${process.pid} lives`),
    });
    expect(existsSync(path)).toBe(true);
  });

  test('of a process that cannot be looked at now stays: the host is short of descriptors', () => {
    const path = pidFile('unseen.pid', `${process.pid}\n`);
    const { readFileSync } = fs;
    vi.spyOn(fs, 'readFileSync').mockImplementation(((file: string, options: 'utf8') => {
      if (String(file).startsWith('/proc/')) throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
      return readFileSync(file, options);
    }) as never);
    onTestFinished(() => void vi.restoreAllMocks());
    expect(clearStalePidFile(path, null)).toMatchObject({
      code: 'pid-file-kept',
      message: expect.stringContaining('EMFILE'),
    });
    expect(existsSync(path)).toBe(true);
  });

  test('that is older than the process with its number is removed: the number was given away again', () => {
    const path = pidFile('recycled.pid', `${process.pid}\n`);
    const longAgo = new Date('2001-01-01T00:00:00Z');
    utimesSync(path, longAgo, longAgo);
    expect(clearStalePidFile(path, null)).toBeUndefined();
    expect(existsSync(path)).toBe(false);
  });

  test.each(['', 'abc', '-1', '0', '1 2', '99999999999999'])('with %j in it is left alone', (text) => {
    const path = pidFile('odd.pid', text);
    expect(clearStalePidFile(path, null)).toMatchObject({ code: 'pid-file-kept' });
    expect(existsSync(path)).toBe(true);
  });

  test('that does not exist is no trouble', () => {
    expect(clearStalePidFile(join(directory, 'none.pid'), null)).toBeUndefined();
  });

  test.runIf(process.getuid?.() === 0)(
    'behind a link that the user of the service planted is left alone',
    async () => {
      const planted = join(directory, 'planted');
      execFileSync('mkdir', ['-m', '755', planted]);
      execFileSync('chown', ['65534:65534', planted]);
      const target = pidFile('target.pid', `${await endedPid()}\n`);
      const path = join(planted, 'web.pid');
      symlinkSync(target, path);
      const nobody = { uid: 65534, gid: 65534, groups: [], user: 'nobody', home: '/', shell: '/bin/sh' };
      expect(clearStalePidFile(path, nobody)).toMatchObject({ code: 'pid-file-kept' });
      expect(existsSync(target)).toBe(true);
    },
  );
});
