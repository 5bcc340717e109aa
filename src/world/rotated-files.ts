/** What lies beside a log, and how do rotated files go? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { codeOf } from './errno.ts';
import { type LogPlace, openPlace, rotationTrouble } from './log-place.ts';

export interface Surroundings {
  /** The real name of the log, which those of its rotated files begin with. */
  readonly base: string;
  /** null: not there, or no regular file. */
  readonly active: { readonly size: number; readonly born: number } | null;
  /** Every regular file in the directory; times in milliseconds since 1970, sizes in bytes. */
  readonly files: readonly { readonly name: string; readonly modified: number; readonly size: number }[];
}

/** @param wanted names that are of interest besides the log itself: others are not looked at */
export function lookAround(
  path: string,
  credentials: Credentials | null,
  wanted: (base: string, name: string) => boolean,
): Surroundings | Problem {
  return within(path, credentials, (place) => {
    const active = fs.lstatSync(place.at(place.base), { throwIfNoEntry: false });
    const names = place.names().filter((name) => wanted(place.base, name));
    return {
      base: place.base,
      active: active?.isFile() ? { size: active.size, born: active.birthtimeMs } : null,
      files: names.flatMap((name) => {
        const found = fs.lstatSync(place.at(name), { throwIfNoEntry: false });
        return found?.isFile() ? [{ name, modified: found.mtimeMs, size: found.size }] : [];
      }),
    };
  });
}

/** Gone is fine. */
export function removeRotated(
  path: string,
  credentials: Credentials | null,
  names: readonly string[],
): Problem | undefined {
  return within(path, credentials, (place) => {
    for (const name of names) {
      try {
        fs.unlinkSync(place.at(name));
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
      }
    }
    return undefined;
  });
}

function within<Answer>(
  path: string,
  credentials: Credentials | null,
  ask: (place: LogPlace) => Answer,
): Answer | Problem {
  let place: LogPlace | undefined;
  try {
    place = openPlace(path, credentials);
    return ask(place);
  } catch (error) {
    return rotationTrouble(path, error);
  } finally {
    place?.close();
  }
}
