/** How are missing directories made without ever waiting for one that cannot be? */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './errno.ts';

/** Somebody may remove a directory above while this one is made, or make it a moment later: so often it is tried. */
const TRIES = 3;

/**
 * Makes a directory, and those above it that are missing. That it is there already is no failure.
 *
 * One level at a time: a file system may answer ENOENT although the directory above is there, as all below /proc do,
 * and for that answer the `recursive` of mkdirSync of Node tries for ever.
 * @param mode of what is made, from which the umask takes its share
 * @throws as mkdir(2) fails; ENOENT also at a symbolic link that leads nowhere
 */
export function makeDirectories(path: string, mode = 0o777): void {
  for (let attempt = 1; ; attempt++) {
    try {
      fs.mkdirSync(path, mode);
      return;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') {
        if (isThere(path, error)) return;
        throw error;
      }
      if (attempt === TRIES) throw error;
      makeDirectories(dirname(path), mode);
    }
  }
}

/** Over a network, mkdir(2) may be refused before anybody looks whether the directory is there. */
function isThere(path: string, error: unknown): boolean {
  // Of a link that leads nowhere, that it leads nowhere is what has to be known.
  const status = fs.statSync(path, { throwIfNoEntry: codeOf(error) === 'EEXIST' });
  return status?.isDirectory() === true;
}
