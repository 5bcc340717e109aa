import { expect, test } from 'vitest';
import { directoryTrouble } from '../../src/config/failure-text.ts';

test.each([
  ['ENOENT', 'does not exist', 'make it'],
  ['ENOTDIR', 'is no directory', 'put a directory in its place'],
  ['EACCES', 'may not be read', 'let the user of the daemon read it'],
  ['EMFILE', 'cannot be read', 'short of descriptors or memory; it is read again by itself'],
  ['EIO', 'cannot be read', 'it is read again by itself'],
])('a configuration directory that answers %s %s, and the advice fits', (failed, says, hint) => {
  const told = directoryTrouble({ failed });
  expect(told.says).toBe(`${says} (${failed})`);
  expect(told.hint).toContain(hint);
  if (failed !== 'ENOENT') expect(told.hint).not.toContain('make it');
});
