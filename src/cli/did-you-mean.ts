/** What is added to a sentence about a word that nobody knows? */
import { nearest } from '../model/nearest.ts';

/** `; did you mean web?` for the known word that is nearest, or the empty string when none is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
