/** What does the clock on the wall show in a time zone, and when is it set? Wall times are written as if in UTC. */

/** When the clocks of a time zone are set, as far as it has been asked about. */
export interface ZoneRules {
  /** Wall time minus UTC at a whole second since 1970. Milliseconds. */
  readonly offsetAt: (instant: number) => number;
  /** The pieces of each UTC year that was asked about: a memo, as asking is slow and the answers never change. */
  readonly years: Map<number, readonly Piece[]>;
}

/** A time zone of the IANA database. */
export interface Zone extends ZoneRules {
  readonly name: string;
}

/** A stretch of time in which nobody sets the clock: `start` <= t < `end`, wall time = t + `offset`. Milliseconds. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** No zone ever was further from UTC (Manila before 1844: -15:56), and no clock was ever set by more than a day. */
const MOST_OFFSET = 16 * HOUR;
const MOST_STEP = 24 * HOUR;

/** One formatter for each zone is enough, and it is the expensive part. */
const zones = new Map<string, Zone>();

/**
 * The zone of that name (`Europe/Berlin`, `UTC`); undefined when Intl does not know it. Bare offsets (`+02:00`) are
 * not taken: which versions of Node know them differs.
 */
export function zoneNamed(name: string): Zone | undefined {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const format = /^[A-Za-z]/.test(name) ? formatter(name) : undefined;
  if (format === undefined) return undefined;
  const zone = { name, ...zoneRules((instant) => wallTime(format, instant) - instant) };
  zones.set(name, zone);
  return zone;
}

/** @param offsetAt wall time minus UTC at a whole second since 1970; milliseconds */
export function zoneRules(offsetAt: (instant: number) => number): ZoneRules {
  return { offsetAt, years: new Map() };
}

/**
 * The first instant at which the wall clock has come to `wall` or beyond: for a time that is shown twice the first
 * one, for a time that is never shown the end of the gap.
 */
export function firstInstantAt(zone: ZoneRules, wall: number): number {
  for (const { start, end, offset } of pieces(zone, wall - MOST_OFFSET)) {
    const instant = Math.max(start, wall - offset);
    if (instant < end) return instant;
  }
  return Number.POSITIVE_INFINITY;
}

/** The latest time that the wall clock has shown at or before `instant`: while it shows times again, more than now. */
export function furthestWall(zone: ZoneRules, instant: number): number {
  let furthest = Number.NEGATIVE_INFINITY;
  for (const { start, end, offset } of pieces(zone, instant - MOST_STEP)) {
    if (start > instant) break;
    furthest = Math.max(furthest, Math.min(instant, end - 1) + offset);
  }
  return furthest;
}

/** The pieces from the one that `instant` lies in, in order, without end: cut at new year as well. */
export function* pieces(zone: ZoneRules, instant: number): Generator<Piece, void> {
  for (let year = new Date(instant).getUTCFullYear(); ; year += 1) {
    for (const piece of piecesOf(zone, year)) if (piece.end > instant) yield piece;
  }
}

function piecesOf(zone: ZoneRules, year: number): readonly Piece[] {
  const known = zone.years.get(year);
  if (known !== undefined) return known;
  const found = surveyed(zone, year);
  zone.years.set(year, found);
  return found;
}

/** Looks once a day: no clock was ever set and set back within one. */
function surveyed(zone: ZoneRules, year: number): readonly Piece[] {
  const found: Piece[] = [];
  const end = Date.UTC(year + 1, 0, 1);
  let start = Date.UTC(year, 0, 1);
  let offset = zone.offsetAt(start);
  for (let day = start; day < end; day += DAY) {
    const next = Math.min(day + DAY, end);
    const after = zone.offsetAt(next);
    if (after === offset) continue;
    const at = changeBetween(zone, day, next);
    found.push({ start, end: at, offset });
    [start, offset] = [at, after];
  }
  return start < end ? [...found, { start, end, offset }] : found;
}

/** The first instant with the offset of `late`, to the second: finer than any rule of the database. */
function changeBetween(zone: ZoneRules, early: number, late: number): number {
  const after = zone.offsetAt(late);
  let [before, at] = [early, late];
  while (at - before > 1000) {
    const middle = before + Math.floor((at - before) / 2000) * 1000;
    if (zone.offsetAt(middle) === after) at = middle;
    else before = middle;
  }
  return at;
}

/** As if in UTC; `instant` is a whole second. */
function wallTime(format: Intl.DateTimeFormat, instant: number): number {
  const shown = format.format(instant).match(/\d+/g) ?? [];
  const [month = 1, day = 1, year = 0, hour = 0, minute = 0, second = 0] = shown.map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function formatter(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  } catch {
    // RangeError: the only way Intl has to say that it does not know the name.
    return undefined;
  }
}
