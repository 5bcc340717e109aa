/** Which files are to be read before the active one? */
import type { Problem } from '../model/problem.ts';
import type { FileInSight, LogSight } from '../world/log-sight.ts';
import { knownAs } from './log-position.ts';
import { Passage, type Place } from './passage.ts';
import type { KnownFile } from './rotated-order.ts';

export interface Part {
  readonly passage: Passage;
  /** Where its reading begins; null: at its beginning. */
  from: Place | null;
  /** What it is when it is known as a rotated file; null: it is none. */
  readonly known: KnownFile | null;
  /** Nothing that comes later can end its last line. */
  readonly isLast: boolean;
}

/**
 * Whole rotated files, in the order given; undefined: one of them is not there any more as it was seen; a Problem: one
 * cannot be opened just now.
 */
export function openParts(sight: LogSight, files: readonly FileInSight[]): Part[] | undefined | Problem {
  const parts: Part[] = [];
  for (const each of files) {
    const file = sight.open(each);
    if (file === undefined || 'code' in file) {
      for (const { passage } of parts) passage.close();
      return file;
    }
    const passage = new Passage(file, each.name.endsWith('.gz'));
    parts.push({ passage, from: null, known: knownAs(each), isLast: false });
  }
  return parts;
}
