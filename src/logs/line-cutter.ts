/** Where do lines begin and end in bytes that come in blocks? */
import { CUT, LONGEST_LINE } from '../model/log-line.ts';

export const NEWLINE = 0x0a;

const NOTHING = new Uint8Array();

/** Less is not worth a buffer of its own; bytes. */
const SMALLEST = 256;

/** Cuts bytes into lines, whatever the blocks they come in; characters of several bytes stay whole. */
export class LineCutter {
  /** The beginning of a line that is not ended, copied: its few bytes would keep the whole block that they came in. */
  #begun: Uint8Array = NOTHING;
  #length = 0;
  #cut = false;

  add(bytes: Uint8Array): readonly string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const line = bytes.subarray(start, end);
      if (this.#length === 0) {
        lines.push(textOf(line.subarray(0, LONGEST_LINE), line.length > LONGEST_LINE));
      } else {
        this.#keep(line);
        lines.push(this.#take());
      }
      start = end + 1;
    }
    this.#keep(bytes.subarray(start));
    return lines;
  }

  /** A last line without its newline; none if there is nothing. */
  rest(): readonly string[] {
    return this.#length === 0 ? [] : [this.#take()];
  }

  /** What {@link rest} would answer; it stays. */
  get unfinished(): string {
    return textOf(this.#begun.subarray(0, this.#length), this.#cut);
  }

  #keep(bytes: Uint8Array): void {
    const room = LONGEST_LINE - this.#length;
    if (bytes.length > room) this.#cut = true;
    const kept = bytes.subarray(0, room);
    const length = this.#length + kept.length;
    if (length > this.#begun.length) {
      const larger = new Uint8Array(Math.min(LONGEST_LINE, Math.max(SMALLEST, 2 * length)));
      larger.set(this.#begun.subarray(0, this.#length));
      this.#begun = larger;
    }
    this.#begun.set(kept, this.#length);
    this.#length = length;
  }

  #take(): string {
    const line = textOf(this.#begun.subarray(0, this.#length), this.#cut);
    this.#begun = NOTHING;
    this.#length = 0;
    this.#cut = false;
    return line;
  }
}

function textOf(bytes: Uint8Array, isCut: boolean): string {
  const text = new TextDecoder().decode(bytes);
  return `${text.endsWith('\r') ? text.slice(0, -1) : text}${isCut ? CUT : ''}`;
}
