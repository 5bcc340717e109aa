import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { hostProgram } from '../../src/world/host-program.ts';
import { appendToOwn, OwnLog, type Waiting } from '../../src/world/own-log.ts';
import { toolPath } from '../../src/world/tools.ts';

function ground(): string {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  return directory;
}

/** A fifo behaves as a disk does that has no room: nothing can be written until somebody reads. */
function fifo(): string {
  const path = join(ground(), 'log');
  expect(spawnSync(toolPath('mkfifo') ?? 'mkfifo', [path]).status).toBe(0);
  return path;
}

function reader(path: string): () => string {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  onTestFinished(() => fs.closeSync(fd));
  const bytes = Buffer.alloc(1 << 20);
  return () => {
    let text = '';
    try {
      for (let length = 1; length > 0; text += bytes.toString('utf8', 0, length))
        length = fs.readSync(fd, bytes);
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' });
    }
    return text;
  };
}

interface Told {
  readonly texts: number;
  readonly why: string;
}

/** A log that tells what was lost by a line of its own, as the daemon does. */
function openLog(path: string, waiting?: Waiting): { readonly log: OwnLog; readonly told: Told[] } {
  const told: Told[] = [];
  const log: OwnLog = new OwnLog(
    path,
    (texts, why) => {
      told.push({ texts, why });
      log.write(`lost ${texts}\n`);
    },
    waiting,
  );
  return { log, told };
}

test('a disk without room is no error of the program', () => {
  const { log, told } = openLog('/dev/full');
  for (let line = 0; line < 3; line++) log.write('line\n');
  expect(told).toEqual([]);
});

test('what was lost is counted, and told when there is room again', () => {
  const path = fifo();
  const { log, told } = openLog(path);
  log.write('one\n');
  log.write('two\n');
  const read = reader(path);
  log.write('three\n');
  log.write('four\n');
  expect(read()).toBe('three\nlost 2\nfour\n');
  expect(told).toEqual([{ texts: 2, why: expect.stringContaining('ENXIO') }]);
});

test('a line of which only the beginning could be written does not run into the next one', () => {
  const path = fifo();
  const read = reader(path);
  const { log } = openLog(path);
  const long = 'x'.repeat(1 << 17);
  log.write(`${long}\n`);
  // Nobody reads: this is lost as well, and is not waited for.
  log.write('short\n');
  const begun = read();
  expect(long.startsWith(begun)).toBe(true);
  expect(begun.length).toBeGreaterThan(0);
  log.write('next\n');
  expect(read()).toBe('\nnext\nlost 2\n');
});

describe('a reader that reads slowly', () => {
  const LINE = `${'x'.repeat(999)}\n`;

  /** 4 KiB in each half of a second; time passes only while it is waited for, and when it is told to. */
  function slowReader(path: string) {
    const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    onTestFinished(() => fs.closeSync(fd));
    const time = { now: 0, blocked: 0 };
    const pass = (milliseconds: number): void => {
      const reads = Math.floor((time.now + milliseconds) / 500) - Math.floor(time.now / 500);
      time.now += milliseconds;
      if (reads > 0) fs.readSync(fd, Buffer.alloc(4096 * reads));
    };
    const block = (milliseconds: number): void => {
      time.blocked += milliseconds;
      pass(milliseconds);
    };
    return { time, pass, waiting: { now: () => time.now, block } };
  }

  test('is waited for a moment in all, however many lines there are', () => {
    const path = fifo();
    const { time, pass, waiting } = slowReader(path);
    const { log, told } = openLog(path, waiting);
    for (let line = 0; line < 2000; line++) log.write(LINE);
    expect(time.blocked).toBeGreaterThan(0);
    expect(time.blocked).toBeLessThanOrEqual(600);
    pass(1000);
    log.write(LINE);
    expect(told.map(({ why }) => why)).toEqual([expect.stringContaining('EAGAIN')]);
  });

  test('takes a twentieth of the time at most for good', () => {
    const path = fifo();
    const { time, pass, waiting } = slowReader(path);
    const { log } = openLog(path, waiting);
    for (let line = 0; line < 2000; line++) log.write(LINE);
    const before = { ...time };
    for (let second = 0; second < 60; second++) {
      pass(1000);
      for (let line = 0; line < 50; line++) log.write(LINE);
    }
    const [blocked, passed] = [time.blocked - before.blocked, time.now - before.now];
    expect(blocked).toBeGreaterThan(0);
    // And what was left of a pause before.
    expect(blocked).toBeLessThanOrEqual(passed / 20 + 20);
  });

  test('is complained of once a minute at most', () => {
    const path = fifo();
    const { pass, waiting } = slowReader(path);
    const { log, told } = openLog(path, waiting);
    const writing = vi.spyOn(fs, 'writeSync');
    onTestFinished(() => writing.mockRestore());
    for (let second = 0; second < 120; second++) {
      pass(1000);
      for (let line = 0; line < 50; line++) log.write(LINE);
    }
    expect(told.length).toBeGreaterThan(100);
    const complaints = writing.mock.calls.filter(([fd]) => fd === 2);
    expect(complaints.length).toBeGreaterThanOrEqual(2);
    expect(complaints.length).toBeLessThanOrEqual(3);
  });

  test('that catches up for a while is waited for as at first', () => {
    const path = fifo();
    const { time, pass, waiting } = slowReader(path);
    const { log } = openLog(path, waiting);
    for (let line = 0; line < 2000; line++) log.write(LINE);
    const first = time.blocked;
    pass(60_000);
    for (let line = 0; line < 2000; line++) log.write(LINE);
    expect(time.blocked - first).toBe(first);
  });
});

test('opened afresh, it writes to the file that has the name now, which only its owner and group can read', () => {
  const path = join(ground(), 'made', 'log');
  const { log } = openLog(path);
  log.write('old\n');
  fs.renameSync(path, `${path}.1`);
  log.write('still old\n');
  expect(log.reopen()).toBeUndefined();
  log.write('new\n');
  expect(fs.readFileSync(`${path}.1`, 'utf8')).toBe('old\nstill old\n');
  expect(fs.readFileSync(path, 'utf8')).toBe('new\n');
  expect(fs.statSync(path).mode & 0o007).toBe(0);
});

test('what cannot be opened afresh stays as it was', () => {
  const path = join(ground(), 'log');
  const { log } = openLog(path);
  log.write('old\n');
  fs.renameSync(path, `${path}.1`);
  fs.mkdirSync(path);
  expect(log.reopen()).toContain('EISDIR');
  log.write('new\n');
  expect(fs.readFileSync(`${path}.1`, 'utf8')).toBe('old\nnew\n');
});

describe('lifecycle lines', () => {
  test('are appended to the file that lies there now', () => {
    const path = join(ground(), 'lines.log');
    const { append } = hostProgram({}, () => undefined);
    expect(append(path, 'first\n')).toBeUndefined();
    expect(append(path, 'second\n')).toBeUndefined();
    fs.renameSync(path, `${path}.1`);
    expect(append(path, 'third\n')).toBeUndefined();
    expect([`${path}.1`, path].map((file) => fs.readFileSync(file, 'utf8'))).toEqual([
      'first\nsecond\n',
      'third\n',
    ]);
  });

  /** A disk that takes so many bytes and then no more, as long as the answer was not called. */
  function roomFor(room: number): () => void {
    const { writeSync } = fs;
    let left = room;
    const spy = vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, bytes: Buffer, offset: number) => {
      const length = Math.min(left, bytes.length - offset);
      if (length === 0) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });
      left -= length;
      return writeSync(fd, bytes, offset, length);
    }) as never);
    const restore = () => spy.mockRestore();
    onTestFinished(restore);
    return restore;
  }

  test('leave nothing behind of one that a full disk took only the beginning of', () => {
    const path = join(ground(), 'lines.log');
    appendToOwn(path, 'first\n');
    const makeRoom = roomFor(3);
    expect(appendToOwn(path, 'second\n')).toBe('ENOSPC');
    expect(appendToOwn(path, 'third\n')).toBe('ENOSPC');
    makeRoom();
    expect(appendToOwn(path, 'fourth\n')).toBeUndefined();
    expect(fs.readFileSync(path, 'utf8')).toBe('first\nfourth\n');
  });

  test('do not run into one that cannot be taken back', () => {
    const path = join(ground(), 'lines.log');
    appendToOwn(path, 'first\n');
    const makeRoom = roomFor(3);
    // As of a file that may only grow: ioctl_iflags(2), FS_APPEND_FL.
    const onlyGrows = vi.spyOn(fs, 'ftruncateSync').mockImplementationOnce(() => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    });
    onTestFinished(() => onlyGrows.mockRestore());
    expect(appendToOwn(path, 'second\n')).toBe('ENOSPC');
    makeRoom();
    expect(appendToOwn(path, 'third\n')).toBeUndefined();
    expect(appendToOwn(path, 'fourth\n')).toBeUndefined();
    expect(fs.readFileSync(path, 'utf8')).toBe('first\nsec\nthird\nfourth\n');
  });

  test('reach who reads a fifo, and wait for nobody who does not', () => {
    const path = fifo();
    expect(appendToOwn(path, 'nobody is there\n')).toBe('ENXIO');
    const read = reader(path);
    expect(appendToOwn(path, 'somebody is there\n')).toBeUndefined();
    expect(read()).toBe('somebody is there\n');
    // More than any pipe takes unless somebody sets it (pipe(7), "Pipe capacity").
    const answers = Array.from({ length: 256 }, () => appendToOwn(path, 'x'.repeat(4096)));
    expect(answers.at(-1)).toBe('EAGAIN');
  });
});
