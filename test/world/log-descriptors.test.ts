/** A disk that fails right after a log was opened: is it left open? */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLogFile, openRotatedFile } from '../../src/world/log-files.ts';
import { openLogHistory } from '../../src/world/log-history.ts';
import { openPlace } from '../../src/world/log-place.ts';
import { failingFstat } from './failing-fstat.ts';

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

test.each([1, 2])('not when the look %i at it fails, which is told', (which) => {
  const path = log();
  const history = openLogHistory(path, null);
  if (history === undefined || 'code' in history) throw new Error('no history');
  const place = openPlace(path, null);
  for (const open of [
    () => history.open('web.log'),
    () => openRotatedFile(place, 'web.log.1', null),
    () => openLogFile(path, null),
  ]) {
    const mend = failingFstat((look) => look === which);
    expect(open()).toMatchObject({ code: 'log-unreadable', message: expect.stringMatching(/web\.log.*EIO/) });
    mend();
    expect(openOn(path)).toBe(0);
  }
  history.close();
  place.close();
});
