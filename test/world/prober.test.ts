import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemProber } from '../../src/world/prober.ts';

it('tells how long a log is, or that nobody can tell', () => {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const log = join(directory, 'stdout.log');
  fs.writeFileSync(log, 'twelve bytes');
  const fd = fs.openSync(log, 'r');
  expect(systemProber().sizeOf(fd)).toBe(12);
  fs.closeSync(fd);
  expect(systemProber().sizeOf(fd)).toMatchObject({
    code: 'log-unwritable',
    message: expect.stringContaining('(EBADF)'),
  });
});
