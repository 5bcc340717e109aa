/** Is a file what it seems to be, or a second name that the user of a service has given to somebody else's? */
import type fs from 'node:fs';
import type { Credentials } from '../model/spec.ts';

/** The daemon's own user: whatever he plants, he could do himself. */
export function isSelf(credentials: Credentials | null): credentials is null {
  return credentials === null || credentials.uid === process.geteuid?.();
}

/**
 * Whoever may write a directory can link any file of its file system into it (link(2)), also one that he may not read.
 * @param found what was opened; what a path said before may have been another file
 * @param credentials the user of the service; null: the daemon's own
 * @returns why it is not to be touched on his behalf, as the end of a sentence about it; undefined: nothing is wrong
 */
export function foreignSecondName(
  found: Pick<fs.Stats, 'nlink' | 'uid' | 'isFile'>,
  credentials: Credentials | null,
): string | undefined {
  if (isSelf(credentials) || !found.isFile()) return undefined;
  if (found.nlink < 2 || found.uid === credentials.uid) return undefined;
  return `has a second name and does not belong to ${credentials.user}`;
}
