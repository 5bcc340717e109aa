/** Which known word did a mistyped one mean? */

/**
 * `; did you mean web?` for the known word that is nearest, or the empty string when none is near: at most one edit
 * in words of up to three letters, two in longer ones, three from nine letters on.
 */
export function didYouMean(word: string, known: readonly string[]): string {
  const budget = word.length <= 3 ? 1 : word.length <= 8 ? 2 : 3;
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= budget && (best === undefined || distance < best.distance))
      best = { word: candidate, distance };
  }
  return best === undefined ? '' : `; did you mean ${best.word}?`;
}

/** Edits of one character (insert, delete, replace, swap of neighbours): optimal string alignment. */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return previous[to.length] ?? 0;
}
