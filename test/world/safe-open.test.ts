import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Credentials } from '../../src/model/spec.ts';
import { openLog, openLogForReading } from '../../src/world/safe-open.ts';

const APP: Credentials = { uid: 54321, gid: 54322, groups: [], user: 'app', home: '/', shell: '/bin/sh' };
const isRoot = process.getuid?.() === 0;

let directory: string;
const at = (name: string) => join(directory, name);

beforeEach(() => {
  // Below a directory that only root may write: what a link in it means is up to each test.
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  fs.chmodSync(directory, 0o755);
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

type Opened = ReturnType<typeof openLog>;

/** Writes a line through the descriptor, and closes it. */
function use(opened: Opened): void {
  if ('code' in opened) throw new Error(opened.message);
  fs.writeSync(opened.fd, 'line\n');
  fs.closeSync(opened.fd);
}

function refusal(opened: Opened): string {
  if (!('code' in opened)) fs.closeSync(opened.fd);
  return 'code' in opened ? opened.code : 'opened';
}

function makeFifo(path: string): void {
  execFileSync('mkfifo', [path]);
}

describe('a log of the own user', () => {
  it('is made with its directories and appended to', () => {
    const umask = process.umask(0);
    use(openLog(at('a/b/out.log'), null));
    process.umask(umask);
    use(openLog(at('a/b/out.log'), null));
    expect(fs.readFileSync(at('a/b/out.log'), 'utf8')).toBe('line\nline\n');
    expect(fs.statSync(at('a/b/out.log')).mode & 0o777).toBe(0o640);
    expect(fs.statSync(at('a/b')).mode & 0o777).toBe(0o750);
  });

  it('is refused where no directory can be made, which the kernel calls missing', () => {
    expect(openLog('/proc/nope/x/out.log', null)).toMatchObject({
      message: expect.stringContaining('(ENOENT)'),
    });
  });

  it('names a fifo that nobody reads', () => {
    makeFifo(at('fifo'));
    expect(openLog(at('fifo'), null)).toMatchObject({
      message: expect.stringContaining('a fifo that nobody reads'),
    });
  });

  it('is not made with a directory that has to be there', () => {
    const missing = openLog(at('typo/deep/out.log'), null, at('typo/deep'));
    expect(missing).toMatchObject({
      code: 'working-directory-missing',
      message: `the working directory ${at('typo/deep')} does not exist`,
    });
    expect(fs.existsSync(at('typo'))).toBe(false);
    fs.mkdirSync(at('there'));
    use(openLog(at('there/logs/out.log'), null, at('there')));
    expect(fs.readFileSync(at('there/logs/out.log'), 'utf8')).toBe('line\n');
  });

  it('may be /dev/null, and nothing else that is no file', () => {
    makeFifo(at('fifo'));
    expect(refusal(openLog('/dev/null', null))).toBe('opened');
    expect(refusal(openLog('/dev/zero', null))).toBe('log-unsafe');
    expect(refusal(openLog(directory, null))).toBe('log-unwritable');
    // Without a reader the kernel refuses, with one we do; neither waits.
    expect(refusal(openLog(at('fifo'), null))).toBe('log-unwritable');
    const reader = fs.openSync(at('fifo'), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    expect(refusal(openLog(at('fifo'), null))).toBe('log-unsafe');
    fs.closeSync(reader);
  });

  it('has a full path', () => {
    expect(refusal(openLog('out.log', null))).toBe('log-unwritable');
    expect(refusal(openLog('/tmp/a\0b', null))).toBe('log-unwritable');
  });

  it('says why it cannot be opened', () => {
    fs.writeFileSync(at('file'), '');
    expect(openLog(at('file/out.log'), null)).toMatchObject({
      code: 'log-unwritable',
      message: `${at('file/out.log')} cannot be appended to: not a directory (ENOTDIR)`,
    });
    expect(openLogForReading(at('none'), null)).toMatchObject({
      code: 'log-unreadable',
      message: `${at('none')} cannot be read: no such file or directory (ENOENT)`,
    });
  });
});

describe.skipIf(!isRoot)('a log of another user', () => {
  /** The directory of the service, in which its user may do what he wants. */
  let work: string;
  const inWork = (name: string) => join(work, name);
  const leaks = ['log-unsafe', 'log-unsafe'];
  const both = (path: string) => [refusal(openLog(path, APP)), refusal(openLogForReading(path, APP))];

  beforeEach(() => {
    work = at('work');
    fs.mkdirSync(work);
    fs.chownSync(work, APP.uid, APP.gid);
    fs.mkdirSync(at('secret'), { mode: 0o700 });
    fs.writeFileSync(at('secret/shadow'), 'secret\n', { mode: 0o600 });
  });
  afterEach(() => expect(fs.readFileSync(at('secret/shadow'), 'utf8')).toBe('secret\n'));

  it('is made for that user, with its directories, whatever our umask is', () => {
    const umask = process.umask(0o077);
    use(openLog(inWork('logs/deep/out.log'), APP));
    process.umask(umask);
    use(openLog(inWork('logs/deep/out.log'), APP));
    expect(fs.readFileSync(inWork('logs/deep/out.log'), 'utf8')).toBe('line\nline\n');
    for (const [name, mode] of [
      ['logs', 0o750],
      ['logs/deep', 0o750],
      ['logs/deep/out.log', 0o640],
    ] as const) {
      const found = fs.statSync(inWork(name));
      expect([name, found.uid, found.gid, found.mode & 0o777]).toEqual([name, APP.uid, APP.gid, mode]);
    }
  });

  it('is not made with a directory that has to be there', () => {
    expect(refusal(openLog(inWork('typo/out.log'), APP, inWork('typo')))).toBe('working-directory-missing');
    expect(fs.existsSync(inWork('typo'))).toBe(false);
  });

  it('that exists keeps its owner and mode', () => {
    fs.writeFileSync(at('out.log'), '', { mode: 0o600 });
    use(openLog(at('out.log'), APP));
    expect(fs.statSync(at('out.log'))).toMatchObject({ uid: 0 });
    expect(fs.statSync(at('out.log')).mode & 0o777).toBe(0o600);
  });

  it('is not followed through a link that this user planted: the file', () => {
    fs.symlinkSync(at('secret/shadow'), inWork('out.log'));
    expect(both(inWork('out.log'))).toEqual(leaks);
    fs.rmSync(inWork('out.log'));
    fs.symlinkSync(at('secret/new'), inWork('out.log'));
    expect(both(inWork('out.log'))).toEqual(leaks);
    expect(fs.readdirSync(at('secret'))).toEqual(['shadow']);
  });

  it('is not followed through a link that this user planted: a directory, at any depth', () => {
    fs.symlinkSync(at('secret'), inWork('logs'));
    expect(both(inWork('logs/shadow'))).toEqual(leaks);
    expect(both(inWork('logs/deep/new.log'))).toEqual(leaks);
    fs.rmSync(inWork('logs'));
    fs.mkdirSync(inWork('logs'));
    fs.chownSync(inWork('logs'), APP.uid, APP.gid);
    fs.symlinkSync('../../secret', inWork('logs/deep'));
    expect(both(inWork('logs/deep/shadow'))).toEqual(leaks);
    expect(fs.readdirSync(at('secret'))).toEqual(['shadow']);
  });

  it.each([0o775, 0o757, 0o1777])('is not followed through a link in a directory of mode %o', (mode) => {
    fs.mkdirSync(at('shared'));
    fs.chmodSync(at('shared'), mode);
    fs.symlinkSync(at('secret/shadow'), at('shared/out.log'));
    expect(both(at('shared/out.log'))).toEqual(leaks);
  });

  it('is followed through a link that only root can have made', () => {
    fs.symlinkSync('work', at('current'));
    fs.symlinkSync(at('current'), at('latest'));
    use(openLog(at('latest/out.log'), APP));
    expect(fs.readFileSync(inWork('out.log'), 'utf8')).toBe('line\n');
    fs.symlinkSync(inWork('out.log'), at('out.log'));
    use(openLog(at('out.log'), APP));
    expect(fs.readFileSync(inWork('out.log'), 'utf8')).toBe('line\nline\n');
    // A good link may lead to a bad one.
    fs.symlinkSync(at('secret/shadow'), inWork('bad'));
    fs.symlinkSync('work/bad', at('indirect'));
    expect(both(at('indirect'))).toEqual(leaks);
  });

  it('does not go round in circles', () => {
    fs.symlinkSync('b', at('a'));
    fs.symlinkSync('a', at('b'));
    expect(both(at('a'))).toEqual(leaks);
    expect(both(at('a/out.log'))).toEqual(leaks);
  });

  it('is not one more name of a file that belongs to somebody else', () => {
    fs.linkSync(at('secret/shadow'), inWork('out.log'));
    expect(both(inWork('out.log'))).toEqual(leaks);
    fs.rmSync(inWork('out.log'));
    fs.writeFileSync(inWork('own'), '');
    fs.chownSync(inWork('own'), APP.uid, APP.gid);
    fs.linkSync(inWork('own'), inWork('out.log'));
    expect(both(inWork('out.log'))).toEqual(['opened', 'opened']);
  });

  it('is no fifo, device or directory', () => {
    makeFifo(inWork('fifo'));
    const reader = fs.openSync(inWork('fifo'), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    expect(both(inWork('fifo'))).toEqual(leaks);
    fs.closeSync(reader);
    fs.mkdirSync(inWork('logs'));
    expect(refusal(openLog(inWork('logs'), APP))).toBe('log-unwritable');
    expect(refusal(openLogForReading(inWork('logs'), APP))).toBe('log-unsafe');
    expect(refusal(openLog('/', APP))).toBe('log-unsafe');
    expect(refusal(openLog('/dev/null', APP))).toBe('opened');
    expect(refusal(openLog('/dev/zero', APP))).toBe('log-unsafe');
  });

  it('that is read makes nothing', () => {
    expect(refusal(openLogForReading(inWork('logs/out.log'), APP))).toBe('log-unreadable');
    expect(fs.readdirSync(work)).toEqual([]);
  });

  it('can be reached in a sticky directory, where the kernel protects files of others from O_CREAT', () => {
    fs.mkdirSync(at('sticky'));
    fs.chmodSync(at('sticky'), 0o1777);
    fs.writeFileSync(at('sticky/out.log'), '');
    fs.chownSync(at('sticky/out.log'), APP.uid, APP.gid);
    use(openLog(at('sticky/out.log'), APP));
    expect(fs.readFileSync(at('sticky/out.log'), 'utf8')).toBe('line\n');
  });

  it('leaves no descriptor open, however it ends', () => {
    const count = () => fs.readdirSync('/proc/self/fd').length;
    fs.symlinkSync(at('secret'), inWork('logs'));
    const before = count();
    for (let round = 0; round < 20; round++) {
      both(inWork('logs/shadow'));
      both(inWork('new/deep/out.log'));
      both(inWork('none/'));
      both(at('secret'));
    }
    expect(count()).toBe(before);
  });
});
