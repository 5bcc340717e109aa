/**
 * Is every line that numbering writers wrote in a log or in one of its rotated files: once, whole and in order? A line is
 * `<writer> <number> xxx…`, and all lines have the same length.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { rotatedName } from '../../src/policy/rotation-names.ts';

/** Bytes of a line with its end, unless somebody says otherwise. */
export const WIDTH = 128;

const DIGITS = 12;
const NUMBER_AT = 2;
const PADDING_AT = NUMBER_AT + DIGITS + 1;
const [NEWLINE, BLANK, ZERO, NINE] = [0x0a, 0x20, 0x30, 0x39];

/** Some lines of one writer that follow each other; the numbers begin at 1. */
export class LineBlock {
  readonly bytes: Buffer;
  /** How many lines were given out before these. */
  count = 0;
  readonly #lines: number;

  constructor(writer: number, lines: number) {
    this.#lines = lines;
    const line = `${writer} ${'0'.repeat(DIGITS)} ${'x'.repeat(WIDTH - PADDING_AT - 1)}\n`;
    this.bytes = Buffer.from(line.repeat(lines));
    this.#fill();
  }

  /** Makes the same buffer the lines after these. */
  next(): void {
    this.count += this.#lines;
    this.#fill();
  }

  #fill(): void {
    for (let line = 0; line < this.#lines; line++) {
      let number = this.count + line + 1;
      for (let at = line * WIDTH + PADDING_AT - 2; number > 0; at--) {
        this.bytes[at] = ZERO + (number % 10);
        number = Math.floor(number / 10);
      }
    }
  }
}

export interface Counted {
  /** Whole lines by writer. */
  readonly lines: Readonly<Record<number, number>>;
  /** The highest number by writer. */
  readonly last: Readonly<Record<number, number>>;
  /** Numbers that are missing before the last one of their writer. */
  readonly lost: number;
  /** Lines whose number was there already, or is lower than one before. */
  readonly again: number;
  /** Lines that are none of the writers'. */
  readonly torn: number;
  /** Files that do not end with a line. */
  readonly split: number;
  /** Where the first things are that should not be. */
  readonly troubles: readonly string[];
}

/** The rotated files of the log in size mode, oldest first, and the log; paths. */
export function logParts(directory: string, base: string): readonly string[] {
  const numbered = fs.readdirSync(directory).flatMap((name) => {
    const rotated = rotatedName(base, name);
    return rotated?.kind === 'numbered' ? [{ name, number: rotated.number }] : [];
  });
  const names = numbered.sort((a, b) => b.number - a.number).map(({ name }) => name);
  return [...names, base].map((name) => join(directory, name));
}

/** @param paths in the order in which they were written; those that end with `.gz` are compressed */
export function countLines(paths: readonly string[], width = WIDTH): Counted {
  const count = new LineCount(width);
  for (const path of paths) {
    const bytes = fs.readFileSync(path);
    count.read(path, path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  }
  return count.result();
}

class LineCount {
  readonly #width: number;
  readonly #padding: Buffer;
  readonly #lines: Record<number, number> = {};
  readonly #last: Record<number, number> = {};
  readonly #troubles: string[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #lost = 0;
  #again = 0;
  #torn = 0;
  #split = 0;
  #path = '';

  constructor(width: number) {
    this.#width = width;
    this.#padding = Buffer.from(`${'x'.repeat(width - PADDING_AT - 1)}\n`);
  }

  read(path: string, bytes: Buffer): void {
    if (this.#rest.length > 0) this.#endsWithinLine();
    this.#path = path;
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    let at = 0;
    while (at < all.length) {
      const number = this.#numberAt(all, at);
      if (number !== undefined) {
        this.#take((all[at] ?? 0) - ZERO, number, at);
        at += this.#width;
        continue;
      }
      const end = all.indexOf(NEWLINE, at);
      if (end < 0) break;
      this.#torn += 1;
      this.#trouble(`has a torn line at ${at}: ${all.toString('latin1', at, end).slice(0, 40)}`);
      at = end + 1;
    }
    this.#rest = all.subarray(at);
  }

  result(): Counted {
    if (this.#rest.length > 0) this.#endsWithinLine();
    return {
      lines: this.#lines,
      last: this.#last,
      lost: this.#lost,
      again: this.#again,
      torn: this.#torn,
      split: this.#split,
      troubles: this.#troubles,
    };
  }

  #numberAt(bytes: Buffer, at: number): number | undefined {
    const { length } = this.#padding;
    const from = at + PADDING_AT;
    if (from + length > bytes.length || bytes[at + 1] !== BLANK || bytes[from - 1] !== BLANK)
      return undefined;
    let number = 0;
    for (let digit = at + NUMBER_AT; digit < from - 1; digit++) {
      const byte = bytes[digit] ?? 0;
      if (byte < ZERO || byte > NINE) return undefined;
      number = number * 10 + byte - ZERO;
    }
    return this.#padding.compare(bytes, from, from + length) === 0 ? number : undefined;
  }

  #take(writer: number, number: number, at: number): void {
    const before = this.#last[writer] ?? 0;
    this.#lines[writer] = (this.#lines[writer] ?? 0) + 1;
    if (number === before + 1) {
      this.#last[writer] = number;
      return;
    }
    this.#trouble(`has number ${number} of writer ${writer} after ${before}, at ${at}`);
    if (number <= before) {
      this.#again += 1;
      return;
    }
    this.#lost += number - before - 1;
    this.#last[writer] = number;
  }

  #endsWithinLine(): void {
    this.#split += 1;
    this.#trouble('ends within a line');
  }

  #trouble(what: string): void {
    if (this.#troubles.length < 10) this.#troubles.push(`${this.#path} ${what}`);
  }
}
