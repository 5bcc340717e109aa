/** Where do lines begin and end in bytes that come in blocks? */

/** Longer lines are cut to this many bytes: a program that never ends a line must not fill the memory. */
export const LONGEST_LINE = 65_536;

/** What is shown at the end of a line that was cut. */
const CUT = '…';

export const NEWLINE = 0x0a;

/** Cuts bytes into lines, whatever the blocks they come in; characters of several bytes stay whole. */
export class LineCutter {
  #parts: Uint8Array[] = [];
  #length = 0;
  #cut = false;

  add(bytes: Uint8Array): readonly string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      this.#keep(bytes.subarray(start, end));
      lines.push(this.#take());
      start = end + 1;
    }
    this.#keep(bytes.subarray(start));
    return lines;
  }

  /** A last line without its newline; none if there is nothing. */
  rest(): readonly string[] {
    return this.#length === 0 ? [] : [this.#take()];
  }

  #keep(bytes: Uint8Array): void {
    const room = LONGEST_LINE - this.#length;
    if (bytes.length > room) this.#cut = true;
    const kept = bytes.subarray(0, room);
    if (kept.length === 0) return;
    this.#parts.push(kept);
    this.#length += kept.length;
  }

  #take(): string {
    const text = new TextDecoder().decode(joined(this.#parts, this.#length));
    const line = `${text.endsWith('\r') ? text.slice(0, -1) : text}${this.#cut ? CUT : ''}`;
    this.#parts = [];
    this.#length = 0;
    this.#cut = false;
    return line;
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
