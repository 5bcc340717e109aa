/** Which lines are added to a log, each of them once, whatever becomes of its files meanwhile? */
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { rotatedName } from '../policy/rotation-names.ts';
import { type LogFile, openLogFile } from '../world/log-files.ts';
import { LogSight, type Sight } from '../world/log-sight.ts';
import { isFailure } from '../world/world.ts';
import { LineCutter, NEWLINE } from './line-cutter.ts';
import {
  type From,
  isMark,
  knownAs,
  type Mark,
  markOf,
  type Position,
  positionOf,
  rotatedBefore,
  startOf,
} from './log-position.ts';
import { BEGINNING, BLOCK, beginsWith, firstLines, hasPlace, Passage, placeAfter } from './passage.ts';
import { openParts, type Part } from './passages-ahead.ts';
import { inOrder, type KnownFile, knownThen, newcomers } from './rotated-order.ts';

export interface FollowedLog {
  /** Absolute. */
  readonly path: string;
  /** The user of the service; null: the own one. */
  readonly credentials: Credentials | null;
  /**
   * `ours`: the log is rotated by this program, so a rotated file that appears is the content that was cut. `unknown`:
   * somebody else may copy the log and cut it later, so it counts as cut only when that shows.
   */
  readonly rotation: 'ours' | 'unknown';
}

export type Notice =
  /** Somebody made the file shorter; it is read from its beginning. */
  | { readonly kind: 'truncated' }
  /** What should have come next is not there any more, pruned perhaps; it goes on with the oldest that is there. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'unreadable'; readonly problem: Problem };

export interface Reading {
  readonly lines: readonly string[];
  /** Told once each. */
  readonly notices: readonly Notice[];
  /** There is more to read at once. */
  readonly more: boolean;
}

interface Amount {
  bytes: number;
  lines: number;
}

const AT_ONCE: Readonly<Amount> = { bytes: 1 << 20, lines: Number.POSITIVE_INFINITY };

/** When the directory changes while it is looked at, it is looked at again, or else next time. */
const ATTEMPTS = 4;

/** Rotated files that are open at the same time. */
const MOST_OPEN = 16;

/**
 * Safe against a rotation at any moment: see LogSight. A block that was read counts only if no rotation had begun by
 * then, and while one goes on, nothing is read. Rotated files that were not there before hold what came between. What
 * stands before the own position is compared, too, so that a truncation by somebody else shows even when the file has
 * grown beyond that position since. Links that the user of the service may have planted are not followed.
 */
export class LogFollower {
  readonly #log: FollowedLog;
  readonly #sight: LogSight;
  #from: From | undefined;
  #file: LogFile | undefined;
  #known: readonly KnownFile[] = [];
  #arranged: Sight | undefined;
  /** There are rotated files that do not count before the log is seen to be cut. */
  #held = false;
  #parts: Part[] = [];
  #place: Position = { ...BEGINNING, after: null };
  /** Where the first line begins that was not told yet. */
  #line: Position = this.#place;
  #lines = new LineCutter();
  #trouble: string | undefined;
  /** The directory as it was when the last bytes were read. */
  #version: string | undefined;

  constructor(log: FollowedLog, from: From) {
    this.#log = log;
    this.#from = from;
    this.#sight = new LogSight(log.path, log.credentials, (base, name) => rotatedName(base, name) !== null);
  }

  /**
   * The lines that were ended since the last call, at most about so many bytes and at most so many lines: call again at
   * once while `more` is true. A log that is not there (yet) has no lines. One call at a time.
   */
  async read(most: Readonly<Amount> = AT_ONCE): Promise<Reading> {
    const left = { ...most };
    const told = { lines: [] as string[], notices: [] as Notice[] };
    while (left.bytes > 0 && left.lines > 0) {
      const part = this.#parts[0];
      const before = told.lines.length;
      const bytes =
        part === undefined ? this.#readActive(left, told) : await this.#readPart(part, left, told);
      if (bytes === undefined) return { ...told, more: false };
      left.bytes -= bytes;
      left.lines -= told.lines.length - before;
    }
    return { ...told, more: true };
  }

  /** Where the next line begins that was not told yet; undefined before the log could be looked at. */
  mark(): Mark | undefined {
    if (this.#from === undefined) return markOf(this.#line);
    return isMark(this.#from) ? this.#from : undefined;
  }

  /** Device and inode of the file that is read, or was read last, as in LogFile. */
  get identity(): string | undefined {
    return this.#file?.identity;
  }

  /** What was read of a line that is not ended yet. */
  get unfinished(): string {
    return this.#lines.unfinished;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    for (const { passage } of this.#parts) passage.close();
    this.#parts = [];
    this.#sight.close();
  }

  /** Answers how many bytes were read; undefined: nothing can be read now. */
  #readActive(most: Amount, told: Told): number | undefined {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const sight = this.#sight.look();
      if (sight === undefined) {
        this.#open(null, told);
        return undefined;
      }
      if (sight.rotating === 'yes') return undefined;
      if (this.#from !== undefined && !this.#begin(this.#from, sight, told)) continue;
      const arranged = this.#arrange(sight, told);
      if (arranged === 'parts') return 0;
      if (arranged === 'changed') continue;
      this.#file ??= this.#open(sight.active, told);
      const bytes = arranged === 'cut' ? 'cut' : this.#bytes(Math.min(BLOCK, most.bytes));
      // With nothing before the position nobody can tell which file it belongs to.
      const isUntold = sight.rotating === 'abandoned' && (bytes === 'cut' || this.#place.at === 0);
      if (bytes === 'none' || isUntold) return undefined;
      if (!this.#sight.isStill(sight)) continue;
      if (bytes !== 'cut') {
        this.#version = sight.version;
        return this.#advance(bytes, most.lines, told);
      }
      if (this.#held) {
        this.#arranged = undefined;
        continue;
      }
      const isForeign = this.#log.rotation === 'unknown' || sight.version === this.#version;
      told.notices.push({ kind: isForeign ? 'truncated' : 'lost' });
      this.#startAgain();
    }
    return undefined;
  }

  /** False: it was not possible just now. */
  #begin(from: From, sight: Sight, told: Told): boolean {
    const rotated = inOrder(sight.base, sight.rotated);
    if (isMark(from)) {
      this.#place = positionOf(from);
      this.#known = knownThen(from.after, rotated);
    } else {
      this.#file?.close();
      this.#file = this.#open(sight.active, told);
      if (this.#file === undefined && sight.active !== null) return false;
      const known = rotatedBefore(from, rotated);
      const isRotated = known.length < rotated.length && typeof from === 'object' && 'since' in from;
      const place = isRotated ? { ...BEGINNING, at: from.position } : startOf(from, this.#file);
      if (place === undefined || !this.#sight.isStill(sight)) return false;
      this.#place = { ...place, after: knownAs(known.at(-1)) };
      this.#known = known;
      this.#version = sight.version;
    }
    this.#line = this.#place;
    this.#from = undefined;
    return true;
  }

  /** What was rotated since the last look is to be read first, and what was replaced before the new file. */
  #arrange(sight: Sight, told: Told): 'nothing' | 'parts' | 'changed' | 'cut' {
    const own = this.#file?.identity;
    const isReplaced = own !== undefined && sight.active !== null && sight.active !== own;
    if (sight === this.#arranged && !isReplaced) return 'nothing';
    const rotated = inOrder(sight.base, sight.rotated);
    const others = rotated.filter(({ identity }) => identity !== own);
    const news = newcomers(this.#known, others);
    const isCut = this.#file !== undefined && !hasPlace(this.#file, this.#place);
    const counts = this.#log.rotation === 'ours' || isCut || isReplaced;
    if (!isReplaced && (news.length === 0 || !counts)) {
      this.#held = news.length > 0;
      if (!this.#held) this.#known = others;
      if (isCut && !this.#held) return 'cut';
      this.#arranged = sight;
      return 'nothing';
    }
    const taken = news.slice(0, MOST_OPEN);
    const leaves = isReplaced && (!isCut || taken.length === news.length);
    const parts = openParts(this.#sight, taken);
    if (parts !== undefined && 'code' in parts) {
      this.#tell(parts, told);
      return 'changed';
    }
    if (parts === undefined || !this.#sight.isStill(sight)) {
      for (const { passage } of parts ?? []) passage.close();
      return 'changed';
    }
    this.#trouble = undefined;
    if (isCut || !isReplaced) this.#rewind();
    if (leaves && this.#file !== undefined) {
      const known = knownAs(rotated.find(({ identity }) => identity === own));
      const old: Part = { passage: new Passage(this.#file, false), from: null, known, isLast: true };
      if (isCut) parts.push(old);
      else parts.unshift(old);
      this.#file = undefined;
    }
    const [first] = parts;
    if (first !== undefined) first.from = this.#place;
    this.#parts = parts;
    this.#held = false;
    const later = new Set(news.slice(MOST_OPEN));
    this.#known = (leaves ? rotated : others).filter((each) => !later.has(each));
    this.#version = undefined;
    return 'parts';
  }

  /** It may be closed meanwhile: then the part is none any more. */
  async #readPart(part: Part, most: Amount, told: Told): Promise<number> {
    if (part.from !== null) {
      const isThere = await part.passage.goTo(part.from);
      part.from = null;
      if (this.#parts[0] !== part) return 0;
      if (!isThere) {
        told.notices.push({ kind: 'lost' });
        this.#startAgain();
      }
    }
    const bytes = await part.passage.next();
    if (this.#parts[0] !== part) return 0;
    if (!isFailure(bytes) && bytes.length > 0) {
      const count = this.#advance(bytes.subarray(0, most.bytes), most.lines, told);
      part.passage.took(count);
      return count;
    }
    if (isFailure(bytes)) {
      const message = `a rotated file of ${this.#log.path} cannot be read to its end: ${bytes.failed}`;
      told.notices.push({
        kind: 'unreadable',
        problem: { code: 'log-unreadable', severity: 'error', message },
      });
    }
    const isAmidLine = this.#line.at !== this.#place.at || this.#line.after !== this.#place.after;
    if (part.isLast) told.lines.push(...this.#lines.rest());
    this.#place = { ...BEGINNING, after: part.known ?? this.#place.after };
    if (part.isLast || !isAmidLine) this.#line = this.#place;
    part.passage.close();
    this.#parts.shift();
    return 0;
  }

  #advance(bytes: Uint8Array, mostLines: number, told: Told): number {
    const { after } = this.#place;
    const taken = firstLines(bytes, mostLines);
    for (const line of this.#lines.add(taken)) told.lines.push(line);
    const end = taken.lastIndexOf(NEWLINE) + 1;
    if (end > 0) this.#line = { ...placeAfter(this.#place, taken.subarray(0, end)), after };
    this.#place = { ...placeAfter(this.#place, taken), after };
    return taken.length;
  }

  /** What comes next in the active file. `cut`: it is not the file any more that was read up to here. */
  #bytes(most: number): Uint8Array | 'none' | 'cut' {
    const { at, tail } = this.#place;
    const size = this.#file?.size();
    if (size === undefined || isFailure(size)) return 'none';
    if (size < at) return 'cut';
    if (size === at) return 'none';
    const bytes = this.#file?.read(at - tail.length, tail.length + most);
    if (bytes === undefined || isFailure(bytes)) return 'none';
    if (!beginsWith(bytes, tail)) return 'cut';
    return bytes.length === tail.length ? 'none' : bytes.subarray(tail.length);
  }

  /** The beginning of a line that was cut off by rotation is in the rotated file, or goes on in the active one. */
  #rewind(): void {
    if (this.#line.after !== this.#place.after) return;
    this.#place = this.#line;
    this.#lines = new LineCutter();
  }

  #startAgain(): void {
    this.#place = { ...BEGINNING, after: this.#place.after };
    this.#line = this.#place;
    this.#lines = new LineCutter();
  }

  /** Only the file that was seen. */
  #open(active: string | null, told: Told): LogFile | undefined {
    const opened = openLogFile(this.#log.path, this.#log.credentials);
    if (!('code' in opened)) {
      this.#trouble = undefined;
      if (opened.identity === active) return opened;
      opened.close();
    } else if (opened.message.includes('ENOENT')) {
      // Whatever will be there was not there yet.
      if (this.#from !== undefined && !isMark(this.#from)) this.#from = 'start';
    } else {
      this.#tell(opened, told);
    }
    return undefined;
  }

  /** Once, until it is well again. */
  #tell(problem: Problem, told: Told): void {
    if (problem.message === this.#trouble) return;
    this.#trouble = problem.message;
    told.notices.push({ kind: 'unreadable', problem });
  }
}

interface Told {
  readonly lines: string[];
  readonly notices: Notice[];
}
