import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('what is generated from the schemas is up to date', { timeout: 30_000 }, () => {
  const run = spawnSync(process.execPath, ['scripts/generate.mjs', '--check'], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
});
