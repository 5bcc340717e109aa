/** How did programs end while no daemon was there to see it? One file for each run that asked for it. */
import fs from 'node:fs';
import { join } from 'node:path';
import { type RunId, type RunKey, startOfRun } from '../model/names.ts';
import type { Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import { systemError } from './errno.ts';
import { systemFiles } from './files.ts';
import { parseExitRecord } from './launch-record.ts';
import { makeDirectories } from './make-directories.ts';
import { openUnbent } from './unbent-open.ts';
import { isFailure, type Launch } from './world.ts';

/** Far more than a shell writes about one child. */
const LARGEST = 4096;

/** `<directory>/<run id>`; the directory is the daemon's alone (0700). Without a directory nothing is recorded. */
export class ExitRecords {
  readonly #directory: string | null;
  readonly #files = systemFiles();
  /** Nobody else removes them: one of these that is not there any more was lost. */
  readonly #known = new Set<RunId>();
  /** Of runs that an earlier daemon started: their shells write there also when the file was removed. */
  readonly #held = new Map<RunId, number>();

  constructor(directory: string | null) {
    this.#directory = directory;
  }

  /**
   * Starts a program with the descriptor into which its end is to be written, if its launch asks for that. Where the
   * file cannot be made, the program runs without: its end is still told to the daemon that started it.
   */
  recording<Answer extends object>(
    run: RunId,
    launch: Launch,
    start: (record: number | null) => Answer | Problem,
  ): Answer | Problem {
    const fd = launch.record === true ? this.#open(run) : null;
    try {
      const answer = start(fd);
      if (fd !== null && 'code' in answer) this.remove(run);
      else if (fd !== null) this.#known.add(run);
      return answer;
    } finally {
      if (fd !== null) fs.closeSync(fd);
    }
  }

  /**
   * The shell that records ends as the program did; what it wrote counts more, for bash cannot end itself by SIGQUIT.
   * Has it said something and written no end, it was not able to start the program. A record without a word tells
   * nothing: the disk may be full.
   * @param isRecorded the launch asked for that
   * @param seen how that shell ended
   */
  outcome(run: RunId, isRecorded: boolean, seen: Outcome): Outcome {
    if (!isRecorded || seen.kind === 'not_started') return seen;
    const text = this.#textOf(run);
    const recorded = parseExitRecord(text);
    if (recorded !== undefined) return recorded;
    const said = text.trim();
    return seen.kind === 'exited' && said !== '' ? { kind: 'not_started', problem: refused(said) } : seen;
  }

  /** True for a run that was started with a record. */
  has(run: RunId): boolean {
    if (this.#known.has(run)) return true;
    return this.#directory !== null && fs.existsSync(join(this.#directory, run));
  }

  /**
   * Makes those again that were lost, empty: what the shell writes is lost to later daemons, but its runs are told from
   * others. What cannot be made is not missed by anything that runs.
   */
  restore(): void {
    const there = new Set(this.#directory === null ? [] : listed(this.#directory));
    for (const run of this.#known) {
      const fd = there.has(run) ? null : this.#open(run);
      if (fd !== null) fs.closeSync(fd);
    }
  }

  /**
   * `at`: when it was written, milliseconds since 1970, to the tick of the kernel. undefined: nothing, or nothing whole,
   * was recorded. Throws when there is one that cannot be read.
   * @param now no end is later than that, whatever was done to the clock of the host
   */
  read(run: RunId, now: number): { readonly outcome: Outcome; readonly at: number } | undefined {
    if (this.#directory === null) return undefined;
    const held = this.#held.get(run);
    const record = held === undefined ? this.#readAt(join(this.#directory, run)) : readIn(held);
    const outcome = record === undefined ? undefined : parseExitRecord(record.text);
    if (record === undefined || outcome === undefined) return undefined;
    return { outcome, at: Math.min(now, Math.max(startOfRun(run), Math.floor(record.written))) };
  }

  #readAt(path: string): Written | undefined {
    // Most runs have none. What is there and cannot be read now says something all the same, at another look.
    const written = fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (written === undefined) return undefined;
    const text = this.#files.read(path, LARGEST);
    if (isFailure(text) && text.failed !== 'ENOENT') throw systemError(path, text.failed);
    return isFailure(text) ? undefined : { text, written };
  }

  /** Of the members of a run, oldest first, the one that the service knows as its own: not the shell that records. */
  program(run: RunId, [oldest, next]: readonly number[]): number | undefined {
    return next !== undefined && this.has(run) ? next : oldest;
  }

  remove(run: RunId): void {
    // Most runs have none, and an exception for each would cost more than the question.
    if (this.#directory !== null && this.has(run)) this.#files.remove(join(this.#directory, run));
    this.#known.delete(run);
    this.#letGo(run);
  }

  close(): void {
    for (const run of [...this.#held.keys()]) this.#letGo(run);
  }

  #letGo(run: RunId): void {
    const fd = this.#held.get(run);
    if (fd !== undefined) fs.closeSync(fd);
    this.#held.delete(run);
  }

  #hold(run: RunId): void {
    try {
      this.#held.set(run, openUnbent(join(this.#directory ?? '', run)));
    } catch {
      // It is read by its name.
    }
  }

  /**
   * Removes the records of runs that are gone otherwise: of an earlier boot, or ended by hand. The others are held.
   * @param existing undefined when that cannot be seen
   */
  keepOnly(existing: () => readonly RunKey[] | undefined): void {
    const names = this.#directory === null ? [] : listed(this.#directory);
    if (names.length === 0) return;
    for (const name of names) this.#known.add(name as RunId);
    const keys = existing();
    if (keys === undefined) return;
    const kept = new Set<string>(keys.map(({ id }) => id));
    for (const name of names as RunId[]) {
      if (kept.has(name)) this.#hold(name);
      else this.remove(name);
    }
  }

  #textOf(run: RunId): string {
    if (this.#directory === null) return '';
    const text = this.#files.read(join(this.#directory, run), LARGEST);
    return isFailure(text) ? '' : text;
  }

  #open(run: RunId): number | null {
    if (this.#directory === null) return null;
    try {
      makeDirectories(this.#directory, 0o700);
      return fs.openSync(join(this.#directory, run), NEW_FILE, 0o600);
    } catch {
      return null;
    }
  }
}

const NEW_FILE = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL;

interface Written {
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly written: number;
}

function readIn(fd: number): Written {
  const buffer = Buffer.alloc(LARGEST);
  const length = fs.readSync(fd, buffer, 0, LARGEST, 0);
  return { text: buffer.toString('utf8', 0, length), written: fs.fstatSync(fd).mtimeMs };
}

function listed(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    // Nothing was ever recorded; what cannot be listed can wait.
    return [];
  }
}

function refused(said: string): Problem {
  return { code: 'start-failed', severity: 'error', message: `the launch was refused: ${said}` };
}
