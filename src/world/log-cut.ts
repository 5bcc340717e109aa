/** How is the rest of a log copied and the log emptied in one moment? Nothing here waits or yields. */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import type { Freezer, Frozen } from './cgroup-freeze.ts';
import { bytesOf, copyNow } from './log-copy.ts';
import { isSystemError } from './log-place.ts';
import type { RotationJournal } from './rotation-journal.ts';

export interface CutInput {
  /** Descriptors of the log and of its copy. */
  readonly log: number;
  readonly copy: number;
  /** So far the copy is complete. */
  readonly copied: number;
  readonly journal: RotationJournal;
  readonly journalPath: string;
  readonly passed:
    | ((step: 'frozen' | 'rest copied' | 'cutting' | 'truncated' | 'written back' | 'cut') => void)
    | undefined;
}

/** `pause`: how long the writers stood still, milliseconds. */
export type Cut =
  /** The copy is worth `keep` bytes; the log begins with those after it, if there are more. */
  | { readonly kind: 'cut'; readonly keep: number; readonly pause: number }
  /** Too much was left; the writers go on. */
  | { readonly kind: 'behind'; readonly copied: number; readonly pause: number }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly pause: number };

/** More than this is not copied while somebody waits, but in the last round; bytes. */
const MOST_REST = 8 << 20;

/** Nor for longer than this; milliseconds. With the time for preparing and freezing it stays below the second of the guard. */
const LONGEST_COPY = 400;

/** The guard is waiting already, and this process holds everything up; milliseconds. */
const LONGEST_PREPARATION = 50;

/** A line that is not ended yet goes back to the log if it is no longer than this; bytes. */
const LONGEST_REST = 65_536;

/** Without freezing: how often the end may move while the last bytes are copied, before it is tried anew. */
const LOOKS = 64;

const NEWLINE = 0x0a;

/** The writers stand still from the first look at the size until the log is cut. */
export function cutFrozen(input: CutInput, freezer: Freezer, isLast: boolean): Cut {
  const { journal, journalPath, log } = input;
  journal.note({ step: 'freezing', cgroups: freezer.cgroups });
  let copied = input.copied;
  const frozen = freezer.freeze({ log, journal: journal.fd, journalPath }, () => {
    const end = fs.fstatSync(log).size;
    copied = copyNow(log, input.copy, copied, end, performance.now() + LONGEST_PREPARATION);
  });
  if ('code' in frozen) {
    journal.note({ step: 'thawed' });
    return { kind: 'failed', problem: frozen, pause: 0 };
  }
  let cut: { readonly keep: number } | { readonly copied: number } | undefined;
  let pause = 0;
  try {
    input.passed?.('frozen');
    cut = cutStill({ ...input, copied }, frozen, isLast ? Number.POSITIVE_INFINITY : MOST_REST);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    frozen.thaw();
    throw error;
  }
  pause = frozen.thaw();
  if ('keep' in cut) {
    journal.noteIfPossible({ step: 'thawed' });
    return { kind: 'cut', keep: cut.keep, pause };
  }
  journal.note({ step: 'thawed' });
  return { kind: 'behind', copied: cut.copied, pause };
}

/**
 * What is written between the last look at the size and the truncation is lost. That takes some microseconds, but the
 * truncation waits for writes that are going on: of a writer that never rests, what it writes in some milliseconds.
 * @param isLast no calm moment has come for long: it is cut all the same
 */
export function cutRunning({ log, copy, copied, journal, passed }: CutInput, isLast: boolean): Cut {
  let at = copied;
  for (let look = 0; look < LOOKS; look++) {
    const end = fs.fstatSync(log).size;
    at = copyNow(log, copy, at, end, performance.now() + LONGEST_COPY);
    if (at < end) break;
    passed?.('rest copied');
    journal.note({ step: 'cutting', size: at, keep: at });
    passed?.('cutting');
    // A log that is never rotated because somebody never rests would fill the disk: that is the greater loss.
    const mustCut = isLast && look === LOOKS - 1;
    if (fs.fstatSync(log).size !== at && !mustCut) continue;
    fs.ftruncateSync(log, 0);
    journal.cut();
    passed?.('truncated');
    journal.noteIfPossible({ step: 'cut', keep: at });
    passed?.('cut');
    return { kind: 'cut', keep: at, pause: 0 };
  }
  return { kind: 'behind', copied: at, pause: 0 };
}

function cutStill(
  { log, copy, copied, journal, passed }: CutInput,
  frozen: Frozen,
  most: number,
): { readonly keep: number } | { readonly copied: number } {
  const until = performance.now() + LONGEST_COPY;
  const size = fs.fstatSync(log).size;
  if (size - copied > most) return { copied };
  const end = copyNow(log, copy, copied, size, until);
  if (end < size) return { copied: end };
  passed?.('rest copied');
  const whole = endOfLastLine(log, size);
  journal.note({ step: 'cutting', size, keep: whole });
  passed?.('cutting');
  // This process may have been stopped for so long that somebody has thawed them.
  if (journal.isTouched() || !frozen.holds() || performance.now() > until) return { copied: end };
  fs.ftruncateSync(log, 0);
  journal.cut();
  passed?.('truncated');
  // It takes long to free a huge file: if somebody thawed them meanwhile, more may have been written already.
  const keep = !journal.isTouched() && writeBack(log, copy, size, whole) ? whole : size;
  passed?.('written back');
  journal.noteIfPossible({ step: 'cut', keep });
  passed?.('cut');
  return { keep };
}

/** Where the unfinished line begins; the end if there is none, or it is long, or it is the only one. */
function endOfLastLine(log: number, size: number): number {
  const start = Math.max(0, size - LONGEST_REST);
  const tail = bytesOf(log, Math.max(start, size - 1), size);
  if (tail[0] === NEWLINE) return size;
  const last = bytesOf(log, start, size).lastIndexOf(NEWLINE);
  return last < 0 ? size : start + last + 1;
}

/** False when it cannot be done: then the beginning of the line stays in the copy. */
function writeBack(log: number, copy: number, size: number, whole: number): boolean {
  const rest = bytesOf(copy, whole, size);
  if (rest.length === 0) return true;
  try {
    if (rest.length === size - whole && fs.writeSync(log, rest) === rest.length) return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  fs.ftruncateSync(log, 0);
  return false;
}
