/** How is one rotated file read from some position to its end, plain or compressed? */
import type { LogFile } from '../world/log-files.ts';
import { type Failure, isFailure } from '../world/world.ts';
import { inflated } from './history-gz.ts';
import { NEWLINE } from './line-cutter.ts';

/** Bytes at a time. */
export const BLOCK = 65_536;

/** So many bytes before a position show whether it is still the same text; bytes. */
export const TAIL = 128;

const NOTHING = new Uint8Array();

/** A position in a log: so far it was read, and this is what stands right before. */
export interface Place {
  readonly at: number;
  /** At most TAIL bytes. */
  readonly tail: Uint8Array;
}

export const BEGINNING: Place = { at: 0, tail: NOTHING };

/** The place after these bytes. */
export function placeAfter({ at, tail }: Place, bytes: Uint8Array): Place {
  const joined = bytes.length >= TAIL ? bytes : Buffer.concat([tail, bytes]);
  // A copy: what was read must not stay in memory for its last bytes.
  return { at: at + bytes.length, tail: Uint8Array.from(joined.subarray(-TAIL)) };
}

/** True if the bytes begin with this tail. */
export function beginsWith(bytes: Uint8Array, tail: Uint8Array): boolean {
  return bytes.length >= tail.length && Buffer.compare(bytes.subarray(0, tail.length), tail) === 0;
}

/** False: what was read before the place is not there any more, or something else is. */
export function hasPlace(file: LogFile, { at, tail }: Place): boolean {
  const bytes = file.read(at - tail.length, tail.length);
  return isFailure(bytes) || beginsWith(bytes, tail);
}

/** The bytes up to the end of line number `most`. */
export function firstLines(bytes: Uint8Array, most: number): Uint8Array {
  let end = 0;
  for (let line = 0; line < most; line++) {
    const at = bytes.indexOf(NEWLINE, end);
    if (at < 0) return bytes;
    end = at + 1;
  }
  return bytes.subarray(0, end);
}

/** Reads on, at least from where it was begun; closes the file that it was given. */
export class Passage {
  readonly #file: LogFile;
  readonly #isCompressed: boolean;
  #position = 0;
  #pieces: ReturnType<typeof inflated> | undefined;
  #broken: string | undefined;
  #piece: Uint8Array | undefined;

  constructor(file: LogFile, isCompressed: boolean) {
    this.#file = file;
    this.#isCompressed = isCompressed;
  }

  /** Goes to the place; false: the file does not have it, then it is read from its beginning. */
  async goTo({ at, tail }: Place): Promise<boolean> {
    if (at === 0) return true;
    if (!this.#isCompressed) {
      const before = this.#file.read(at - tail.length, tail.length);
      if (isFailure(before) || before.length < tail.length || !beginsWith(before, tail)) return false;
      this.#position = at;
      return true;
    }
    let seen = BEGINNING;
    while (seen.at < at) {
      const bytes = await this.next();
      if (isFailure(bytes) || bytes.length === 0) break;
      const skipped = bytes.subarray(0, at - seen.at);
      seen = placeAfter(seen, skipped);
      this.took(skipped.length);
    }
    if (seen.at === at && beginsWith(seen.tail.subarray(-tail.length), tail)) return true;
    this.#startAgain();
    return false;
  }

  /** Some bytes, the same until some of it was taken; empty at the end. */
  async next(): Promise<Uint8Array | Failure> {
    if (!this.#isCompressed) return this.#file.read(this.#position, BLOCK);
    if (this.#piece === undefined || this.#piece.length === 0) {
      this.#pieces ??= inflated(this.#file, (why) => {
        this.#broken = why;
      });
      const piece = await this.#pieces.next();
      if (this.#broken !== undefined) return { failed: this.#broken };
      this.#piece = piece.done === true ? NOTHING : piece.value;
    }
    return this.#piece;
  }

  /** So many bytes of what came next are done. */
  took(bytes: number): void {
    this.#position += bytes;
    this.#piece = this.#piece?.subarray(bytes);
  }

  close(): void {
    this.#startAgain();
    this.#file.close();
  }

  #startAgain(): void {
    void this.#pieces?.return();
    this.#pieces = undefined;
    this.#piece = undefined;
    this.#broken = undefined;
  }
}
