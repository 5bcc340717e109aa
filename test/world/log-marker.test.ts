import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { appendMarker } from '../../src/world/log-marker.ts';

function place(): string {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'out.log');
}

it('a marker stands on a line of its own, also below one that is not ended', () => {
  const path = place();
  expect(appendMarker(path, null, 'first')).toBeUndefined();
  fs.appendFileSync(path, 'half a line');
  expect(appendMarker(path, null, 'second')).toBeUndefined();
  expect(appendMarker(path, null, 'third')).toBeUndefined();
  expect(fs.readFileSync(path, 'utf8')).toBe('first\nhalf a line\nsecond\nthird\n');
});

it('a log that cannot be opened is a problem', () => {
  const path = place();
  fs.mkdirSync(path);
  expect(appendMarker(path, null, 'x')).toMatchObject({ code: 'log-unwritable' });
});

it('a marker that a full disk has torn is a problem', () => {
  const path = place();
  const full = vi.spyOn(fs, 'writeSync').mockReturnValueOnce(3);
  onTestFinished(() => full.mockRestore());
  expect(appendMarker(path, null, 'marker')).toMatchObject({
    code: 'log-unwritable',
    message: expect.stringContaining('(ENOSPC)'),
  });
});
