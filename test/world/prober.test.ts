import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemProber } from '../../src/world/prober.ts';

let directory: string;
let log: string;

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  log = join(directory, 'stdout.log');
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

const asks = (pattern: string, from = 0) => systemProber().log(log, null, from, pattern);

it('finds a line that was written since the run was started, and no older one', () => {
  const before = 'ready long ago\n';
  fs.writeFileSync(log, `${before}starting\n`);
  expect(asks('^ready', before.length)).toMatchObject({ ok: false });
  fs.appendFileSync(log, 'ready now\n');
  expect(asks('^ready', before.length)).toMatchObject({ ok: true, detail: 'ready now' });
});

it('reads a log that was rotated away from its beginning', () => {
  fs.writeFileSync(log, 'ready\n');
  expect(asks('^ready', 1000)).toMatchObject({ ok: true });
});

it('takes a pattern as the configuration does: without the flag that makes some of them invalid', () => {
  fs.writeFileSync(log, 'it is-ready\n');
  expect(asks('is\\-ready')).toMatchObject({ ok: true });
});

it('looks at the beginning of a line only, however long it is', () => {
  fs.writeFileSync(log, `${'x'.repeat(100_000)} ready\n`);
  expect(asks('ready')).toMatchObject({ ok: false });
});

it('is told that there is no log', () => {
  expect(asks('ready')).toMatchObject({ ok: false, detail: expect.stringContaining('stdout.log') });
});

it('tells how long a log is, or that nobody can tell', () => {
  fs.writeFileSync(log, 'twelve bytes');
  const fd = fs.openSync(log, 'r');
  expect(systemProber().sizeOf(fd)).toBe(12);
  fs.closeSync(fd);
  expect(systemProber().sizeOf(fd)).toMatchObject({
    code: 'log-unwritable',
    message: expect.stringContaining('(EBADF)'),
  });
});
