/** Do the bytes of a log become its lines, whatever they are and in whatever pieces they come? */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { LogFollower } from '../../src/logs/follow.ts';
import { LineCutter } from '../../src/logs/line-cutter.ts';
import { lastLines } from '../../src/logs/read.ts';
import { timeOfLine } from '../../src/model/line-time.ts';
import { LONGEST_LINE } from '../../src/model/log-line.ts';
import { LONGEST_MATCHED, lineMatcher } from '../../src/world/line-matcher.ts';
import type { LogFile } from '../../src/world/log-files.ts';
import { anyText, odd } from './noise.ts';
import { fuzz } from './share.ts';

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 4, arbitrary: anyText.map((text) => Buffer.from(text)) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('\n', '\r\n', '\n\n', '\r', 'é\n').map((text) => Buffer.from(text)),
  },
  { weight: 2, arbitrary: odd.map((text) => Buffer.from(text)) },
);
const long = fc
  .tuple(fc.integer({ min: LONGEST_LINE - 3, max: LONGEST_LINE + 3 }), fc.constantFrom('x', 'é', '\u{1f600}'))
  .map(([size, of]) => {
    return Buffer.from(of.repeat(Math.ceil(size / Buffer.byteLength(of))));
  });
const pieces = fc.array(fc.oneof({ weight: 60, arbitrary: piece }, { weight: 1, arbitrary: long }), {
  maxLength: 10,
});

/** Byte by byte: a line is what stands between two newlines, cut where it is too long, without the end of a DOS line. */
function naive(bytes: Buffer): { readonly ended: readonly string[]; readonly rest: readonly string[] } {
  const lines: number[][] = [[]];
  for (const byte of bytes) {
    if (byte === 0x0a) lines.push([]);
    else lines.at(-1)!.push(byte);
  }
  const told = lines.map((line) => {
    const text = new TextDecoder().decode(Uint8Array.from(line.slice(0, LONGEST_LINE)));
    const isCut = line.length > LONGEST_LINE;
    return (text.endsWith('\r') ? text.slice(0, -1) : text) + (isCut ? '…' : '');
  });
  return { ended: told.slice(0, -1), rest: lines.at(-1)!.length === 0 ? [] : told.slice(-1) };
}

/** In memory, as a file. */
function fileOf(bytes: Buffer): LogFile {
  return {
    identity: '1.1',
    size: () => bytes.length,
    read: (position, length) => bytes.subarray(position, position + length),
    close: () => undefined,
  };
}

fuzz('logs: bytes to lines', fc.tuple(pieces, fc.nat(12)), ([all, count]) => {
  const whole = Buffer.concat(all);
  const { ended, rest } = naive(whole);
  const cutter = new LineCutter();
  expect(all.flatMap((bytes) => cutter.add(bytes))).toEqual(ended);
  expect(cutter.rest()).toEqual(rest);
  const lines = [...ended, ...rest];
  // Of longer ones only so much is read as is shown, from the end.
  if (whole.length <= LONGEST_LINE) {
    expect(lastLines(fileOf(whole), count)).toEqual(count === 0 ? [] : lines.slice(-count));
  }
  for (const line of lines) {
    const time = timeOfLine(line, { reference: 0 });
    expect(time === null || Number.isSafeInteger(time)).toBe(true);
  }
  const matcher = lineMatcher('x|\\d');
  const answer = 'refused' in matcher ? undefined : matcher.matches(lines);
  // Nothing is answered where the machine has too much to do.
  if (answer !== undefined) {
    expect(answer).toEqual(lines.map((line) => /x|\d/.test(line.slice(0, LONGEST_MATCHED))));
  }
});

let directory: string;
let nth = 0;

beforeAll(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'fuzz-logs-'));
});

afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

fuzz(
  'logs: followed',
  fc.tuple(pieces, fc.array(fc.boolean(), { minLength: 10, maxLength: 10 })),
  async ([all, looks]) => {
    const path = join(directory, `${nth++}.log`);
    let follower = new LogFollower({ path, credentials: null, rotation: 'ours' }, 'start');
    const got: string[] = [];
    const look = async () => {
      for (;;) {
        const { lines, notices, more } = await follower.read();
        got.push(...lines);
        expect(notices).toEqual([]);
        if (!more) return;
      }
    };
    for (const [index, bytes] of all.entries()) {
      fs.appendFileSync(path, bytes);
      if (looks[index]) await look();
      // Another process goes on where this one was.
      if (looks[index] && index % 3 === 2) {
        const mark = JSON.parse(JSON.stringify(follower.mark()));
        follower.close();
        follower = new LogFollower({ path, credentials: null, rotation: 'ours' }, mark);
      }
    }
    await look();
    follower.close();
    fs.rmSync(path, { force: true });
    expect(got).toEqual(naive(Buffer.concat(all)).ended);
  },
);
