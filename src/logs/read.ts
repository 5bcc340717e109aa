/** Which are the last lines of a log? */

import { LONGEST_LINE } from '../model/log-line.ts';
import type { LogFile } from '../world/log-files.ts';
import { isFailure } from '../world/world.ts';
import { LineCutter, NEWLINE } from './line-cutter.ts';

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
export function startOfLines(file: LogFile, size: number, count: number): number {
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
