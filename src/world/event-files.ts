/** How are events kept on disk so that no end of the daemon, at any byte, loses more than the line it was writing? */
import fs from 'node:fs';
import { dirname } from 'node:path';
import type { NumberedEvent } from '../model/action.ts';
import { eventLine } from '../model/event-line.ts';
import { codeOf } from './errno.ts';
import { type Segment, segmentPath, segmentsIn, tailOf } from './event-segments.ts';
import { makeDirectories } from './make-directories.ts';
import type { Failure } from './world.ts';

/** What an earlier daemon has left. */
export interface KeptEvents {
  /** The number of the last event, 0 when there is none. */
  readonly last: number;
  /** Bytes of a last line that was cut off; the next line begins on a new line. */
  readonly torn: number;
  readonly failed?: string;
}

/** The journal lies in so many files; the oldest one goes when another is begun. */
const SEGMENTS = 5;

/**
 * Files of JSON lines, `<number of the first event>.jsonl`: the name tells where to look for an event, and nothing is
 * ever renamed. Appended in one write(2), without fsync: what was written survives the end of the daemon, not that of
 * the host.
 */
export class EventFiles {
  readonly directory: string;
  readonly #most: number;
  #segments: (Segment & { size: number })[] = [];
  /** What stands at the end of the newest file is no whole line. */
  #open = false;

  /** @param maxSize bytes, for all of them together */
  constructor(directory: string, maxSize: number) {
    this.directory = directory;
    this.#most = Math.floor(maxSize / SEGMENTS);
  }

  /** Looks at what is there; writes nothing. */
  open(): KeptEvents {
    const found = segmentsIn(this.directory);
    if ('failed' in found) return { last: 0, torn: 0, failed: found.failed };
    try {
      this.#segments = found.map((segment) => ({ ...segment, size: fs.statSync(segment.path).size }));
      const newest = this.#segments.at(-1);
      if (newest === undefined) return { last: 0, torn: 0 };
      const { last, open, torn } = tailOf(newest.path);
      this.#open = open;
      return { last: Math.max(newest.first - 1, last?.id ?? 0), torn };
    } catch (error) {
      return { last: found.at(-1)?.first ?? 0, torn: 0, failed: codeOf(error) };
    }
  }

  /** The number of the oldest event that may still be there; undefined: there is none. */
  get oldest(): number | undefined {
    return this.#segments[0]?.first;
  }

  /** @returns how many of them are on disk now, and why the others are not */
  append(events: readonly NumberedEvent[]): { readonly written: number } & Partial<Failure> {
    let written = 0;
    let text = '';
    try {
      for (const [index, event] of events.entries()) {
        const line = eventLine(event);
        const size = (this.#segments.at(-1)?.size ?? Number.POSITIVE_INFINITY) + Buffer.byteLength(text);
        if (size > 0 && size + Buffer.byteLength(line) > this.#most) {
          this.#write(text);
          written = index;
          text = '';
          this.#begin(event.id);
        }
        text += line;
      }
      this.#write(text);
      return { written: events.length };
    } catch (error) {
      return { written, failed: codeOf(error) };
    }
  }

  #begin(first: number): void {
    this.#segments.push({ first, path: segmentPath(this.directory, first), size: 0 });
    this.#open = false;
    while (this.#segments.length > SEGMENTS) {
      const oldest = this.#segments.shift();
      if (oldest !== undefined) fs.rmSync(oldest.path, { force: true });
    }
  }

  /** The file is not kept open: its file system can be unmounted, and one that was removed is made anew. */
  #write(text: string): void {
    const newest = this.#segments.at(-1);
    if (newest === undefined || text === '') return;
    const fd = opened(newest.path);
    try {
      newest.size = fs.fstatSync(fd).size;
      const bytes = Buffer.from(this.#open && newest.size > 0 ? `\n${text}` : text);
      let written = 0;
      try {
        while (written < bytes.length) written += fs.writeSync(fd, bytes, written);
      } catch (error) {
        this.#takeBack(fd, newest.size, written);
        throw error;
      }
      newest.size += bytes.length;
      this.#open = false;
    } finally {
      fs.closeSync(fd);
    }
  }

  /** A disk that is full took the beginning only: that a file becomes shorter needs no room. */
  #takeBack(fd: number, size: number, written: number): void {
    if (written === 0) return;
    try {
      fs.ftruncateSync(fd, size);
    } catch {
      this.#open = true;
    }
  }
}

function opened(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  // Of a fifo that nobody reads it is an error, and no wait.
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  try {
    return fs.openSync(path, flags, 0o600);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    makeDirectories(dirname(path), 0o700);
    return fs.openSync(path, flags, 0o600);
  }
}
