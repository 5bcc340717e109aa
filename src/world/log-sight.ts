/** What is there of a log at this moment, and may that have changed while it was read? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { COARSE_FILE_TICK, FILE_TICK } from './file-time.ts';
import { type LogFile, openRotatedFile } from './log-files.ts';
import { isSystemError, type LogPlace, openPlace } from './log-place.ts';
import { hasCode, Refused } from './safe-walk.ts';

export interface FileInSight {
  readonly name: string;
  /** Device and inode, as in LogFile. */
  readonly identity: string;
  /** Milliseconds since 1970, with a fraction as far as the file system has one. */
  readonly modified: number;
  /** The same of its birth; 0 or its last change where the file system keeps no time of birth. */
  readonly born: number;
}

export interface Sight {
  /** The real name of the log. */
  readonly base: string;
  /** What stands at the name of the log, whatever it is; null: nothing. */
  readonly active: string | null;
  /** Rotated files beside the log, in no order. */
  readonly rotated: readonly FileInSight[];
  /**
   * `yes`: some log in the directory is being rotated, perhaps this one. `abandoned`: it seems that whoever did so was
   * killed; the next daemon finishes it.
   */
  readonly rotating: 'no' | 'yes' | 'abandoned';
  /** Differs whenever a name in the directory was made, removed or renamed. */
  readonly version: string;
}

interface Cached extends Sight {
  /** The version was old enough for its clock to have moved on: any later change shows. */
  readonly isSure: boolean;
}

/** The copy that a rotation makes before it cuts the log; see log-rotation.ts. */
const COPY = /^\.pm-[0-9a-f]{12}\.rotating$/;

/** A copy that did not grow for so long is abandoned, or the disk takes very long. Milliseconds. */
const ABANDONED = 10_000;

/** The directory may have been exchanged as a whole, above or by a link: its path is walked anew so often. Looks. */
const WALK_ANEW = 25;

/** Of many logs not all do so at the same look. */
let begun = 0;

/** So often the directory is read until it says the same twice. */
const SCANS = 6;

/**
 * A rotation makes a name in the directory before it touches the log: as long as the directory has not changed,
 * nothing was rotated, and the names lead to the same files. That costs one system call to see.
 */
export class LogSight {
  readonly #path: string;
  readonly #credentials: Credentials | null;
  readonly #isRotated: (base: string, name: string) => boolean;
  #place: LogPlace | undefined;
  #cached: Cached | undefined;
  #looks = begun++;

  /**
   * By the rules of openPlace no link is followed that the user of the service may have planted.
   * @param path of the log, absolute
   * @param isRotated which names beside the log are those of its rotated files
   */
  constructor(
    path: string,
    credentials: Credentials | null,
    isRotated: (base: string, name: string) => boolean,
  ) {
    this.#path = path;
    this.#credentials = credentials;
    this.#isRotated = isRotated;
  }

  /** undefined: the directory is not there or cannot be read, or it changes faster than it can be read. */
  look(): Sight | undefined {
    try {
      if (this.#looks++ % WALK_ANEW === 0) this.#walkAnew();
      this.#place ??= openPlace(this.#path, this.#credentials);
      const known = this.#cached;
      if (known?.isSure === true && known.version === versionOf(this.#place).text) return known;
      this.#cached = this.#scanned(this.#place);
    } catch (error) {
      if (!isFailure(error)) throw error;
      this.#forget();
    }
    return this.#cached;
  }

  /** True if everything is still as it was when `look` answered this, without a moment in which it was otherwise. */
  isStill(sight: Sight): boolean {
    const known = this.#cached;
    if (known !== sight || this.#place === undefined) return false;
    try {
      if (known.isSure && known.version === versionOf(this.#place).text) return true;
      const seen = this.#scanned(this.#place);
      const isSame = seen !== undefined && factsOf(seen) === factsOf(sight);
      this.#cached = isSame && !seen.isSure ? known : seen;
      return isSame;
    } catch (error) {
      if (!isFailure(error)) throw error;
      this.#forget();
      return false;
    }
  }

  /**
   * Opens a rotated file; undefined when something else has this name by now, or it must not be trusted; a Problem when
   * it cannot be opened just now.
   */
  open({ name, identity }: FileInSight): LogFile | undefined | Problem {
    if (this.#place === undefined) return undefined;
    const file = openRotatedFile(this.#place, name, this.#credentials);
    if (file === undefined || 'code' in file || file.identity === identity) return file;
    file.close();
    return undefined;
  }

  close(): void {
    this.#forget();
  }

  #forget(): void {
    this.#place?.close();
    this.#place = undefined;
    this.#cached = undefined;
  }

  #walkAnew(): void {
    if (this.#place === undefined) return;
    const place = openPlace(this.#path, this.#credentials);
    const isSame = place.base === this.#place.base && isSameDirectory(place, this.#place);
    (isSame ? place : this.#place).close();
    if (isSame) return;
    this.#place = place;
    this.#cached = undefined;
  }

  /** Names are read one by one: what is renamed meanwhile may be seen twice or never, so they are read again. */
  #scanned(place: LogPlace): Cached | undefined {
    let last: Cached | undefined;
    for (let scan = 0; scan < SCANS; scan++) {
      const now = Date.now();
      const version = versionOf(place);
      const seen = this.#scan(place, version.text, now);
      const isSure =
        Math.abs(now - version.changed) >= version.tick && version.text === versionOf(place).text;
      // Whether a copy is abandoned changes by itself.
      if (isSure) return { ...seen, isSure: seen.rotating === 'no' };
      if (last !== undefined && factsOf(last) === factsOf(seen)) return { ...seen, isSure: false };
      last = { ...seen, isSure: false };
    }
    return undefined;
  }

  #scan(place: LogPlace, version: string, now: number): Sight {
    let rotating: Sight['rotating'] = 'no';
    const rotated: FileInSight[] = [];
    for (const name of namesIn(place)) {
      const isCopy = COPY.test(name);
      if (!isCopy && !this.#isRotated(place.base, name)) continue;
      const found = fs.lstatSync(place.at(name), { bigint: true, throwIfNoEntry: false });
      if (!found?.isFile()) continue;
      const modified = inMilliseconds(found.mtimeNs);
      if (!isCopy) {
        const identity = `${found.dev}.${found.ino}`;
        rotated.push({ name, identity, modified, born: inMilliseconds(found.birthtimeNs) });
      } else if (now - modified < ABANDONED) rotating = 'yes';
      else if (rotating === 'no') rotating = 'abandoned';
    }
    const active = fs.lstatSync(place.at(place.base), { bigint: true, throwIfNoEntry: false });
    return {
      base: place.base,
      active: active === undefined ? null : `${active.dev}.${active.ino}`,
      rotated,
      rotating,
      version,
    };
  }
}

/** Who may read a log but not its directory cannot read rotated files either. */
function namesIn(place: LogPlace): readonly string[] {
  try {
    return place.names();
  } catch (error) {
    if (hasCode(error, 'EACCES')) return [];
    throw error;
  }
}

function factsOf({ active, rotated, rotating }: Sight): string {
  const files = rotated.map(({ name, identity, modified }) => `${name} ${identity} ${modified}`).sort();
  return JSON.stringify([active, rotating, files]);
}

/** `changed`: milliseconds since 1970. */
function versionOf(place: LogPlace): {
  readonly text: string;
  readonly changed: number;
  readonly tick: number;
} {
  const { dev, ino, mtimeNs, ctimeNs } = fs.statSync(place.at('.'), { bigint: true });
  return {
    text: `${dev}.${ino}.${mtimeNs}.${ctimeNs}`,
    changed: inMilliseconds(ctimeNs),
    tick: ctimeNs % 1_000_000_000n === 0n ? COARSE_FILE_TICK : FILE_TICK,
  };
}

function isSameDirectory(one: LogPlace, other: LogPlace): boolean {
  const [a, b] = [one, other].map((place) => fs.statSync(place.at('.'), { bigint: true }));
  return a?.ino === b?.ino && a?.dev === b?.dev;
}

function inMilliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e6;
}

/** What the path or its rights are to blame for. */
function isFailure(error: unknown): boolean {
  return error instanceof Refused || isSystemError(error);
}
