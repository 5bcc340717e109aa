import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FILE_TICK } from '../../src/world/file-time.ts';
import { SourceWatch, type SourceWatchOptions } from '../../src/world/source-watch.ts';

/** Milliseconds within which a change must have been told, on a busy machine too. */
const BOUND = 8000;
const DEBOUNCE = 100;

describe('watching the files of a service', () => {
  let ground: string;
  let root: string;
  let told: (readonly string[])[];
  let reasons: string[];
  const watches: SourceWatch[] = [];

  beforeEach(() => {
    ground = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
    root = join(ground, 'app');
    told = [];
    reasons = [];
    write('src/a.js', 'a');
    write('src/b.js', 'b');
  });
  afterEach(async () => {
    await Promise.all(watches.splice(0).map((watch) => watch.close()));
    fs.rmSync(ground, { recursive: true });
    expect(reasons).toEqual([]);
  });

  function write(path: string, text: string): void {
    const file = join(root, path);
    fs.mkdirSync(dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }

  async function watching(changes: Partial<SourceWatchOptions> = {}): Promise<SourceWatch> {
    const watch = new SourceWatch({
      paths: [root],
      ignore: [],
      debounce: DEBOUNCE,
      changed: (files) => told.push(files.map((file) => file.replace(`${ground}/`, ''))),
      failed: (reason) => reasons.push(reason),
      ...changes,
    });
    watches.push(watch);
    await watch.started;
    return watch;
  }

  /** Waits until as many changes were told, then says which: never more than these must have come before. */
  async function changes(count: number): Promise<readonly (readonly string[])[]> {
    await expect.poll(() => told.length, { timeout: BOUND }).toBeGreaterThanOrEqual(count);
    return told;
  }

  /** A change that is told for sure: whatever else was to be told has been told by then, or with it. */
  async function mark(): Promise<readonly (readonly string[])[]> {
    const before = told.length;
    write('mark', String(before));
    return await changes(before + 1);
  }

  it('tells of nothing that was there at the start', async () => {
    await watching();
    expect(await mark()).toEqual([['app/mark']]);
  });

  it('tells of what was changed since the service was started, though before the first look', async () => {
    const { ctimeMs } = fs.statSync(join(root, 'src/b.js'));
    // The clock of files has ticks of some milliseconds.
    const probed = () => {
      write('probe', 'x');
      return fs.statSync(join(root, 'probe')).ctimeMs;
    };
    await expect.poll(probed).toBeGreaterThan(ctimeMs + 2 * FILE_TICK);
    const since = fs.statSync(join(root, 'probe')).ctimeMs;
    fs.rmSync(join(root, 'probe'));
    write('src/a.js', 'late');
    await watching({ since });
    expect(await changes(1)).toEqual([['app/src/a.js']]);
  });

  it('tells of what was changed then, though the clock of files stood still a while ago', async () => {
    write('src/a.js', 'late');
    const { ctimeMs } = fs.statSync(join(root, 'src/a.js'));
    await watching({ since: ctimeMs + 10 });
    expect((await changes(1)).flat()).toContain('app/src/a.js');
  });

  it('tells once of a burst: what was written, added and removed', async () => {
    await watching();
    write('src/a.js', 'A');
    write('src/deep/er/new.js', 'n');
    fs.rmSync(join(root, 'src/b.js'));
    expect(await changes(1)).toEqual([['app/src/a.js', 'app/src/b.js', 'app/src/deep/er/new.js']]);
    write('src/deep/er/new.js', 'N');
    expect(await changes(2)).toEqual([expect.any(Array), ['app/src/deep/er/new.js']]);
    expect(await mark()).toHaveLength(3);
  });

  it('tells of the content and not of the time', async () => {
    await watching();
    const past = new Date(1_000_000_000_000);
    fs.utimesSync(join(root, 'src/a.js'), past, past);
    write('src/b.js', 'b');
    expect(await mark()).toEqual([['app/mark']]);
    // The same size and modification time, and yet another file.
    write('src/a.js', 'z');
    fs.utimesSync(join(root, 'src/a.js'), past, past);
    expect(await changes(2)).toEqual([['app/mark'], ['app/src/a.js']]);
  });

  it('says nothing of a file that is as it was at the end of the burst', async () => {
    await watching();
    write('src/a.js', 'other');
    write('src/a.js', 'a');
    write('src/temporary', 'x');
    fs.rmSync(join(root, 'src/temporary'));
    expect(await mark()).toEqual([['app/mark']]);
  });

  it('misses no change that follows at once', async () => {
    let left = 5;
    await watching({
      debounce: 0,
      changed: (files) => {
        told.push(files);
        if (left-- > 0) write('src/a.js', `${left}`);
      },
    });
    write('src/a.js', 'A');
    expect(await changes(6)).toEqual(Array(6).fill([join(root, 'src/a.js')]));
  });

  it('tells of a file that an editor replaces', async () => {
    await watching();
    for (const text of ['1', '2']) {
      write('src/.a.js.swp', text);
      fs.renameSync(join(root, 'src/.a.js.swp'), join(root, 'src/a.js'));
      expect((await changes(Number(text))).at(-1)).toEqual(['app/src/a.js']);
    }
  });

  it('ignores what it is told to, node_modules and .git', async () => {
    write('node_modules/x/index.js', '1');
    await watching({ ignore: ['*.log', 'dist', 'src/gen/**', join(root, 'absolute')] });
    write('node_modules/x/index.js', '2');
    write('src/node_modules/y.js', '2');
    write('.git/HEAD', '2');
    write('app.log', '2');
    write('src/dist/out.js', '2');
    write('src/gen/a/b.js', '2');
    write('absolute', '2');
    expect(await mark()).toEqual([['app/mark']]);
    write('gen/a.js', '2');
    expect((await changes(2)).at(-1)).toEqual(['app/gen/a.js']);
  });

  it('watches what lies in a directory of an ignored name when it is named itself', async () => {
    const inner = join(root, 'node_modules/mine');
    write('node_modules/mine/index.js', '1');
    await watching({ paths: [inner] });
    write('node_modules/mine/index.js', '2');
    expect(await changes(1)).toEqual([['app/node_modules/mine/index.js']]);
  });

  it('waits for a path that does not exist yet, also several directories deep', async () => {
    await watching({ paths: [join(root, 'later/on/lib'), join(root, 'later/one.json')] });
    write('later/one.json', '1');
    expect(await changes(1)).toEqual([['app/later/one.json']]);
    write('later/on/lib/a.js', '1');
    expect((await changes(2)).at(-1)).toEqual(['app/later/on/lib/a.js']);
    write('later/on/lib/a.js', '2');
    expect(await changes(3)).toHaveLength(3);
  });

  it('follows a single file through every replacement', async () => {
    const file = join(root, 'src/a.js');
    await watching({ paths: [file] });
    for (const text of ['1', '2', '3']) {
      fs.rmSync(file);
      write('src/a.js', text);
      expect((await changes(Number(text))).at(-1)).toEqual(['app/src/a.js']);
    }
  });

  it('follows a directory that is replaced as a whole', async () => {
    await watching();
    fs.renameSync(root, join(ground, 'old'));
    write('src/a.js', 'a');
    write('src/b.js', 'B');
    await expect.poll(() => told.flat(), { timeout: BOUND }).toContain('app/src/b.js');
    write('src/a.js', 'A');
    await expect.poll(() => told.flat(), { timeout: BOUND }).toContain('app/src/a.js');
  });

  it('follows a symbolic link that is pointed elsewhere', async () => {
    fs.mkdirSync(join(ground, 'v2/src'), { recursive: true });
    fs.writeFileSync(join(ground, 'v2/src/a.js'), 'two');
    fs.symlinkSync(root, join(ground, 'current'));
    await watching({ paths: [join(ground, 'current')] });
    write('src/a.js', 'A');
    expect(await changes(1)).toEqual([['current/src/a.js']]);
    fs.symlinkSync(join(ground, 'v2'), join(ground, 'next'));
    fs.renameSync(join(ground, 'next'), join(ground, 'current'));
    expect((await changes(2)).at(-1)).toEqual(['current/src/a.js', 'current/src/b.js']);
    fs.writeFileSync(join(ground, 'v2/src/a.js'), 'three');
    expect((await changes(3)).at(-1)).toEqual(['current/src/a.js']);
  });

  it('takes a symbolic link inside for what it says, and is not led in circles', async () => {
    fs.symlinkSync('a.js', join(root, 'src/link'));
    fs.symlinkSync('..', join(root, 'src/circle'));
    await watching();
    fs.rmSync(join(root, 'src/link'));
    fs.symlinkSync('b.js', join(root, 'src/link'));
    expect(await changes(1)).toEqual([['app/src/link']]);
  });

  it('is quiet once closed, even when it has not started yet', async () => {
    const watch = await watching();
    const other = new SourceWatch({
      paths: [root],
      ignore: [],
      debounce: 0,
      changed: () => told.push(['by the other']),
      failed: (reason) => reasons.push(reason),
    });
    await other.close();
    await other.started;
    write('src/a.js', 'A');
    await watch.close();
    const witness = await watching();
    expect(await mark()).toEqual([['app/mark']]);
    await witness.close();
  });
});
