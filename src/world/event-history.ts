/** What does the journal on disk say? Read some lines at a time, so that nobody has to wait for all of it. */
import fs from 'node:fs';
import type { NumberedEvent } from '../model/action.ts';
import { readEventLine } from '../model/event-line.ts';
import { type EventPage, type EventQuery, isMeant } from '../model/event-query.ts';
import { type Segment, segmentsIn } from './event-segments.ts';
import type { Failure } from './world.ts';

type FileHandle = fs.promises.FileHandle;

/** Read at once. Bytes. */
const CHUNK = 65_536;

/** No line of the journal is as long: what has no newline for so long is no journal. Bytes. */
const LONGEST_LINE = 1024 * 1024;

/** Lines that are no whole events are passed over, and so is what has a lower number than the line before it. */
export async function* eventsIn(directory: string, query: EventQuery): AsyncGenerator<EventPage, void> {
  const segments = segmentsIn(directory);
  if ('failed' in segments) return;
  if (query.last !== undefined) {
    yield await lastOf(segments, query, query.last);
    return;
  }
  const from = await firstToRead(segments, query);
  let upTo = query.after ?? 0;
  for (const { path } of segments.slice(from)) {
    for await (const lines of linesForward(path)) {
      const events = lines.flatMap((line) => {
        const event = readEventLine(line);
        if (event === undefined || event.id <= upTo) return [];
        upTo = event.id;
        return isMeant(event, query) ? [event] : [];
      });
      yield { events, upTo };
    }
  }
}

/** What comes before cannot be meant: numbers grow, and so do times, but for a clock that was set back. */
async function firstToRead(segments: readonly Segment[], { after, since }: EventQuery): Promise<number> {
  let from = 0;
  for (const [index, { first, path }] of segments.entries()) {
    if (index === 0) continue;
    if (after !== undefined && first <= after + 1) from = index;
    else if (since !== undefined && ((await firstTime(path)) ?? since) < since) from = index;
  }
  return from;
}

async function firstTime(path: string): Promise<number | undefined> {
  for await (const lines of linesForward(path)) {
    for (const line of lines) {
      const event = readEventLine(line);
      if (event !== undefined) return event.at;
    }
  }
  return undefined;
}

async function* linesForward(path: string): AsyncGenerator<readonly string[], void> {
  const file = await opened(path);
  if (isFailed(file)) return;
  try {
    let rest = Buffer.alloc(0);
    for (let at = 0; ; ) {
      const chunk = await readAt(file, at, CHUNK);
      if (chunk.length === 0) break;
      at += chunk.length;
      const bytes = Buffer.concat([rest, chunk]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      rest = bytes.length - end > LONGEST_LINE ? Buffer.alloc(0) : bytes.subarray(end);
      if (end > 0) yield bytes.toString('utf8', 0, end - 1).split('\n');
    }
    if (rest.length > 0) yield [rest.toString('utf8')];
  } finally {
    await file.close();
  }
}

/** Reads backward, and no further than it must. */
async function lastOf(segments: readonly Segment[], query: EventQuery, count: number): Promise<EventPage> {
  const events: NumberedEvent[] = [];
  let upTo = query.after ?? 0;
  let before = Number.POSITIVE_INFINITY;
  for (const { path } of [...segments].reverse()) {
    for await (const lines of linesBackward(path)) {
      let oldest: NumberedEvent | undefined;
      for (const event of lines.toReversed().map(readEventLine)) {
        if (event === undefined || event.id >= before) continue;
        before = event.id;
        oldest = event;
        upTo = Math.max(upTo, event.id);
        if (isMeant(event, query)) events.push(event);
        if (events.length >= count) return { events: events.slice(0, count).reverse(), upTo };
      }
      const { after, since } = query;
      const isEnough =
        oldest !== undefined &&
        ((after !== undefined && oldest.id <= after) || (since !== undefined && oldest.at < since));
      if (isEnough) return { events: events.reverse(), upTo };
    }
  }
  return { events: events.reverse(), upTo };
}

/** The lines of the end first; those of one answer are in the order of the file. */
async function* linesBackward(path: string): AsyncGenerator<readonly string[], void> {
  const file = await opened(path);
  if (isFailed(file)) return;
  try {
    let { size: end } = await file.stat();
    let rest = Buffer.alloc(0);
    while (end > 0) {
      const start = Math.max(0, end - CHUNK);
      const bytes = Buffer.concat([await readAt(file, start, end - start), rest]);
      const newline = start === 0 ? -1 : bytes.indexOf(0x0a);
      // The line that begins further to the front.
      const whole = start === 0 ? 0 : newline < 0 ? bytes.length : newline + 1;
      rest = whole > LONGEST_LINE ? Buffer.alloc(0) : bytes.subarray(0, whole);
      end = start;
      if (whole < bytes.length) yield bytes.toString('utf8', whole).split('\n');
    }
  } finally {
    await file.close();
  }
}

/** Fewer bytes only at the end of the file. */
async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, at);
  return buffer.subarray(0, bytesRead);
}

async function opened(path: string): Promise<FileHandle | Failure> {
  try {
    return await fs.promises.open(path, 'r');
  } catch {
    // The oldest one goes when the journal has become too large.
    return { failed: 'ENOENT' };
  }
}

function isFailed(file: FileHandle | Failure): file is Failure {
  return 'failed' in file;
}
