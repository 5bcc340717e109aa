/** How far has a rotation come? Noted so that the next daemon can finish or undo it. */
import fs from 'node:fs';
import { dirname } from 'node:path';
import type { Credentials } from '../model/spec.ts';
import { codeOf, systemError } from './errno.ts';
import { systemFiles } from './files.ts';
import { makeDirectories } from './make-directories.ts';
import { isFailure } from './world.ts';

/** Far more than is noted of one rotation, with all cgroups that it freezes; bytes. */
const LARGEST = 64 << 20;

/** What is known before anything is touched. */
export interface Begun {
  readonly step: 'begun';
  readonly log: string;
  readonly credentials: Credentials | null;
  /** Of the active file; as text, since inodes may be larger than a double can hold. */
  readonly device: string;
  readonly inode: string;
  /** The copy in the making, a name in the directory of the log. */
  readonly temporary: string;
  readonly target: string;
  /** Of the boot in which it was begun; absent in what an older version noted. */
  readonly boot?: string;
}

export type Note =
  | Begun
  /** From here on these may be frozen. */
  | { readonly step: 'freezing'; readonly cgroups: readonly string[] }
  /** The copy has all `size` bytes; the active file is about to become empty, or to begin at what stood at `keep`. */
  | { readonly step: 'cutting'; readonly size: number; readonly keep: number }
  /** Written by the guard before it thaws: the size of the active file at that moment. */
  | { readonly step: 'guard'; readonly size: number | null }
  /** The active file is cut, and the copy is worth `keep` bytes. */
  | { readonly step: 'cut'; readonly keep: number }
  | { readonly step: 'thawed' };

export interface RotationJournal {
  readonly fd: number;
  /** One write(2), so that it is there as a whole or not at all if this process dies. */
  note(note: Note): void;
  /** The same, for what the rest of the rotation does not depend on. */
  noteIfPossible(note: Note): void;
  /** Remembers, in this process only, that the log is cut. */
  cut(): void;
  isCut(): boolean;
  /** True if somebody else, the guard, has written to it since `freezing` was noted. */
  isTouched(): boolean;
  /** To disk. */
  sync(): void;
  remove(): void;
  close(): void;
}

/**
 * @param path absolute; the directory is made (0700)
 * @throws the error of the system call: EEXIST when a rotation is noted there that was not finished
 */
export function openJournal(path: string, begun: Begun): RotationJournal {
  const fd = openNew(path);
  let written = 0;
  let isCut = false;
  const journal: RotationJournal = {
    fd,
    note: (note) => {
      const line = Buffer.from(`${JSON.stringify(note)}\n`);
      const count = fs.writeSync(fd, line);
      // Whatever was added before is no news to a new round.
      written = note.step === 'freezing' ? fs.fstatSync(fd).size : written + count;
      if (count < line.length)
        throw Object.assign(new Error('short write'), { code: 'ENOSPC', syscall: 'write' });
    },
    noteIfPossible: (note) => {
      try {
        journal.note(note);
      } catch {
        // A disk that is full: whoever reads the journal finds out by other means.
      }
    },
    cut: () => {
      isCut = true;
    },
    isCut: () => isCut,
    isTouched: () => fs.fstatSync(fd).size !== written,
    sync: () => fs.fsyncSync(fd),
    remove: () => fs.rmSync(path, { force: true }),
    close: () => fs.closeSync(fd),
  };
  try {
    journal.note(begun);
  } catch (error) {
    journal.remove();
    journal.close();
    throw error;
  }
  return journal;
}

/** Adds to what an earlier daemon has noted. */
export function addNote(path: string, note: Note): void {
  fs.writeFileSync(path, `\n${JSON.stringify(note)}\n`, { flag: 'a' });
}

/** @returns every note that is whole, in order; undefined when there is no such file */
export function readJournal(path: string): readonly Note[] | undefined {
  const text = systemFiles().read(path, LARGEST);
  if (isFailure(text)) {
    if (text.failed === 'ENOENT') return undefined;
    throw systemError(path, text.failed);
  }
  return text.split('\n').flatMap((line) => {
    const note = parsed(line);
    return note === undefined ? [] : [note];
  });
}

/** Only this program and its guard write there: what is JSON with a step is a note, the rest was cut off. */
function parsed(line: string): Note | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'step' in value ? (value as Note) : undefined;
  } catch {
    return undefined;
  }
}

function openNew(path: string): number {
  try {
    return fs.openSync(path, 'ax+', 0o600);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    makeDirectories(dirname(path), 0o700);
    return fs.openSync(path, 'ax+', 0o600);
  }
}
