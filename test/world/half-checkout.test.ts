/** Is a fast-forward that was interrupted at any point finished, and is nothing lost that a person did? */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GitCheckout } from '../../src/world/git-checkout.ts';
import { finishMove, type Move } from '../../src/world/half-checkout.ts';
import { commitAll, git as gitIn } from '../git.ts';

let directory: string;
let move: Move;
const at = (name: string) => join(directory, name);

/** null: it is not there. */
type Tree = Readonly<Record<string, string | null>>;

const OLD: Tree = {
  'config.d/web.yaml': 'web: one\n',
  'config.d/db.yaml': 'db: one\n',
  'config.d/gone.yaml': 'gone: one\n',
  'config.d/new.yaml': null,
  'deep/er/new.yaml': null,
  shape: 'a file\n',
  'shape/inner.yaml': null,
};
const NEW: Tree = {
  'config.d/web.yaml': 'web: two, and longer\n',
  'config.d/db.yaml': 'db: two\n',
  'config.d/gone.yaml': null,
  'config.d/new.yaml': 'new: two\n',
  'deep/er/new.yaml': 'deep: two\n',
  shape: null,
  'shape/inner.yaml': 'a directory now\n',
};
const NAMES = Object.keys(OLD);

beforeEach(() => {
  directory = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmhalf-')));
  git('init', '--quiet', '--initial-branch=main');
  lay('other.txt', 'of both\n');
  for (const name of NAMES) lay(name, OLD[name] ?? null);
  const from = commit();
  for (const name of NAMES) lay(name, NEW[name] ?? null);
  const to = commit();
  move = { branch: 'main', from, to, at: Date.now() };
  git('reset', '--quiet', '--hard', from);
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

const git = (...args: readonly string[]): string => gitIn(directory, ...args);

function commit(): string {
  return commitAll(directory);
}

function lay(name: string, text: string | null): void {
  const isThere = (path: string) => fs.lstatSync(path, { throwIfNoEntry: false });
  if (text === null) {
    if (isThere(dirname(at(name)))?.isDirectory() && isThere(at(name))?.isFile()) fs.rmSync(at(name));
    return;
  }
  if (isThere(dirname(at(name)))?.isFile()) fs.rmSync(dirname(at(name)));
  if (isThere(at(name))?.isDirectory()) fs.rmSync(at(name), { recursive: true });
  fs.mkdirSync(dirname(at(name)), { recursive: true });
  fs.writeFileSync(at(name), text);
}

function finish() {
  const checkout = GitCheckout.around(directory);
  if (checkout === undefined) throw new Error('no checkout');
  return finishMove(checkout, move);
}

/** null: no file. */
function textAt(name: string): string | null {
  try {
    return fs.readFileSync(at(name), 'utf8');
  } catch {
    return null;
  }
}

/** Everything that a person could see of the checkout. */
function whole(): string {
  const files = fs
    .readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('.git') && fs.statSync(at(name)).isFile())
    .sort()
    .map((name) => `${name}: ${fs.readFileSync(at(name), 'utf8')}`);
  return [git('rev-parse', 'HEAD'), git('status', '--porcelain'), ...files].join('\n');
}

const isFinished = () => {
  expect(Object.fromEntries(NAMES.map((name) => [name, textAt(name)]))).toEqual(NEW);
  expect([git('rev-parse', 'HEAD'), git('status', '--porcelain')]).toEqual([move.to, '']);
};

it('finishes what was interrupted at any file, before or after the index was written', async () => {
  const places = fc.tuple(...NAMES.map(() => fc.constantFrom('old', 'new', 'missing', 'cut', 'empty')));
  await fc.assert(
    fc.asyncProperty(places, fc.boolean(), async (states, locked) => {
      git('reset', '--quiet', '--hard', move.from);
      git('clean', '--quiet', '-fd');
      NAMES.forEach((name, index) => {
        const state = states[index];
        const newer = NEW[name] ?? null;
        if (state === 'new') lay(name, newer);
        if (state === 'missing') lay(name, null);
        if (state === 'cut') lay(name, newer?.slice(0, 4) ?? null);
        if (state === 'empty' && newer !== null) lay(name, '');
      });
      if (locked) fs.writeFileSync(at('.git/index.lock'), 'half an index');
      const isOld = git('status', '--porcelain') === '';
      const end = await finish();
      expect(end).toBe(isOld ? 'never_begun' : 'finished');
      if (!isOld) isFinished();
      expect(fs.readdirSync(at('.git')).filter((name) => /lock|processmaster/.test(name))).toEqual([]);
    }),
    { numRuns: Number(process.env['HALF_CHECKOUTS'] ?? 8) },
  );
}, 600_000);

it('finishes where only the branch was left behind', async () => {
  git('merge', '--quiet', '--ff-only', move.to);
  git('reset', '--quiet', '--soft', move.from);
  expect(await finish()).toBe('finished');
  isFinished();
  expect(await finish()).toBe('finished');
});

it('finishes what a Git that was killed in the middle has left', async () => {
  // Each file takes its time, so that one is there long before the next.
  git('config', 'filter.slow.smudge', 'sh -c "sleep 1; cat"');
  git('config', 'filter.slow.clean', 'cat');
  fs.writeFileSync(at('.git/info/attributes'), '*.yaml filter=slow\n');
  const merge = spawn('git', ['-C', directory, 'merge', '--quiet', '--ff-only', move.to], {
    stdio: 'ignore',
  });
  await expect.poll(() => textAt('config.d/db.yaml'), { interval: 5 }).toBe('db: two\n');
  merge.kill('SIGKILL');
  await once(merge, 'exit');
  git('config', 'filter.slow.smudge', 'cat');
  expect(fs.existsSync(at('.git/index.lock'))).toBe(true);
  expect(textAt('config.d/web.yaml')).not.toBe(NEW['config.d/web.yaml']);
  await expect.poll(finish, { timeout: 10_000 }).toBe('finished');
  isFinished();
}, 30_000);

describe('what a person did', () => {
  it('to other files is kept', async () => {
    lay('config.d/web.yaml', NEW['config.d/web.yaml'] ?? null);
    lay('other.txt', 'edited\n');
    lay('config.d/own.yaml', 'own\n');
    expect(await finish()).toBe('finished');
    expect(git('rev-parse', 'HEAD')).toBe(move.to);
    expect(git('status', '--porcelain')).toBe('M other.txt\n?? config.d/own.yaml');
    expect(fs.readFileSync(at('other.txt'), 'utf8')).toBe('edited\n');
  });

  it.each([
    ['an edited file', 'config.d/db.yaml', 'db: mine\n'],
    ['one that is longer than the newer', 'config.d/db.yaml', 'db: two\n# mine\n'],
    ['one in the place of a new one', 'config.d/new.yaml', 'mine\n'],
    ['one that the newer commit has no more', 'config.d/gone.yaml', 'gone: mine\n'],
  ])('to files that were to change stops it, and nothing is touched: %s', async (_, name, text) => {
    lay('config.d/web.yaml', NEW['config.d/web.yaml'] ?? null);
    lay(name, text);
    const before = whole();
    expect(await finish()).toEqual({ half: `changed by hand meanwhile: ${name}` });
    expect(whole()).toBe(before);
  });

  it('in the place of a new file is no half of a commit: Git writes nothing where it would write over it', async () => {
    lay('config.d/new.yaml', 'mine\n');
    expect(() => git('merge', '--quiet', '--ff-only', move.to)).toThrow('would be overwritten');
    const before = whole();
    expect(await finish()).toBe('never_begun');
    expect(whole()).toBe(before);
  });

  it('to the branch ends it', async () => {
    lay('config.d/web.yaml', NEW['config.d/web.yaml'] ?? null);
    git('checkout', '--quiet', '-b', 'mine');
    const before = whole();
    expect(await finish()).toBe('elsewhere');
    expect(whole()).toBe(before);
    git('reset', '--quiet', '--hard', move.to);
    expect(await finish()).toBe('finished');
  });

  it('by a Git that died long ago is no reason to take what was never begun for half of something', async () => {
    const lock = at('.git/index.lock');
    fs.writeFileSync(lock, '');
    const long = move.at / 1000 - 60;
    fs.utimesSync(lock, long, long);
    expect(await finish()).toBe('never_begun');
    expect(fs.existsSync(lock)).toBe(true);
  });

  it('with a Git of his own is not disturbed, nor is an older lock', async () => {
    lay('config.d/web.yaml', NEW['config.d/web.yaml'] ?? null);
    const lock = at('.git/index.lock');
    fs.writeFileSync(lock, '');
    const own = spawn('git', ['-C', directory, 'cat-file', '--batch'], { stdio: ['pipe', 'pipe', 'ignore'] });
    own.stdin.write('HEAD\n');
    await once(own.stdout, 'data');
    const before = whole();
    expect(await finish()).toEqual({ half: 'Git is at work in it' });
    own.stdin.end();
    await once(own, 'exit');
    const long = move.at / 1000 - 60;
    fs.utimesSync(lock, long, long);
    expect(await finish()).toEqual({ half: expect.stringContaining(`${lock} was left there`) });
    expect([whole(), fs.existsSync(lock)]).toEqual([before, true]);
  });
});
