/** Which files in its directory hold the past of a log, and how are they opened for those who show it? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { codeOf, inWords } from './errno.ts';
import { FILE_TICK } from './file-time.ts';
import { type LogFile, logFile } from './log-files.ts';
import { isSystemError, type LogPlace, openPlace } from './log-place.ts';
import { hasCode, Refused } from './safe-walk.ts';
import { foreignSecondName } from './second-name.ts';
import { statusOrClose } from './status-or-close.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants;

/** The temporary copy of a rotation that is going on. */
const ROTATING = /^\.pm-[0-9a-f]{12}\.rotating$/;

/** A copy that did not grow for so long is abandoned. Milliseconds. */
const ABANDONED = 10_000;

/** So often the directory is read until it says the same twice. */
const SCANS = 6;

export interface FileSeen {
  readonly name: string;
  /** As that of LogFile. */
  readonly identity: string;
  /** Milliseconds since 1970, with a fraction. */
  readonly modified: number;
  readonly born: number;
  readonly size: number;
}

/** The directory of one log at one moment. */
export interface Look {
  readonly active: FileSeen | undefined;
  /** Regular files whose names begin with that of the log and a dot. */
  readonly beside: readonly FileSeen[];
  /** Copies of rotations that are going on, of this log or of one beside it; those of killed ones are left out. */
  readonly rotating: readonly FileSeen[];
}

/** The directory is held open: it stays the same one, whatever is renamed around it. */
export interface LogHistory {
  /** The real name of the log, which those of its rotated files begin with. */
  readonly base: string;
  look(): Look | Problem;
  /** undefined: there is nothing of that name. */
  open(name: string): LogFile | undefined | Problem;
  close(): void;
}

/**
 * By the rules of openLogForReading: no link that the user of the service may have planted is followed, and no file
 * with a second name is read that is not that user's.
 * @returns undefined when the directory is not there; `log-unsafe` or `log-unreadable`
 */
export function openLogHistory(
  path: string,
  credentials: Credentials | null,
): LogHistory | undefined | Problem {
  const place = attempt(path, () => openPlace(path, credentials));
  if (place === undefined || 'code' in place) return place;
  return {
    base: place.base,
    look: looker(path, place),
    open: (name) => attempt(path, () => openIn(place, name, credentials)),
    close: () => place.close(),
  };
}

const EMPTY: Look = { active: undefined, beside: [], rotating: [] };

/**
 * Names are read one by one, and what is renamed meanwhile may be seen twice or never: the directory must have stood
 * still, or say the same twice. As long as it has not changed, it is not read again.
 */
function looker(path: string, place: LogPlace): LogHistory['look'] {
  let known: { readonly version: string; readonly look: Look } | undefined;
  return () => {
    const answer = attempt(path, (): Look => {
      if (known !== undefined && known.version === versionOf(place).text) return { ...known.look };
      let last = '';
      for (let scan = 1; ; scan++) {
        const before = versionOf(place);
        const look = lookInto(place, Date.now());
        const isSure = before.text === versionOf(place).text && Date.now() - before.changed >= FILE_TICK;
        const facts = JSON.stringify([look.beside, look.rotating.map(({ name }) => name)]);
        known = isSure && look.rotating.length === 0 ? { version: before.text, look } : undefined;
        if (isSure || facts === last || scan === SCANS) return look;
        last = facts;
      }
    });
    return answer ?? EMPTY;
  };
}

/** `changed`: milliseconds since 1970. */
function versionOf(place: LogPlace): { readonly text: string; readonly changed: number } {
  const { mtimeNs, ctimeNs } = fs.statSync(place.at('.'), { bigint: true });
  return { text: `${mtimeNs} ${ctimeNs}`, changed: Number(ctimeNs / 1_000_000n) };
}

function lookInto(place: LogPlace, now: number): Look {
  const { base } = place;
  const beside: FileSeen[] = [];
  const rotating: FileSeen[] = [];
  let active: FileSeen | undefined;
  for (const name of place.names()) {
    const isRotating = ROTATING.test(name);
    if (name !== base && !isRotating && !name.startsWith(`${base}.`)) continue;
    const found = fs.lstatSync(place.at(name), { bigint: true, throwIfNoEntry: false });
    if (found?.isFile() !== true) continue;
    const { dev, ino, mtimeNs, birthtimeNs, size } = found;
    const seen: FileSeen = {
      name,
      identity: `${dev}.${ino}`,
      modified: Number(mtimeNs / 1000n) / 1000,
      born: Number(birthtimeNs / 1000n) / 1000,
      size: Number(size),
    };
    if (name === base) active = seen;
    else if (!isRotating) beside.push(seen);
    else if (now - seen.modified < ABANDONED) rotating.push(seen);
  }
  return { active, beside, rotating };
}

function openIn(place: LogPlace, name: string, credentials: Credentials | null): LogFile | undefined {
  const fd = fs.openSync(place.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  const found = statusOrClose(fd);
  const foreign = foreignSecondName(found, credentials);
  if (found.isFile() && foreign === undefined) return logFile(fd);
  fs.closeSync(fd);
  // /dev/null, for example.
  if (found.isCharacterDevice()) return undefined;
  throw new Refused(foreign === undefined ? 'it is no regular file' : `the file ${foreign}`);
}

function attempt<Answer>(path: string, action: () => Answer): Answer | undefined | Problem {
  try {
    return action();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    const refused = error instanceof Refused;
    if (!refused && !isSystemError(error)) throw error;
    return {
      code: refused || hasCode(error, 'ELOOP') ? 'log-unsafe' : 'log-unreadable',
      severity: 'error',
      message: `${path} cannot be read: ${refused ? error.message : inWords(error)}`,
    };
  }
}
