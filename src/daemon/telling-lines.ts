/** Of many lines that several runs wrote into one file, which ones tell most of the newest run? */

/** What is written over and over differs in its numbers: times, ports, ids. */
const VARYING = /\b[0-9a-f]{8,}\b|\d+/gi;

/** The beginning of a line tells what kind it is. Characters. */
const BEGINNING = 200;

/**
 * All lines while there are no more than `most`. Of more, the first of each kind that was not written before, or of each
 * kind if there is none such; of these the rarest; of these the first and the last: an error is the one or the other.
 * @param before what was written until the run began, by others
 * @returns in their order
 */
export function tellingLines(
  lines: readonly string[],
  before: readonly string[],
  most: number,
): readonly string[] {
  if (lines.length <= most) return lines;
  const known = new Set(before.map(kindOf));
  const numbered = lines.map((line, at) => ({ line, at, kind: kindOf(line) }));
  const fresh = numbered.filter(({ kind }) => !known.has(kind));
  const chosen = fresh.length > 0 ? fresh : numbered;
  const counts = new Map<string, number>();
  const firsts = chosen.filter(({ kind }) => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return count === 1;
  });
  return firsts
    .map((each, at) => ({ ...each, fromEnd: Math.min(at, firsts.length - 1 - at) }))
    .sort((a, b) => (counts.get(a.kind) ?? 0) - (counts.get(b.kind) ?? 0) || a.fromEnd - b.fromEnd)
    .slice(0, most)
    .sort((a, b) => a.at - b.at)
    .map(({ line }) => line);
}

function kindOf(line: string): string {
  return line.slice(0, BEGINNING).replace(VARYING, '0');
}
