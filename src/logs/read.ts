/** Which are the last lines of a log, and which were added since? */
import type { Problem } from '../model/problem.ts';
import type { LogFile } from '../world/log-files.ts';
import { isFailure } from '../world/world.ts';
import { LineCutter, LONGEST_LINE, NEWLINE } from './line-cutter.ts';

/** How much is read at a time; bytes. */
const BLOCK = 65_536;

/**
 * The last `count` lines, oldest first; a last line that is not ended yet counts as one. Reads backwards from the end:
 * the cost depends on what is shown, not on the size of the file. A file that cannot be read any more has no lines.
 */
export function lastLines(file: LogFile, count: number): readonly string[] {
  const size = file.size();
  if (isFailure(size) || count <= 0) return [];
  const start = startOfLines(file, size, count);
  const lines = new LineCutter();
  const found: string[] = [];
  for (let position = start; position < size; ) {
    const bytes = file.read(position, Math.min(BLOCK, size - position));
    if (isFailure(bytes) || bytes.length === 0) break;
    found.push(...lines.add(bytes));
    position += bytes.length;
  }
  found.push(...lines.rest());
  return found.slice(-count);
}

/** The position right after the newline that comes before the last `count` lines. */
function startOfLines(file: LogFile, size: number, count: number): number {
  // Lines of the greatest length that is shown, and one block more: further back nothing can be of interest.
  const furthest = Math.max(0, size - count * LONGEST_LINE - BLOCK);
  let newlines = 0;
  for (let end = size; end > furthest; ) {
    const start = Math.max(furthest, end - BLOCK);
    const bytes = file.read(start, end - start);
    if (isFailure(bytes) || bytes.length === 0) return end;
    for (let at = bytes.length - 1; at >= 0; at--) {
      // The newline that ends the last line begins none.
      if (bytes[at] !== NEWLINE || start + at === size - 1) continue;
      newlines += 1;
      if (newlines === count) return start + at + 1;
    }
    end = start;
  }
  return furthest;
}

/**
 * Reads what is added to a log. The file may be truncated (rotation by copying: it goes on from 0) or replaced
 * (rotation by renaming: the old one is read to its end, then the new one from its beginning).
 */
export class LogFollower {
  readonly #open: () => LogFile | Problem;
  #file: LogFile | undefined;
  #position = 0;
  #lines = new LineCutter();

  /**
   * @param open opens what stands at the path now
   * @param from `end`: only what comes from now on
   */
  constructor(open: () => LogFile | Problem, from: 'start' | 'end') {
    this.#open = open;
    const file = open();
    if ('code' in file) return;
    const size = file.size();
    this.#file = file;
    this.#position = from === 'end' && !isFailure(size) ? size : 0;
  }

  /**
   * The lines that were ended since the last call, at most about `limit` bytes of them: call again at once while
   * `more` is true. A file that is not there (yet) has no lines.
   */
  read(limit: number = 1024 * 1024): { readonly lines: readonly string[]; readonly more: boolean } {
    const lines: string[] = [];
    let left = limit;
    for (;;) {
      left -= this.#readOn(left, lines);
      if (left <= 0) return { lines, more: true };
      if (!this.#changeFile(lines)) return { lines, more: false };
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** Answers how many bytes were read. */
  #readOn(limit: number, lines: string[]): number {
    const file = this.#file;
    if (file === undefined) return 0;
    const size = file.size();
    if (isFailure(size)) return 0;
    if (size < this.#position) {
      this.#position = 0;
      this.#lines = new LineCutter();
    }
    const begin = this.#position;
    const end = Math.min(size, begin + limit);
    while (this.#position < end) {
      const bytes = file.read(this.#position, Math.min(BLOCK, end - this.#position));
      if (isFailure(bytes) || bytes.length === 0) break;
      this.#position += bytes.length;
      lines.push(...this.#lines.add(bytes));
    }
    return this.#position - begin;
  }

  /** Takes the file that stands at the path now, if it is another one; true if there is something new to read. */
  #changeFile(lines: string[]): boolean {
    const next = this.#open();
    if ('code' in next) return false;
    if (next.identity === this.#file?.identity) {
      next.close();
      return false;
    }
    // Whoever writes may have gone on in the old file until now.
    this.#readOn(Number.POSITIVE_INFINITY, lines);
    lines.push(...this.#lines.rest());
    this.close();
    this.#file = next;
    this.#position = 0;
    return true;
  }
}
