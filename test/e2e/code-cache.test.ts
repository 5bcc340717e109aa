/** Programs start fast because V8 finds its code in a file beside them: is that file there, and does V8 take it? */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { DAEMON_FLAGS } from '../../src/cli/daemon-flags.ts';
import { DIST } from './grounds.ts';

/** Prints whether V8 refused the code that the loader gave it. */
const LOOK = `
  const vm = require('node:vm');
  vm.Script = class extends vm.Script {
    constructor(...args) {
      super(...args);
      console.log('refused:', this.cachedDataRejected);
      process.exit();
    }
  };
  require(process.argv[1]);
`;

it('the launcher gives the flags that this program gives where it starts a daemon itself', () => {
  const launcher = readFileSync(new URL('../../bin/processmaster', import.meta.url), 'utf8');
  expect(launcher).toContain(`flags='${DAEMON_FLAGS.join(' ')}'\n`);
});

it.each([
  ['processmaster', DAEMON_FLAGS],
  ['pmctl', []],
])('%s runs with the code that was compiled when it was built', (program, flags) => {
  const { stdout } = spawnSync(process.execPath, [...flags, '-e', LOOK, join(DIST, `${program}.js`)], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('refused: false\n');
});

it('it is made without the settings that somebody has set for a daemon of his own', () => {
  const place = mkdtempSync(join(tmpdir(), 'pmtest-'));
  onTestFinished(() => rmSync(place, { recursive: true }));
  const [dist, state] = [join(place, 'dist'), join(place, 'state')];
  cpSync(DIST, dist, { recursive: true });
  const script = fileURLToPath(new URL('../../scripts/build/code-cache.mjs', import.meta.url));
  const settings = { PROCESSMASTER_STATE_DIRECTORY: state, PROCESSMASTER_SOCK_PATH: join(place, 'sock') };
  const made = spawnSync(process.execPath, [script, dist], {
    encoding: 'utf8',
    env: { ...process.env, ...settings, PROCESSMASTER_PRUNE_MAX_PERCENT: 'none' },
  });
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(existsSync(state)).toBe(false);
});

it('where V8 refuses it, the program runs as well', () => {
  const other = ['--no-opt', '--max-semi-space-size=3'];
  const look = spawnSync(process.execPath, [...other, '-e', LOOK, join(DIST, 'pmctl.js')], {
    encoding: 'utf8',
  });
  expect(look.stdout).toBe('refused: true\n');
  const called = spawnSync(process.execPath, [...other, join(DIST, 'pmctl.js'), '--help'], {
    encoding: 'utf8',
  });
  expect(called.stdout).toContain('Usage: pmctl');
});
