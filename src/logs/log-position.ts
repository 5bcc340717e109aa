/** Where in a log does somebody stand, so that it holds when files are renamed, compressed and removed? */
import type { LogFile } from '../world/log-files.ts';
import { isFailure } from '../world/world.ts';
import { BEGINNING, type Place, TAIL } from './passage.ts';
import { startOfLines } from './read.ts';
import type { KnownFile } from './rotated-order.ts';

/** Where a follower stands, between two lines; plain data that can be kept. */
export interface Mark {
  /** The newest rotated file when the file that is being read was begun; null: there was none. */
  readonly after: KnownFile | null;
  /** In the file after that one, whatever it is called by now; bytes. */
  readonly position: number;
  /** What stands before it, base64. */
  readonly tail: string;
}

/** In the file that was the active one at some time. */
export interface Since {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** What is shorter than that is read from its beginning: somebody has cut it since. Bytes. */
  readonly position: number;
}

/** `lines`: the last so many lines first; an unfinished one counts as one. These three are of the active file only. */
export type From = 'start' | 'end' | { readonly lines: number } | Since | Mark;

/** A place in the log as a whole: in the file that came after the rotated file `after`. */
export interface Position extends Place {
  readonly after: KnownFile | null;
}

export function isMark(from: From): from is Mark {
  return typeof from === 'object' && 'after' in from;
}

/** The rotated files that were there then, of all in order; see inOrder. A file was written last when it was rotated. */
export function rotatedBefore<File extends KnownFile>(from: From, rotated: readonly File[]): readonly File[] {
  if (typeof from !== 'object' || !('since' in from)) return rotated;
  return rotated.slice(0, rotated.findLastIndex(({ modified }) => modified <= from.since) + 1);
}

export function markOf({ after, at, tail }: Position): Mark {
  return { after, position: at, tail: Buffer.from(tail).toString('base64') };
}

export function positionOf({ after, position, tail }: Mark): Position {
  return { after, at: position, tail: Buffer.from(tail, 'base64') };
}

/** undefined: it cannot be read now. */
export function startOf(from: Exclude<From, Mark>, file: LogFile | undefined): Place | undefined {
  if (file === undefined || from === 'start') return BEGINNING;
  const size = file.size();
  if (isFailure(size)) return undefined;
  const at = startIn(file, size, from);
  const length = Math.min(TAIL, at);
  const tail = file.read(at - length, length);
  return isFailure(tail) || tail.length < length ? undefined : { at, tail };
}

function startIn(file: LogFile, size: number, from: Exclude<From, Mark | 'start'>): number {
  if (from === 'end') return size;
  if ('since' in from) return from.position <= size ? from.position : 0;
  return from.lines <= 0 ? size : startOfLines(file, size, from.lines);
}

export function knownAs(file: KnownFile | undefined): KnownFile | null {
  if (file === undefined) return null;
  const { identity, modified, born } = file;
  return { identity, modified, born };
}
