/** The pid file of the program itself: never two who hold it, and never a dead one who keeps it. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { claimPidFile } from '../../src/world/own-pid-file.ts';
import { failingCall } from '../world/failing-call.ts';

let directory = '';
let path = '';

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'pm-own-pid-'));
  path = join(directory, 'pm.pid');
  const made = directory;
  onTestFinished(() => fs.rmSync(made, { recursive: true, force: true }));
});

function claimed(): { readonly release: () => void } {
  const claim = claimPidFile(path);
  if ('code' in claim) throw new Error(claim.message);
  return claim;
}

const said = () => fs.readFileSync(path, 'utf8');

/** A process that lives as long as the test, with a word of its own on its command line. */
function living(word: string): number {
  const child = spawn('sh', ['-c', 'while :; do sleep 1; done', word]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  // It is there a moment before it has its command line, and its age matters: so nothing else is done meanwhile.
  const deadline = Date.now() + 10_000;
  while (!fs.readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').includes(word)) {
    if (Date.now() > deadline) throw new Error(`process ${child.pid} does not become ${word}`);
  }
  return child.pid ?? 0;
}

/** The pid file says that it was written so many seconds from now. */
function writtenIn(seconds: number): void {
  const at = Date.now() / 1000 + seconds;
  fs.utimesSync(path, at, at);
}

test('it holds the pid and nothing else, can be read by everybody, and no other file is left beside it', () => {
  claimed();
  expect(said()).toBe(`${process.pid}\n`);
  expect(fs.statSync(path).mode & 0o777).toBe(0o644);
  expect(fs.readdirSync(directory)).toEqual(['pm.pid']);
});

test('directories that are missing are made', () => {
  path = join(directory, 'a', 'b', 'pm.pid');
  claimed();
  expect(said()).toBe(`${process.pid}\n`);
});

test('it is removed at the end', () => {
  claimed().release();
  expect(fs.readdirSync(directory)).toEqual([]);
});

test('it stays when it is not ours any more, even with our number in it', () => {
  const { release } = claimed();
  fs.writeFileSync(`${path}.new`, `${process.pid}\n`);
  fs.renameSync(`${path}.new`, path);
  release();
  expect(said()).toBe(`${process.pid}\n`);
});

test.each(['stat', 'cmdline'])('of a process whose %s cannot be read now it is not taken away', (file) => {
  const holder = living('processmaster');
  fs.writeFileSync(path, `${holder}\n`);
  failingCall('readFileSync', (asked) => asked === `/proc/${holder}/${file}`, 'EMFILE');
  expect(claimPidFile(path)).toMatchObject({ message: expect.stringContaining('EMFILE') });
  expect(fs.readFileSync(path, 'utf8')).toBe(`${holder}\n`);
});

test('somebody has removed it: nothing is left to do', () => {
  const { release } = claimed();
  fs.rmSync(path);
  release();
  expect(fs.readdirSync(directory)).toEqual([]);
});

describe('a file that is there already', () => {
  test('of a process that is gone is replaced', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    fs.writeFileSync(path, `${child.pid}\n`);
    claimed();
    expect(said()).toBe(`${process.pid}\n`);
  });

  test('of a living process is refused, and the process is named', () => {
    const pid = living('somebody');
    fs.writeFileSync(path, `${pid}\n`);
    writtenIn(60);
    expect(claimPidFile(path)).toMatchObject({
      code: 'daemon-running',
      message: expect.stringMatching(new RegExp(`^already running: process ${pid} sh .*somebody`)),
    });
    expect(said()).toBe(`${pid}\n`);
    expect(fs.readdirSync(directory)).toEqual(['pm.pid']);
  });

  test('that is older than the process with its number is replaced', () => {
    fs.writeFileSync(path, `${living('processmaster')}\n`);
    writtenIn(-3600);
    claimed();
    expect(said()).toBe(`${process.pid}\n`);
  });

  test.each([
    ['a stranger who began then is not meant', 'stranger', undefined],
    ['a manager who began then is', 'processmaster', 'daemon-running'],
  ])('written when the process with its number began: %s', (_title, word, code) => {
    fs.writeFileSync(path, `${living(word)}\n`);
    const claim = claimPidFile(path);
    expect('code' in claim ? claim.code : undefined).toBe(code);
  });

  test('with our own number is that of an earlier start in the same container', () => {
    fs.writeFileSync(path, `${process.pid}\n`);
    const before = fs.statSync(path).ino;
    claimed();
    expect(fs.statSync(path).ino).not.toBe(before);
  });

  test('that is empty was never finished, and is replaced', () => {
    fs.writeFileSync(path, '');
    claimed();
    expect(said()).toBe(`${process.pid}\n`);
  });

  test.each(['precious text', '-1', '0', '1 2'])('with %j in it is no pid file, and stays', (text) => {
    fs.writeFileSync(path, text);
    expect(claimPidFile(path)).toMatchObject({ message: expect.stringContaining('is no pid file') });
    expect(said()).toBe(text);
  });

  test('that is no regular file stays, and holds nobody up', () => {
    execFileSync('mkfifo', [path]);
    expect(claimPidFile(path)).toMatchObject({ message: expect.stringContaining('is no pid file') });
    expect(fs.statSync(path).isFIFO()).toBe(true);
  });

  test('that is a link is replaced itself; what it leads to is left alone', () => {
    const target = join(directory, 'target');
    fs.symlinkSync(target, path);
    claimed();
    expect(fs.lstatSync(path).isFile()).toBe(true);
    expect(fs.existsSync(target)).toBe(false);
  });
});

test('a directory that cannot be written is told', () => {
  const file = join(directory, 'file');
  fs.writeFileSync(file, '');
  path = join(file, 'pm.pid');
  expect(claimPidFile(path)).toMatchObject({
    code: 'state-unwritable',
    message: expect.stringContaining('cannot be written'),
  });
});
