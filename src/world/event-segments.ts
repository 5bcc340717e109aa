/** In which files does a journal lie, and what stands at the end of one? */
import fs from 'node:fs';
import { join } from 'node:path';
import type { NumberedEvent } from '../model/action.ts';
import { readEventLine } from '../model/event-line.ts';
import { codeOf } from './errno.ts';
import type { Failure } from './world.ts';

/** One file of a journal, named by the number of its first event. */
export interface Segment {
  readonly first: number;
  readonly path: string;
}

const NAME = /^(\d{1,16})\.jsonl$/;

export function segmentPath(directory: string, first: number): string {
  return join(directory, `${first}.jsonl`);
}

/** Oldest first; none where there is no such directory. */
export function segmentsIn(directory: string): readonly Segment[] | Failure {
  try {
    return fs
      .readdirSync(directory)
      .flatMap((name) => {
        const first = Number(NAME.exec(name)?.[1] ?? Number.NaN);
        return Number.isSafeInteger(first) ? [{ first, path: join(directory, name) }] : [];
      })
      .sort((a, b) => a.first - b.first);
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? [] : { failed: codeOf(error) };
  }
}

/** The end of a file is looked at so far; every line of the journal is much shorter. Bytes. */
const TAIL = 256 * 1024;

export interface Tail {
  readonly size: number;
  /** The last event that can be read in it. */
  readonly last: NumberedEvent | undefined;
  /** It does not end with a newline. */
  readonly open: boolean;
  /** Bytes after the last newline that are no event. */
  readonly torn: number;
}

/** @throws the error of the system call */
export function tailOf(path: string): Tail {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY);
  try {
    const { size } = fs.fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(size, TAIL));
    const got = fs.readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    const bytes = buffer.subarray(0, got);
    const newline = bytes.lastIndexOf(0x0a);
    const rest = bytes.subarray(newline + 1);
    const open = rest.length > 0;
    const unended = open ? readEventLine(rest.toString('utf8')) : undefined;
    const torn = open && unended === undefined ? rest.length : 0;
    return { size, last: unended ?? lastOf(bytes.subarray(0, newline + 1)), open, torn };
  } finally {
    fs.closeSync(fd);
  }
}

function lastOf(bytes: Buffer): NumberedEvent | undefined {
  const lines = bytes.toString('utf8').split('\n');
  for (let index = lines.length - 1; index >= 0; index--) {
    const event = readEventLine(lines[index] ?? '');
    if (event !== undefined) return event;
  }
  return undefined;
}

/** Some journal is there, and this user may read it. */
export function isReadable(directory: string): boolean {
  const segments = segmentsIn(directory);
  if ('failed' in segments) return false;
  return segments.some(({ path }) => {
    try {
      fs.accessSync(path, fs.constants.R_OK);
      return true;
    } catch {
      return false;
    }
  });
}
