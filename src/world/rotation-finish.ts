/** How does a rotation end, be it the own one or one that was cut off with an earlier daemon? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import { areFrozen, thawCgroups } from './cgroup-freeze.ts';
import { codeOf } from './errno.ts';
import { bytesOf } from './log-copy.ts';
import { type LogPlace, openActive, openPlace, rotationTrouble, syncNames } from './log-place.ts';
import { bootId } from './procfs.ts';
import { addNote, type Begun, type Note, readJournal } from './rotation-journal.ts';
import { Refused } from './safe-walk.ts';
import { foreignSecondName } from './second-name.ts';

/** Which files are renamed so that the finished copy can get its name? Asked again after an interruption. */
export type Naming = (
  target: string,
  base: string,
  names: readonly string[],
) => { readonly shifts: readonly { readonly from: string; readonly to: string }[]; readonly name: string };

export type Resumed =
  | { readonly kind: 'nothing' }
  /** The active log has every line, and no copy is left. */
  | { readonly kind: 'undone'; readonly log: string }
  /** `name`: of the rotated file; null: it had it already. */
  | { readonly kind: 'finished'; readonly log: string; readonly name: string | null };

/** So much at each end of the copy is compared with the log; bytes. */
const SAMPLE = 65_536;

/** And so much at a time where all of it is. */
const BLOCK = 1 << 20;

/**
 * Finishes or undoes what is noted in a journal; to be called for each journal before any service is started and
 * before the log is rotated again. Thaws what the dead daemon has frozen.
 * @param path of the journal
 * @returns a Problem when it could not be done now; the journal stays, and the same call leads on later
 */
export function resumeRotation(path: string, naming: Naming): Resumed | Problem {
  let begun: Begun | undefined;
  try {
    const notes = readJournal(path);
    if (notes === undefined) return { kind: 'nothing' };
    begun = notes.find((note) => note.step === 'begun');
    if (begun === undefined) {
      fs.rmSync(path, { force: true });
      return { kind: 'nothing' };
    }
    return resume(path, begun, notes, naming);
  } catch (error) {
    return rotationTrouble(begun?.log ?? path, error);
  }
}

/**
 * Gives the copy its name, which it must be ready for: on disk, and no longer than what it is worth.
 * @returns the name; null when the copy is there no more, because it had got its name
 */
export function nameCopy(place: LogPlace, begun: Begun, naming: Naming): string | null {
  const temporary = place.at(begun.temporary);
  if (fs.lstatSync(temporary, { throwIfNoEntry: false }) === undefined) return null;
  const { shifts, name } = naming(begun.target, place.base, place.names());
  for (const { from, to } of shifts) fs.renameSync(place.at(from), place.at(to));
  fs.renameSync(temporary, place.at(name));
  return name;
}

/** Forgets the copy: the log has everything. */
export function undoRotation(place: LogPlace, begun: Begun, journal: string): void {
  fs.rmSync(place.at(begun.temporary), { force: true });
  fs.rmSync(journal, { force: true });
}

function resume(path: string, begun: Begun, notes: readonly Note[], naming: Naming): Resumed | Problem {
  let place: LogPlace;
  try {
    place = openPlace(begun.log, begun.credentials);
  } catch (error) {
    thawNoted(notes);
    // The directory was removed with all that was in it.
    if (codeOf(error) !== 'ENOENT') throw error;
    fs.rmSync(path, { force: true });
    return { kind: 'nothing' };
  }
  try {
    const isOfThisBoot = begun.boot === undefined || begun.boot === bootId();
    if (!isOfThisBoot) emptyRepeated(place, begun);
    const keep = worthOfCopy(place, begun, notes, { path, isOfThisBoot });
    thawNoted(notes);
    if (keep === null) {
      undoRotation(place, begun, path);
      return { kind: 'undone', log: begun.log };
    }
    trim(place, begun, keep);
    const name = nameCopy(place, begun, naming);
    syncNames(place);
    fs.rmSync(path, { force: true });
    return { kind: 'finished', log: begun.log, name };
  } finally {
    thawNoted(notes);
    place.close();
  }
}

/** How many bytes of the copy the log has no more; null: the log was not cut. Notes what was found. */
function worthOfCopy(
  place: LogPlace,
  begun: Begun,
  notes: readonly Note[],
  { path, isOfThisBoot }: { readonly path: string; readonly isOfThisBoot: boolean },
): number | null {
  const cut = notes.findLast((note) => note.step === 'cut');
  if (cut !== undefined) return cut.keep;
  const copied = fs.lstatSync(place.at(begun.temporary), { throwIfNoEntry: false })?.size;
  // It never came to a copy, or it is undone but for the journal: the log is cut only when the copy is whole.
  if (copied === undefined) return null;
  const cutting = notes.findLast((note) => note.step === 'cutting');
  const { size, keep } = cutting ?? { size: copied, keep: copied };
  // Sizes of another boot say nothing: what was written last may not have come to the disk.
  const seen = isOfThisBoot ? sizeWhenFrozen(place, begun, notes) : undefined;
  const worth =
    cutting !== undefined && seen !== undefined
      ? worthBySize(seen, size, keep)
      : worthByContent(place, begun, size, keep);
  // A second interruption would find the log thawed and grown.
  if (worth !== null) addNote(path, { step: 'cut', keep: worth });
  return worth;
}

/**
 * A power cut may take the end of the log, and leave the copy, which was brought to the disk on purpose: the log is then
 * a beginning of the copy and repeats it, whether it was cut or not. Nobody has written since.
 */
function emptyRepeated(place: LogPlace, begun: Begun): void {
  if (fs.lstatSync(place.at(begun.temporary), { throwIfNoEntry: false }) === undefined) return;
  const copy = openCopy(place, begun, fs.constants.O_RDONLY);
  try {
    activeLog(place, begun, (log, found) => {
      if (found === 0 || found >= fs.fstatSync(copy).size || !begins(copy, log, withoutZeros(log, found)))
        return;
      fs.fdatasyncSync(copy);
      fs.ftruncateSync(log, 0);
    });
  } finally {
    fs.closeSync(copy);
  }
}

/** A file system may have noted the new size of a file already, and not what was written there: it reads as zeros. */
function withoutZeros(log: number, size: number): number {
  const from = Math.max(0, size - SAMPLE);
  const end = bytesOf(log, from, size);
  const last = end.findLastIndex((byte) => byte !== 0);
  return from + last + 1;
}

/** Whether the copy begins with these bytes of the log, all of them. */
function begins(copy: number, log: number, length: number): boolean {
  for (let at = 0; at < length; at += BLOCK) {
    const end = Math.min(length, at + BLOCK);
    if (!bytesOf(copy, at, end).equals(bytesOf(log, at, end))) return false;
  }
  return true;
}

/** While the writers stand still, the size tells everything: the log has `size` bytes, or none, or those after `keep`. */
function worthBySize(found: number, size: number, keep: number): number | null {
  if (found >= size) return null;
  // A part of what follows `keep` was written back: rather twice than not at all.
  return found > 0 && found === size - keep ? keep : size;
}

/** What the guard saw before it thawed, or what is seen now if nobody has thawed. */
function sizeWhenFrozen(place: LogPlace, begun: Begun, notes: readonly Note[]): number | undefined {
  const last = notes.findLastIndex((note) => note.step === 'freezing');
  const freezing = notes[last];
  if (freezing?.step !== 'freezing' || freezing.cgroups.length === 0) return undefined;
  const since = notes.slice(last);
  if (since.some((note) => note.step === 'thawed')) return undefined;
  const guard = since.find((note) => note.step === 'guard');
  if (guard !== undefined) return guard.size ?? undefined;
  if (!areFrozen(freezing.cgroups)) return undefined;
  return activeLog(place, begun, (_fd, size) => size);
}

/** Nobody knows how the log was: it was not cut if it still begins with the copy. */
function worthByContent(place: LogPlace, begun: Begun, size: number, keep: number): number | null {
  if (size === 0) return null;
  const copy = openCopy(place, begun, fs.constants.O_RDONLY);
  try {
    const worth = activeLog(place, begun, (log, found) => {
      if (found >= size && isSame(copy, 0, log, size)) return 'nothing';
      const rest = size - keep;
      return rest > 0 && found >= rest && isSame(copy, keep, log, rest) ? 'without rest' : 'all';
    });
    if (worth === 'nothing') return null;
    return worth === 'without rest' ? keep : size;
  } finally {
    fs.closeSync(copy);
  }
}

/** Both ends of `length` bytes: at `start` of the copy and at the beginning of the log. */
function isSame(copy: number, start: number, log: number, length: number): boolean {
  const end = Math.min(length, SAMPLE);
  return [0, length - end].every((at) =>
    bytesOf(copy, start + at, start + at + end).equals(bytesOf(log, at, at + end)),
  );
}

/** undefined when another file stands there: the one that was being rotated cannot be found. */
function activeLog<Answer>(
  place: LogPlace,
  begun: Begun,
  ask: (fd: number, size: number) => Answer,
): Answer | undefined {
  const fd = openActive(place, begun.credentials);
  if (fd === undefined) return undefined;
  try {
    const { dev, ino, size } = fs.fstatSync(fd, { bigint: true });
    return `${dev}` === begun.device && `${ino}` === begun.inode ? ask(fd, Number(size)) : undefined;
  } finally {
    fs.closeSync(fd);
  }
}

/** What has its name by now may be anything, in a directory of the user of the service. */
function openCopy(place: LogPlace, { temporary, credentials }: Begun, mode: number): number {
  const { O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants;
  const fd = fs.openSync(place.at(temporary), mode | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  const found = fs.fstatSync(fd);
  if (found.isFile() && foreignSecondName(found, credentials) === undefined) return fd;
  fs.closeSync(fd);
  throw new Refused(`${temporary} is not the copy that was begun: something else was put in its place`);
}

function thawNoted(notes: readonly Note[]): void {
  const last = notes.findLastIndex((note) => note.step === 'freezing' || note.step === 'thawed');
  const note = notes[last];
  if (note?.step === 'freezing') thawCgroups(note.cgroups);
}

/** To its length, and to disk; it may have got its name already. */
function trim(place: LogPlace, begun: Begun, keep: number): void {
  let fd: number;
  try {
    fd = openCopy(place, begun, fs.constants.O_RDWR);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    if (fs.fstatSync(fd).size > keep) fs.ftruncateSync(fd, keep);
    fs.fdatasyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
