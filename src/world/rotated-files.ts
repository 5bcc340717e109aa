/** What lies beside a log, and how do rotated files go? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { codeOf } from './errno.ts';
import { type LogPlace, openPlace, rotationTrouble } from './log-place.ts';
import { nextTurn } from './turn.ts';

export interface Surroundings {
  /** The real name of the log, which those of its rotated files begin with. */
  readonly base: string;
  /** null: not there, or no regular file. */
  readonly active: { readonly size: number; readonly born: number } | null;
  /** Every regular file in the directory; times in milliseconds since 1970, sizes in bytes. */
  readonly files: readonly { readonly name: string; readonly modified: number; readonly size: number }[];
}

/** So many files at a time, then others have their turn: a log of each minute has 43,200 a month. */
const AT_ONCE = 1000;

/** @param wanted names that are of interest besides the log itself: others are not looked at */
export async function lookAround(
  path: string,
  credentials: Credentials | null,
  wanted: (base: string, name: string) => boolean,
): Promise<Surroundings | Problem> {
  let place: LogPlace | undefined;
  try {
    place = openPlace(path, credentials);
    const { base, at } = place;
    const active = fs.lstatSync(at(base), { throwIfNoEntry: false });
    const files: Surroundings['files'][number][] = [];
    let looked = 0;
    for (const name of place.names()) {
      if (!wanted(base, name)) continue;
      if (++looked % AT_ONCE === 0) await nextTurn();
      const found = fs.lstatSync(at(name), { throwIfNoEntry: false });
      if (found?.isFile()) files.push({ name, modified: found.mtimeMs, size: found.size });
    }
    return {
      base,
      active: active?.isFile() ? { size: active.size, born: active.birthtimeMs } : null,
      files,
    };
  } catch (error) {
    return rotationTrouble(path, error);
  } finally {
    place?.close();
  }
}

/** Gone is fine. */
export function removeRotated(
  path: string,
  credentials: Credentials | null,
  names: readonly string[],
): Problem | undefined {
  let place: LogPlace | undefined;
  try {
    place = openPlace(path, credentials);
    for (const name of names) {
      try {
        fs.unlinkSync(place.at(name));
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
      }
    }
    return undefined;
  } catch (error) {
    return rotationTrouble(path, error);
  } finally {
    place?.close();
  }
}
