/** A disk that fails right after a log was opened: is it left open? */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { openLogFile, openRotatedFile } from '../../src/world/log-files.ts';
import { openLogHistory } from '../../src/world/log-history.ts';
import { openPlace } from '../../src/world/log-place.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

function log(): string {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const path = join(directory, 'web.log');
  for (const name of [path, `${path}.1`]) fs.writeFileSync(name, 'line\n');
  return path;
}

function openOn(path: string): number {
  return fs.readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
    } catch {
      return false;
    }
  }).length;
}

/** The look number `which` at a descriptor fails, counted from now. */
function failAt(which: number): void {
  const { fstatSync } = fs;
  let count = 0;
  vi.spyOn(fs, 'fstatSync').mockImplementation(((...args: Parameters<typeof fstatSync>) => {
    if (++count === which)
      throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fstat', errno: -5 });
    return fstatSync(...args);
  }) as never);
}

/** Nobody cares here whether it is told or thrown. */
function tried(open: () => unknown): unknown {
  try {
    return open();
  } catch (error) {
    return error;
  }
}

test.each([1, 2])('not when the look %i at it fails', (which) => {
  const path = log();
  const history = openLogHistory(path, null);
  if (history === undefined || 'code' in history) throw new Error('no history');
  const place = openPlace(path, null);
  for (const open of [
    () => history.open('web.log'),
    () => openRotatedFile(place, 'web.log.1', null),
    () => openLogFile(path, null),
  ]) {
    failAt(which);
    expect(tried(open)).not.toHaveProperty('read');
    vi.restoreAllMocks();
    expect(openOn(path)).toBe(0);
  }
  history.close();
  place.close();
});
