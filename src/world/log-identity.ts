/** Which log is meant by a path, when one file has several? */
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Credentials } from '../model/spec.ts';
import { codeOf } from './errno.ts';
import { identityOf, openLogFile } from './log-files.ts';
import { openPlace } from './log-place.ts';

export interface NamedLog {
  /** Absolute. */
  readonly path: string;
  /** The user of the service; null: the daemon's own. */
  readonly credentials: Credentials | null;
}

/**
 * Where the log really is: the same for all its names. What is not there yet counts as what it will be. The path
 * itself where it must not be trusted: nobody's link makes a log of somebody else's file.
 */
export function placeOf(path: string, credentials: Credentials | null): string {
  let rest = '';
  for (let at = path; dirname(at) !== at; at = dirname(at)) {
    try {
      return join(realName(at, credentials), rest);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') return path;
    }
    rest = join(basename(at), rest);
  }
  return path;
}

/**
 * The first of those which name the same file, in the order given. A name that must not be followed stands for itself:
 * a link that the user of one service has planted does not hide the log of another.
 */
export function firstNames<Log extends NamedLog>(logs: readonly Log[]): readonly Log[] {
  const seen = new Set<string>();
  const isNew = (key: string) => !seen.has(key) && seen.add(key) !== undefined;
  const paths = logs.filter(({ path }) => isNew(path));
  // Cheap, but it follows every link: only what looks the same is looked at with care.
  const looks = paths.map(({ path }) => identityOf(path));
  const count = new Map<string | undefined, number>();
  for (const look of looks) count.set(look, (count.get(look) ?? 0) + 1);
  return paths.filter(({ path, credentials }, index) => {
    const look = looks[index];
    if (look === undefined) return isNew(`at ${placeOf(path, credentials)}`);
    return count.get(look) === 1 || isNew(`is ${opened(path, credentials) ?? path}`);
  });
}

function opened(path: string, credentials: Credentials | null): string | undefined {
  const file = openLogFile(path, credentials);
  if ('code' in file) return undefined;
  file.close();
  return file.identity;
}

/** The directory must be there. */
function realName(path: string, credentials: Credentials | null): string {
  const place = openPlace(path, credentials);
  try {
    return join(fs.realpathSync.native(place.at('.')), place.base);
  } finally {
    place.close();
  }
}
