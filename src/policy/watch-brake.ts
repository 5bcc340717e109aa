/** How long does a restart wait when changed files ask for one again and again, right after the one before? */

/** Changes in a row that each came soon after a start. */
export interface QuickRow {
  readonly length: number;
  /** What changed in it, the newest last. */
  readonly files: ReadonlySet<string>;
}

export interface SourceChange {
  readonly files: readonly string[];
  /** Milliseconds since the restart that was asked for last, or since the newest start. */
  readonly age: number;
  /** Milliseconds that a change is held back before it is told of. */
  readonly debounce: number;
  /** Milliseconds since nothing of the service runs; 0 while something does. */
  readonly gone: number;
  /** A restart is waiting already. */
  readonly waits: boolean;
}

export interface Braking {
  readonly row: QuickRow;
  /** Milliseconds; 0: at once, also what is waiting. */
  readonly wait: number;
}

export const NO_ROW: QuickRow = { length: 0, files: new Set() };

/** A change that comes later after a start belongs to no row. Milliseconds. */
const SOON = 3000;

/** What comes earlier after a start, or an end, is hardly the work of a person who has seen it. Milliseconds. */
const AT_START = 1000;

/** So many changes in a row are followed at once: people save often. */
const FREE = 4;

const FIRST_WAIT = 1000;
export const LONGEST_WAIT = 30_000;

/** Files whose names are kept; a service may make one of a new name at each start. */
const MOST_FILES = 100;

export function brake(row: QuickRow, { files, age, debounce, gone, waits }: SourceChange): Braking {
  if (!waits && age >= rowEnds(debounce)) return { row: { length: 0, files: new Set(files) }, wait: 0 };
  // What does not run writes nothing: a person mends it.
  if (gone >= AT_START + debounce) return { row, wait: 0 };
  // Of so many, not all can have been kept; and nobody saves so many by hand.
  const isKnown = files.length > MOST_FILES || files.every((file) => row.files.has(file));
  // A person saves another file than those that keep the row going: the row goes on without it.
  if (isBraked(row) && !isKnown && age >= AT_START + debounce) return { row, wait: 0 };
  const length = waits ? row.length : row.length + 1;
  const kept = new Set([...row.files, ...files].slice(-MOST_FILES));
  const wait = length <= FREE ? 0 : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (length - FREE - 1));
  return { row: { length, files: kept }, wait };
}

/** So many milliseconds without a change after a start, a row is over. */
export function rowEnds(debounce: number): number {
  return SOON + debounce;
}

/** The next change of the row would have to wait. */
function isBraked({ length }: QuickRow): boolean {
  return length >= FREE;
}
