/** How long may a line of a log be, and how does one see that it was longer? */

/** Longer lines are cut to this many bytes: a program that never ends a line must not fill the memory. */
export const LONGEST_LINE = 65_536;

/** What is shown at the end of a line that was cut. */
export const CUT = '…';

/** What decoding may take from a line that was cut: a byte order mark and a carriage return, for which {@link CUT} came. */
const SHORTEST_CUT = LONGEST_LINE - 1;

/**
 * Whether more of the line is in the log than is shown. A whole line that ends with the same sign at that length looks
 * the same.
 */
export function isCutLine(line: string): boolean {
  return line.endsWith(CUT) && Buffer.byteLength(line) >= SHORTEST_CUT;
}
