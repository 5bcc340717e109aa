/** Does a command that has done its work wait for an answer of the name service? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bundledFixture, temporaryDirectory } from './ground.ts';

test('a program that has nothing else to do does not stay for the answer', async () => {
  const directory = temporaryDirectory();
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const pid = join(directory, 'pid');
  const slow = `#!/bin/sh\necho $$ > ${pid}.new\nmv ${pid}.new ${pid}\nexec sleep 60\n`;
  fs.writeFileSync(join(directory, 'getent'), slow, { mode: 0o755 });
  const PATH = [directory, process.env['PATH']].join(delimiter);
  const program = bundledFixture('asks-and-is-done', directory);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    env: { ...process.env, PATH },
    timeout: 20_000,
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  await expect.poll(() => fs.existsSync(pid)).toBe(true);
  process.kill(Number(fs.readFileSync(pid, 'utf8')), 'SIGKILL');
});
