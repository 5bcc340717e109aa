/** Before all tests: the programs under test are the ones that a user would run. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Those that are for the tests; all others are settings of somebody's own daemon. */
const OURS: readonly string[] = ['PROCESSMASTER_DIST', 'PROCESSMASTER_VM_CACHE'];

export default function setup(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('PROCESSMASTER_') && !OURS.includes(name)) delete process.env[name];
  }
  execFileSync(process.execPath, [fileURLToPath(new URL('../scripts/prepare.mjs', import.meta.url))], {
    stdio: 'inherit',
  });
}
