import { describe, expect, it } from 'vitest';
import { lastLines } from '../../src/logs/read.ts';
import { LONGEST_LINE } from '../../src/model/log-line.ts';
import type { LogFile } from '../../src/world/log-files.ts';

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
