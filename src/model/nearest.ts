/** Which known word did a mistyped one mean? */

/**
 * The known word with the fewest edits, or undefined when none is near: one edit in words of up to four letters,
 * two in longer ones, three from nine letters on.
 * @param most fewer edits than that
 */
export function nearest(word: string, known: readonly string[], most = 3): string | undefined {
  if (word.length > 64) return undefined;
  const allowed = Math.min(most, word.length <= 4 ? 1 : word.length <= 8 ? 2 : 3);
  let best: string | undefined;
  let least = allowed + 1;
  for (const candidate of known) {
    const edits = editsBetween(word.toLowerCase(), candidate.toLowerCase());
    if (edits < least && edits < candidate.length) {
      best = candidate;
      least = edits;
    }
  }
  return best;
}

/** Insertions, deletions and substitutions of one character each (Levenshtein); a swap of neighbours counts once. */
function editsBetween(from: string, to: string): number {
  let older: number[] = [];
  let old = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitute = at(old, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1);
      let edits = Math.min(substitute, at(old, j) + 1, at(row, j - 1) + 1);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        edits = Math.min(edits, at(older, j - 2) + 1);
      }
      row.push(edits);
    }
    older = old;
    old = row;
  }
  return at(old, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
