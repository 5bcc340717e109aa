import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LONGEST_LINE } from '../../src/logs/line-cutter.ts';
import { LogFollower, lastLines } from '../../src/logs/read.ts';
import { type LogFile, openLogFile } from '../../src/world/log-files.ts';

/** A log in memory that counts how much of it was read. */
function textFile(text: string): LogFile & { bytesRead: number } {
  const bytes = Buffer.from(text);
  return {
    bytesRead: 0,
    identity: 'memory',
    size: () => bytes.length,
    read(position, length) {
      this.bytesRead += length;
      return bytes.subarray(position, position + length);
    },
    close: () => undefined,
  };
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}`);

describe('the last lines', () => {
  it.each<[string, number, readonly string[]]>([
    ['', 5, []],
    ['\n', 5, ['']],
    ['a', 5, ['a']],
    ['a\n', 5, ['a']],
    ['a\nb', 1, ['b']],
    ['a\nb\n', 1, ['b']],
    ['a\n\nb\n\n', 3, ['', 'b', '']],
    ['a\nb\nc\n', 2, ['b', 'c']],
    ['a\nb\nc\n', 3, ['a', 'b', 'c']],
    ['a\nb\nc\n', 9, ['a', 'b', 'c']],
    ['a\nb\n', 0, []],
    ['a\r\nb\r\n', 2, ['a', 'b']],
  ])('of %j, %d of them', (text, count, lines) => expect(lastLines(textFile(text), count)).toEqual(lines));

  it('are found across blocks, and characters stay whole', () => {
    const lines = numbered(20_000).map((line) => `${line} ü€😀`);
    const file = textFile(`${lines.join('\n')}\n`);
    for (const count of [1, 50, 5000, 19_999, 20_000])
      expect(lastLines(file, count)).toEqual(lines.slice(-count));
  });

  it('cost what is shown, not what the file has', () => {
    const file = textFile(`${numbered(2_000_000).join('\n')}\n`);
    expect(lastLines(file, 3)).toEqual(['line 1999997', 'line 1999998', 'line 1999999']);
    expect(file.bytesRead).toBeLessThan(200_000);
  });

  it('of a file without any line break are bounded', () => {
    const file = textFile('x'.repeat(10_000_000));
    const [line, ...more] = lastLines(file, 2);
    expect(more).toEqual([]);
    expect(line).toBe(`${'x'.repeat(LONGEST_LINE)}…`);
    expect(file.bytesRead).toBeLessThan(1_000_000);
  });

  it('are none when the file cannot be read', () => {
    const failed = { failed: 'EIO' };
    expect(lastLines({ ...textFile('a\n'), size: () => failed }, 3)).toEqual([]);
    expect(lastLines({ ...textFile('a\n'), read: () => failed }, 3)).toEqual([]);
  });
});

describe('a follower', () => {
  let directory: string;
  let path: string;
  let followers: LogFollower[];

  beforeEach(() => {
    directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
    path = join(directory, 'out.log');
    followers = [];
  });
  afterEach(() => {
    for (const follower of followers) follower.close();
    fs.rmSync(directory, { recursive: true });
  });

  function follow(from: 'start' | 'end'): LogFollower {
    const follower = new LogFollower(() => openLogFile(path, null), from);
    followers.push(follower);
    return follower;
  }
  const lines = (follower: LogFollower) => {
    const { lines, more } = follower.read();
    expect(more).toBe(false);
    return lines;
  };

  it('tells lines once, when they are ended', () => {
    fs.writeFileSync(path, 'old\n');
    const [end, start] = [follow('end'), follow('start')];
    expect([lines(end), lines(start)]).toEqual([[], ['old']]);
    fs.appendFileSync(path, 'one\ntw');
    expect([lines(end), lines(start)]).toEqual([['one'], ['one']]);
    fs.appendFileSync(path, 'o\n');
    expect([lines(end), lines(start)]).toEqual([['two'], ['two']]);
    expect(lines(end)).toEqual([]);
  });

  it('waits for a file that does not exist yet, and begins at its beginning', () => {
    const follower = follow('end');
    expect(lines(follower)).toEqual([]);
    fs.writeFileSync(path, 'first\n');
    expect(lines(follower)).toEqual(['first']);
  });

  it('begins again when the file was truncated', () => {
    fs.writeFileSync(path, 'a long old line\nhalf');
    const follower = follow('start');
    expect(lines(follower)).toEqual(['a long old line']);
    fs.truncateSync(path);
    fs.appendFileSync(path, 'new\n');
    expect(lines(follower)).toEqual(['new']);
  });

  it('reads a replaced file to its end before it goes on with the next', () => {
    fs.writeFileSync(path, 'one\n');
    const follower = follow('start');
    expect(lines(follower)).toEqual(['one']);
    fs.appendFileSync(path, 'two\nthree');
    fs.renameSync(path, `${path}.1`);
    fs.writeFileSync(path, 'four\n');
    expect(lines(follower)).toEqual(['two', 'three', 'four']);
    expect(fs.readdirSync('/proc/self/fd').filter((fd) => targetOf(fd).startsWith(`${path}.1`))).toEqual([]);
  });

  it('keeps what it has while the file is away', () => {
    fs.writeFileSync(path, 'one\n');
    const follower = follow('start');
    fs.renameSync(path, `${path}.1`);
    expect(lines(follower)).toEqual(['one']);
    fs.appendFileSync(`${path}.1`, 'still here\n');
    expect(lines(follower)).toEqual(['still here']);
  });

  it('gives much in portions, and loses and doubles nothing between them', () => {
    const all = numbered(50_000);
    fs.writeFileSync(path, `${all.join('\n')}\n`);
    const follower = follow('start');
    const got: string[] = [];
    let portions = 0;
    for (let more = true; more; portions++) {
      const part = follower.read(10_000);
      got.push(...part.lines);
      more = part.more;
    }
    expect(got).toEqual(all);
    expect(portions).toBeGreaterThan(40);
  });

  it('does not keep a line without an end in memory', () => {
    fs.writeFileSync(path, `${'x'.repeat(1_000_000)}\nnext\n`);
    const [long, next] = lines(follow('start'));
    expect(long).toHaveLength(LONGEST_LINE + 1);
    expect(next).toBe('next');
  });
});

function targetOf(fd: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
