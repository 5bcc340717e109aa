import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { DirectoryWatch } from '../../src/world/directory-watch.ts';

/** Milliseconds within which a change must have been told, on a busy machine too. */
const BOUND = 8000;

it('a file elsewhere that is removed, made again, and edited is told of each time, though nobody asks', async () => {
  const ground = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  onTestFinished(() => fs.rmSync(ground, { recursive: true }));
  const directory = join(ground, 'config.d');
  fs.mkdirSync(directory);
  const file = join(ground, 'app.env');
  fs.writeFileSync(file, 'A=1\n');
  let told = 0;
  const reasons: string[] = [];
  const watch = new DirectoryWatch({
    directory,
    settle: 20,
    changed: () => told++,
    failed: (reason) => reasons.push(reason),
    mended: () => {},
  });
  onTestFinished(() => watch.close());
  // Once for the directory, whose files may have changed before they were watched.
  await expect.poll(() => told, { timeout: BOUND }).toBeGreaterThan(0);
  const tells = async (deed: () => void): Promise<void> => {
    const before = told;
    deed();
    await expect.poll(() => told, { timeout: BOUND }).toBeGreaterThan(before);
  };
  await tells(() => watch.follow(new Set([file])));
  await tells(() => fs.rmSync(file));
  await tells(() => fs.writeFileSync(file, 'A=22\n'));
  await tells(() => fs.writeFileSync(file, 'A=333\n'));
  await tells(() => fs.rmSync(file));
  expect(reasons).toEqual([]);
});
