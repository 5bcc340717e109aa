import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { DirectoryWatch } from '../../src/world/directory-watch.ts';

/** Milliseconds within which a change must have been told, on a busy machine too. */
const BOUND = 8000;

interface Watched {
  readonly ground: string;
  readonly directory: string;
  /** Not one failed. */
  readonly reasons: readonly string[];
  /** Resolves when a change was told after the deed. */
  tells(deed: (watch: DirectoryWatch) => void): Promise<void>;
}

/** @param arrange what is there before the watch begins; the directory is */
async function watched(arrange: (ground: string) => void = () => {}): Promise<Watched> {
  const ground = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  onTestFinished(() => fs.rmSync(ground, { recursive: true }));
  const directory = join(ground, 'config.d');
  fs.mkdirSync(directory);
  arrange(ground);
  let told = 0;
  const reasons: string[] = [];
  const watch = new DirectoryWatch({
    // As somebody may write it.
    directory: `${directory}/`,
    settle: 20,
    changed: () => told++,
    failed: (reason) => reasons.push(reason),
    mended: () => {},
  });
  onTestFinished(() => watch.close());
  // Once for the directory, whose files may have changed before they were watched.
  await expect.poll(() => told, { timeout: BOUND }).toBeGreaterThan(0);
  const tells: Watched['tells'] = async (deed) => {
    const before = told;
    deed(watch);
    await expect.poll(() => told, { timeout: BOUND }).toBeGreaterThan(before);
  };
  return { ground, directory, reasons, tells };
}

it('a file elsewhere that is removed, made again, and edited is told of each time, though nobody asks', async () => {
  const { ground, tells, reasons } = await watched();
  const file = join(ground, 'app.env');
  fs.writeFileSync(file, 'A=1\n');
  await tells((watch) => watch.follow(new Set([file])));
  await tells(() => fs.rmSync(file));
  await tells(() => fs.writeFileSync(file, 'A=22\n'));
  await tells(() => fs.writeFileSync(file, 'A=333\n'));
  await tells(() => fs.rmSync(file));
  expect(reasons).toEqual([]);
});

it('a file of the directory is told of when it is made, written in place, closed to others, renamed, removed', async () => {
  const { directory, tells, reasons } = await watched();
  const file = join(directory, 'web.yaml');
  await tells(() => fs.writeFileSync(file, 'process: { command: a }\n'));
  await tells(() => fs.appendFileSync(file, '# more\n'));
  await tells(() => fs.chmodSync(file, 0o600));
  await tells(() => fs.renameSync(file, join(directory, 'shop.yml')));
  await tells(() => fs.rmSync(join(directory, 'shop.yml')));
  expect(reasons).toEqual([]);
});

it('a link in the directory is told of when the file that it leads to is written, and when a directory on the way is switched', async () => {
  const { ground, directory, tells, reasons } = await watched((ground) => {
    for (const release of ['one', 'two']) {
      fs.mkdirSync(join(ground, release));
      fs.writeFileSync(join(ground, release, 'web.yaml'), `process: { command: ${release} }\n`);
    }
    fs.symlinkSync('one', join(ground, 'current'));
    fs.symlinkSync('../current/web.yaml', join(ground, 'config.d', 'web.yaml'));
  });
  await tells(() => fs.appendFileSync(join(ground, 'one', 'web.yaml'), '# more\n'));
  await tells(() => {
    fs.symlinkSync('two', join(ground, 'next'));
    fs.renameSync(join(ground, 'next'), join(ground, 'current'));
  });
  await tells(() => fs.appendFileSync(join(ground, 'two', 'web.yaml'), '# more\n'));
  await tells(() => fs.symlinkSync('../two/web.yaml', join(directory, 'shop.yaml')));
  expect(reasons).toEqual([]);
});

/** As on a file system that keeps no times of birth. */
function withoutTimesOfBirth(): void {
  const { statSync } = fs;
  vi.spyOn(fs, 'statSync').mockImplementation(((path: string, options: fs.StatSyncOptions) =>
    Object.assign(statSync(path, options) as object, { birthtime: 0, birthtimeNs: 0n })) as never);
  syncBuiltinESMExports();
  onTestFinished(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });
}

it.each([
  ['', () => undefined],
  [', also where no file has a time of birth', withoutTimesOfBirth],
])(
  'a directory that takes the place of the watched one, and its inode number, is watched%s',
  async (_, prepare) => {
    prepare();
    const { directory, tells, reasons } = await watched();
    // Not every file system gives the number away again at once: a few rounds meet it on one that does.
    for (let round = 0; round < 3; round++) {
      await tells(() => {
        fs.rmSync(directory, { recursive: true });
        fs.mkdirSync(directory);
      });
      await tells(() => fs.writeFileSync(join(directory, 'web.yaml'), `process: { command: '${round}' }\n`));
    }
    await tells(() => fs.rmSync(directory, { recursive: true }));
    await tells(() => fs.mkdirSync(directory));
    await tells(() => fs.writeFileSync(join(directory, 'web.yaml'), 'process: { command: a }\n'));
    expect(reasons).toEqual([]);
  },
  60_000,
);

it('a settle time that no timer can count is waited for all the same', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const directory = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const days = 30 * 24 * 3600 * 1000;
  const changed = vi.fn();
  const watch = new DirectoryWatch({ directory, settle: days, changed, failed: () => {}, mended: () => {} });
  onTestFinished(() => watch.close());
  // The directory itself is such a change.
  await expect.poll(() => vi.getTimerCount(), { timeout: BOUND }).toBeGreaterThan(0);
  // Polling has moved the time on a little.
  vi.advanceTimersByTime(days - BOUND);
  expect(changed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(BOUND);
  expect(changed).toHaveBeenCalledOnce();
});
