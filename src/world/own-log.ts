/** How are the daemon's own log and lifecycle lines written, so that nothing of it ends the daemon or holds it up for long? */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, inWords } from './errno.ts';
import { makeDirectories } from './make-directories.ts';
import { blockFor } from './pause.ts';

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = fs.constants;

/** A fifo that nobody reads must not hold the daemon up, and no terminal become its own. */
const FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY;

/** It repeats what services wrote: others than its owner and group cannot read it. */
const NEW_FILE = 0o640;

/**
 * A reader that is slow is waited for in pauses, `most` in all: nothing else is done meanwhile. What was spent of that
 * comes back while time passes, `share` of a millisecond in each. Milliseconds.
 */
const PATIENCE = { pause: 20, most: 500, share: 1 / 20 };

/** Milliseconds. */
const COMPLAINS_AGAIN = 60_000;

/** How time passes while nothing else may be done; milliseconds. */
export interface Waiting {
  /** Since any moment, never backwards. */
  readonly now: () => number;
  readonly block: (milliseconds: number) => void;
}

const REAL: Waiting = { now: () => performance.now(), block: blockFor };

/**
 * A file, or standard error. Whoever reads it is waited for a moment now and then, however many lines there are; a disk that
 * is full is not minded. What cannot be written is lost, counted, and told when there is room again.
 */
export class OwnLog {
  readonly #path: string | null;
  readonly #open: () => number;
  readonly #tellLost: (texts: number, why: string) => void;
  #fd: number | undefined;
  #lost = 0;
  #why = '';
  /** The last thing that was written is not ended. */
  #torn = false;
  readonly #waiting: Waiting;
  /** What was left of the patience then; milliseconds. */
  #patience = { left: PATIENCE.most, at: Number.NEGATIVE_INFINITY };
  /** When it was told last that the file cannot be written. */
  #complained = Number.NEGATIVE_INFINITY;

  /**
   * @param path null: standard error
   * @param tellLost so many texts were lost, because of that; called when one was written again
   */
  constructor(path: string | null, tellLost: (texts: number, why: string) => void, waiting: Waiting = REAL) {
    this.#path = path;
    this.#waiting = waiting;
    this.#open = path === null ? () => 2 : () => opened(path);
    this.#tellLost = tellLost;
  }

  /** @param text whole lines */
  write(text: string): void {
    const failed = this.#append(text);
    if (failed !== undefined) {
      this.#lost += 1;
      this.#why = inWords(failed);
      if (this.#lost === 1) this.#complain();
      return;
    }
    const lost = this.#lost;
    if (lost === 0) return;
    this.#lost = 0;
    this.#tellLost(lost, this.#why);
    // Not even that could be written: it is told later.
    if (this.#lost > 0) this.#lost = lost;
  }

  /**
   * From now on the file that has the name now: whoever rotates logs has moved the other one away.
   * @returns why it is still the other one
   */
  reopen(): string | undefined {
    if (this.#path === null) return undefined;
    const before = this.#fd;
    try {
      this.#fd = this.#open();
    } catch (error) {
      return inWords(error);
    }
    this.#torn = false;
    if (before !== undefined) fs.closeSync(before);
    return undefined;
  }

  /** @returns the error, if not all of it could be written */
  #append(text: string): unknown {
    let rest = Buffer.from(this.#torn ? `\n${text}` : text);
    const whole = rest.length;
    while (rest.length > 0) {
      try {
        this.#fd ??= this.#open();
        rest = rest.subarray(fs.writeSync(this.#fd, rest));
      } catch (error) {
        if (codeOf(error) === 'EAGAIN' && this.#pause()) continue;
        if (rest.length < whole) this.#torn = true;
        return error;
      }
    }
    this.#torn = false;
    return undefined;
  }

  /** False: who reads has been waited for long enough. */
  #pause(): boolean {
    const { now, block } = this.#waiting;
    const { left, at } = this.#patience;
    const patience = Math.min(PATIENCE.most, left + (now() - at) * PATIENCE.share);
    const isPatient = patience >= PATIENCE.pause;
    this.#patience = { left: isPatient ? patience - PATIENCE.pause : patience, at: now() };
    if (isPatient) block(PATIENCE.pause);
    return isPatient;
  }

  /** Of a file: somebody may read standard error. Not each time that a slow reader has read something meanwhile. */
  #complain(): void {
    const now = this.#waiting.now();
    if (this.#path === null || now - this.#complained < COMPLAINS_AGAIN) return;
    this.#complained = now;
    try {
      fs.writeSync(2, `processmaster: the log ${this.#path} cannot be written: ${this.#why}\n`);
    } catch {
      // Nobody is left who could be told.
    }
  }
}

/** @throws as open(2) fails */
function opened(path: string): number {
  makeDirectories(dirname(path));
  return fs.openSync(path, FLAGS, NEW_FILE);
}

/** Files that end amid a line which could not be taken back. */
const torn = new Set<string>();

/**
 * Opens the file anew, which may have been rotated since. A line of which only the beginning could be written is taken
 * back, or the next one does not run into it.
 * @param text whole lines
 * @returns the code of the failure, if any: EAGAIN and ENXIO of a fifo that nobody reads
 */
export function appendToOwn(path: string, text: string): string | undefined {
  try {
    const fd = fs.openSync(path, FLAGS, NEW_FILE);
    try {
      appendWhole(fd, path, text);
    } finally {
      fs.closeSync(fd);
    }
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

/** @throws as write(2) fails */
function appendWhole(fd: number, path: string, text: string): void {
  const bytes = Buffer.from(torn.has(path) ? `\n${text}` : text);
  const { size } = fs.fstatSync(fd);
  let written = 0;
  try {
    while (written < bytes.length) written += fs.writeSync(fd, bytes, written);
    torn.delete(path);
  } catch (error) {
    if (written > 0 && !isTakenBack(fd, size, written)) torn.add(path);
    throw error;
  }
}

/**
 * That a file becomes shorter needs no room.
 * @param size before so many bytes were written
 * @returns false: it is no file, may only grow, cannot be looked at, or somebody else has written there meanwhile
 */
function isTakenBack(fd: number, size: number, written: number): boolean {
  try {
    if (fs.fstatSync(fd).size !== size + written) return false;
    fs.ftruncateSync(fd, size);
    return true;
  } catch {
    return false;
  }
}
