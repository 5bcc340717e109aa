import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { commitOf, stateOf } from '../../src/world/commit-of.ts';

const OID = '1234567890abcdef1234567890abcdef12345678';
const HEAD = `# branch.oid ${OID}\n# branch.head main\n# branch.upstream origin/main\n# branch.ab +0 -0\n`;

test.each([
  ['clean', HEAD, { oid: OID, branch: 'main', dirty: false }],
  [
    'changed',
    `${HEAD}1 .M N... 100644 100644 100644 a b web.yaml\n`,
    { oid: OID, branch: 'main', dirty: true },
  ],
  ['not tracked', `${HEAD}? new.yaml\n`, { oid: OID, branch: 'main', dirty: true }],
  ['detached', `# branch.oid ${OID}\n# branch.head (detached)\n`, { oid: OID, branch: null, dirty: false }],
  ['without a commit', '# branch.oid (initial)\n# branch.head main\n', null],
  ['something else', 'fatal: not a repository\n', null],
])('%s', (_, text, state) => {
  expect(stateOf(text)).toEqual(state);
});

test('no checkout, or no directory at all: null', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'commit-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  expect(await commitOf(directory)).toBeNull();
  expect(await commitOf(join(directory, 'missing'))).toBeNull();
});
