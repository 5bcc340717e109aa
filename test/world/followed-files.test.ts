import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { FollowedFiles } from '../../src/world/followed-files.ts';

/** Milliseconds within which an event must have come, on a busy machine too. */
const BOUND = 8000;

let ground: string;
let told: number;
const at = (name: string) => join(ground, name);
/** Of another length each time: the clock of files has ticks of some milliseconds. */
const write = (name: string, length: number) => fs.writeFileSync(at(name), 'x'.repeat(length));

beforeEach(() => {
  ground = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  onTestFinished(() => fs.rmSync(ground, { recursive: true }));
  for (const name of ['one', 'two']) fs.mkdirSync(at(name));
  told = 0;
});

function follow(...paths: readonly string[]): FollowedFiles {
  const files = new FollowedFiles(() => told++);
  onTestFinished(() => files.close());
  files.follow(new Set(paths.map(at)));
  return files;
}

/** What a look tells of the deed; no event can come in between. */
function lookAfter(files: FollowedFiles, deed: () => void): number {
  const before = told;
  deed();
  files.look();
  return told - before;
}

async function eventAfter(deed: () => void): Promise<void> {
  const before = told;
  deed();
  await expect.poll(() => told, { timeout: BOUND }).toBeGreaterThan(before);
}

it('a look tells of a file that goes, comes again, is edited, and is replaced by renaming; and of nothing else', () => {
  write('one/app.env', 1);
  const files = follow('one/app.env');
  expect(lookAfter(files, () => {})).toBe(0);
  expect(lookAfter(files, () => fs.rmSync(at('one/app.env')))).toBe(1);
  expect(lookAfter(files, () => {})).toBe(0);
  expect(lookAfter(files, () => write('one/app.env', 2))).toBe(1);
  expect(lookAfter(files, () => write('one/app.env', 3))).toBe(1);
  write('one/next', 3);
  expect(lookAfter(files, () => fs.renameSync(at('one/next'), at('one/app.env')))).toBe(1);
  expect(lookAfter(files, () => {})).toBe(0);
});

it('a look tells of another directory on the way, and of a link that was pointed elsewhere', () => {
  write('one/app.env', 1);
  write('two/app.env', 1);
  fs.symlinkSync('one', at('current'));
  const files = follow('current/app.env');
  const pointElsewhere = () => {
    fs.symlinkSync('two', at('next'));
    fs.renameSync(at('next'), at('current'));
  };
  expect(lookAfter(files, pointElsewhere)).toBe(1);
  expect(lookAfter(files, () => fs.renameSync(at('two'), at('old')))).toBe(1);
  fs.mkdirSync(at('two'));
  expect(lookAfter(files, () => write('two/app.env', 1))).toBe(1);
});

it('an event tells of each edit of a file that came only after it was followed', async () => {
  const files = follow('one/app.env');
  expect(lookAfter(files, () => write('one/app.env', 1))).toBe(1);
  await eventAfter(() => write('one/app.env', 2));
});

it('a file that came and was read is watched from then on, though it goes again before anybody looks', async () => {
  const files = follow('one/app.env');
  write('one/app.env', 1);
  files.follow(new Set([at('one/app.env')]));
  await eventAfter(() => fs.rmSync(at('one/app.env')));
});

it('an event tells that a file is replaced by renaming, or removed, and of its edits afterwards', async () => {
  write('one/app.env', 1);
  write('one/next', 2);
  follow('one/app.env');
  await eventAfter(() => fs.renameSync(at('one/next'), at('one/app.env')));
  await eventAfter(() => write('one/app.env', 3));
  await eventAfter(() => fs.rmSync(at('one/app.env')));
});

it('what is new in the list may have changed since it was read; what is followed already, or no more, is no news', () => {
  const files = follow('one/a.env');
  expect(told).toBe(1);
  files.follow(new Set([at('one/a.env')]));
  expect(told).toBe(1);
  files.follow(new Set([at('one/b.env')]));
  expect(told).toBe(2);
  expect(lookAfter(files, () => write('one/a.env', 1))).toBe(0);
  expect(lookAfter(files, () => write('one/b.env', 1))).toBe(1);
});

it('of very many files each look asks for a share, and nobody is left out', () => {
  for (let number = 0; number < 150; number++) write(`one/${number}.env`, 1);
  const files = follow(...Array.from({ length: 150 }, (_, number) => `one/${number}.env`));
  // Their directory is replaced by another one: no watch tells of that.
  fs.renameSync(at('one'), at('old'));
  fs.mkdirSync(at('one'));
  for (let number = 0; number < 150; number++) write(`one/${number}.env`, 2);
  const found = [1, 2, 3].map(() => lookAfter(files, () => {}));
  expect(found.every((each) => each > 0)).toBe(true);
  expect(found.reduce((sum, each) => sum + each, 0)).toBe(150);
  expect(lookAfter(files, () => {})).toBe(0);
});
