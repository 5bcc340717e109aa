/** What does `npm test` install before anything runs, and what does it leave alone? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, onTestFinished, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/prepare.mjs', import.meta.url));

let directory: string;
const at = (path: string) => join(directory, path);

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  for (const each of ['checkout/scripts', 'checkout/dist', 'checkout/node_modules', 'bin'])
    fs.mkdirSync(at(each), { recursive: true });
  fs.copyFileSync(SCRIPT, at('checkout/scripts/prepare.mjs'));
  fs.writeFileSync(at('bin/npm'), '#!/bin/sh\necho "npm $1" >&2\n', { mode: 0o755 });
  lock('node_modules/.package-lock.json', {
    'node_modules/one': { version: '1.0.0', integrity: 'sha512-1' },
  });
  lock('package-lock.json', {
    '': { name: 'this' },
    'node_modules/one': { version: '1.0.0', integrity: 'sha512-1', dev: true },
    'node_modules/elsewhere': { version: '1.0.0', integrity: 'sha512-e', optional: true },
  });
  // Built by this node, and later than anything else.
  fs.writeFileSync(at('checkout/dist/package.json'), JSON.stringify({ builtWith: process.version }));
  fs.writeFileSync(at('checkout/dist/processmaster.js'), '');
});

function lock(path: string, packages: object): void {
  fs.writeFileSync(at(`checkout/${path}`), JSON.stringify({ packages }));
}

function prepare() {
  const env = { ...process.env, PATH: `${at('bin')}:${process.env['PATH']}` };
  const { status, stderr } = spawnSync(process.execPath, [at('checkout/scripts/prepare.mjs')], {
    env,
    encoding: 'utf8',
  });
  return { status, stderr };
}

const NOTHING = { status: 0, stderr: '' };
const INSTALLED = { status: 0, stderr: 'npm ci\n' };

test('nothing is installed that is there, however old that is', () => {
  fs.utimesSync(at('checkout/node_modules/.package-lock.json'), 1, 1);
  expect(prepare()).toEqual(NOTHING);
});

test.each([
  ['nothing is there', {}],
  ['one has another version', { 'node_modules/one': { version: '2.0.0', integrity: 'sha512-1' } }],
  ['one has another content', { 'node_modules/one': { version: '1.0.0', integrity: 'sha512-2' } }],
  [
    'there is one more',
    {
      'node_modules/one': { version: '1.0.0', integrity: 'sha512-1' },
      'node_modules/two': { version: '1.0.0', integrity: 'sha512-2' },
    },
  ],
])('it is installed when %s, but never through a link', (_what, packages) => {
  lock('node_modules/.package-lock.json', packages);
  expect(prepare()).toEqual(INSTALLED);
  fs.renameSync(at('checkout/node_modules'), at('others'));
  fs.symlinkSync(at('others'), at('checkout/node_modules'));
  expect(prepare()).toEqual({
    status: 0,
    stderr: expect.stringContaining('symbolic link and is left alone'),
  });
});

test('it is installed where nobody has been yet', () => {
  fs.rmSync(at('checkout/node_modules'), { recursive: true });
  expect(prepare()).toEqual(INSTALLED);
});
