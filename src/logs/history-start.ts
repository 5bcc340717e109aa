/** Where does one have to begin to read, so that what is asked for is shown and as little as possible is read? */
import { timeOfLine } from '../model/line-time.ts';
import { type HistoryQuery, isTimeless, linesIn, MARGIN, sift, type TimedPart } from './history-lines.ts';
import type { Part } from './history-parts.ts';
import { LineCutter, NEWLINE } from './line-cutter.ts';

export interface Start {
  /** Oldest first; the first one is that to begin in. */
  readonly parts: readonly TimedPart[];
  /** A position in the first part, where a line begins. */
  readonly offset: number;
  /** So many lines that fit come before those that are asked for. */
  readonly skip: number;
  /** The time of the line before. */
  readonly carry: number;
}

/** Plain files are looked through backwards in such pieces; bytes. */
const SEGMENT = 262_144;

/** The beginning of a longer line is not looked for, and neither is what comes before it. */
const FARTHEST = 16 << 20;

interface Segment {
  readonly start: number;
  readonly end: number;
  /** Nothing before it can be shown. */
  readonly isFirst: boolean;
}

/**
 * @param isSpent true: no more may be read, and what was read last may be incomplete
 * @returns undefined: nothing is asked for, or it cannot be told
 */
export async function startOf(
  all: readonly Part[],
  query: HistoryQuery,
  isSpent: () => boolean,
): Promise<Start | undefined> {
  const { lines, since, until } = query;
  if (lines === 0) return undefined;
  const parts: TimedPart[] = [];
  let found: Omit<Start, 'parts'> | undefined;
  let left = lines ?? Number.POSITIVE_INFINITY;
  for (let index = all.length - 1; index >= 0 && !isSpent(); index--) {
    const bare = all[index];
    if (bare === undefined || (since !== null && bare.modified < since)) break;
    const older = all[index - 1];
    // What a file has was written after the one before it.
    if (until !== null && older !== undefined && older.modified > until + MARGIN) continue;
    const part = { ...bare, isTimeless: (since !== null || until !== null) && (await isTimeless(bare)) };
    parts.unshift(part);
    if (lines === null && (since === null || part.size === null)) {
      found = { offset: 0, skip: 0, carry: await timeAt(part, 0, await linesIn(part, 0, SEGMENT)) };
      continue;
    }
    const looked =
      part.size === null
        ? await lookForward(part, query, isSpent)
        : await lookBack(part, part.size, { query, wanted: left, isSpent });
    if (looked === undefined) return undefined;
    if (looked === 'spent') {
      parts.shift();
      break;
    }
    found = { offset: looked.offset, skip: Math.max(0, looked.count - left), carry: looked.carry };
    left -= looked.count;
    if (left <= 0 || looked.isEnough) break;
  }
  return found === undefined ? undefined : { parts, ...found };
}

interface Looked {
  /** Of the lines that fit from `offset` on. */
  readonly count: number;
  readonly offset: number;
  readonly carry: number;
  /** Nothing before it can fit. */
  readonly isEnough: boolean;
}

/** A compressed file cannot be read from its end: first it is only counted. */
async function lookForward(
  part: TimedPart,
  query: HistoryQuery,
  isSpent: () => boolean,
): Promise<Looked | 'spent' | undefined> {
  const cutter = new LineCutter();
  let carry: number | undefined;
  let first = 0;
  let count = 0;
  const add = (lines: readonly string[]): boolean => {
    if (carry === undefined) first = carry = firstTime(lines, part) ?? part.modified;
    const sifted = sift(lines, query, part, carry);
    if (sifted === undefined) return false;
    carry = sifted.carry;
    count += sifted.fitting.length;
    return true;
  };
  for await (const chunk of part.chunks(0)) {
    const lines = cutter.add(chunk);
    if (lines.length > 0 && !add(lines)) return undefined;
  }
  if (isSpent()) return 'spent';
  if (!add(cutter.rest())) return undefined;
  return { count, offset: 0, carry: first, isEnough: false };
}

async function lookBack(
  part: TimedPart,
  size: number,
  asked: { readonly query: HistoryQuery; readonly wanted: number; readonly isSpent: () => boolean },
): Promise<Looked | 'spent' | undefined> {
  const { query, wanted, isSpent } = asked;
  const { since } = query;
  let looked: Looked = { count: 0, offset: size, carry: part.modified, isEnough: false };
  for (let end = size; end > 0; ) {
    const { start, isFirst } = await segmentBefore(part, end);
    const lines = await linesIn(part, start, end);
    const carry = await timeAt(part, start, lines);
    if (isSpent()) return looked.count === 0 ? 'spent' : { ...looked, isEnough: true };
    // Without a number of lines only the time counts, and lines are nearly in order.
    const sifted =
      wanted === Number.POSITIVE_INFINITY
        ? { fitting: [], latest: lastTime(lines, part) }
        : sift(lines, query, part, carry);
    if (sifted === undefined) return undefined;
    const isOlder =
      since !== null && !part.isTimeless && sifted.latest !== null && sifted.latest < since - MARGIN;
    const count = looked.count + sifted.fitting.length;
    looked = { count, offset: start, carry, isEnough: isOlder || (isFirst && start > 0) };
    if (isOlder || isFirst || count >= wanted) break;
    end = start;
  }
  return looked;
}

/** From where a line begins to `end`, where one begins too or the file ends. */
async function segmentBefore(part: Part, end: number): Promise<Segment> {
  for (let start = Math.max(0, end - SEGMENT), until = end; ; ) {
    if (start === 0) return { start: 0, end, isFirst: true };
    let at = start;
    for await (const chunk of part.chunks(start, until)) {
      const newline = chunk.indexOf(NEWLINE);
      const next = at + newline + 1;
      if (newline >= 0 && next < end) return { start: next, end, isFirst: false };
      at += chunk.length;
    }
    // Nothing more may be read.
    if (at < until || end - start >= FARTHEST) return { start, end, isFirst: true };
    until = start;
    start = Math.max(0, start - SEGMENT);
  }
}

/** The time of the line before `offset`, or of the first one after it that tells one. */
async function timeAt(part: TimedPart, offset: number, lines: readonly string[]): Promise<number> {
  if (part.isTimeless) return part.modified;
  const own = lines[0] === undefined ? null : timeOfLine(lines[0], { reference: part.modified });
  if (own !== null || offset === 0) return own ?? firstTime(lines, part) ?? part.modified;
  const before = await linesIn(part, Math.max(0, offset - SEGMENT), offset);
  return (
    before.map((line) => timeOfLine(line, { reference: part.modified })).findLast((time) => time !== null) ??
    firstTime(lines, part) ??
    part.modified
  );
}

function firstTime(lines: readonly string[], part: Part): number | null {
  for (const line of lines) {
    const time = timeOfLine(line, { reference: part.modified });
    if (time !== null) return time;
  }
  return null;
}

function lastTime(lines: readonly string[], part: Part): number | null {
  for (let index = lines.length - 1; index >= 0; index--) {
    const time = timeOfLine(lines[index] ?? '', { reference: part.modified });
    if (time !== null) return time;
  }
  return null;
}
