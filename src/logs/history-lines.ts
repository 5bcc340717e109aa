/** Which lines of a log are asked for, and when was each of them written? */
import { timeOfLine } from '../model/line-time.ts';
import type { Part } from './history-parts.ts';
import { LineCutter } from './line-cutter.ts';

export interface HistoryQuery {
  /** The last so many of the lines that fit; null: all that fit. */
  readonly lines: number | null;
  /** Milliseconds since 1970, both included; null: no bound. */
  readonly since: number | null;
  readonly until: number | null;
  /** null: every line fits; undefined as an answer: it cannot be told, nothing more is read. */
  readonly matches: ((lines: readonly string[]) => readonly boolean[] | undefined) | null;
  /** Without a last line that is not ended yet. */
  readonly endedOnly: boolean;
}

export interface HistoryLine {
  readonly line: string;
  /** Milliseconds since 1970, as the line itself says; null: it says nothing. */
  readonly time: number | null;
}

/** Lines may be out of order in time by so much; milliseconds. */
export const MARGIN = 60_000;

/** A file that tells no time in its first and last so many bytes tells none at all. */
const SAMPLE = 65_536;
const LAST_SAMPLE = 1 << 20;

export interface FittingLine {
  readonly line: string;
  /** undefined: it was not asked yet. */
  readonly time: number | null | undefined;
}

export interface Sifted {
  readonly fitting: readonly FittingLine[];
  /** Of the line before the next ones. */
  readonly carry: number;
  /** Of the lines that tell one. */
  readonly earliest: number | null;
  readonly latest: number | null;
}

/**
 * @param carry the time of the line before, which lines without one have too
 * @returns undefined when it cannot be told which lines match
 */
export function sift(
  lines: readonly string[],
  query: HistoryQuery,
  part: TimedPart,
  carry: number,
): Sifted | undefined {
  const { since, until } = query;
  let [current, earliest, latest]: [number, number | null, number | null] = [carry, null, null];
  const times: (number | null)[] = [];
  // Times are not looked for in lines that nobody will see.
  const isBounded = since !== null || until !== null;
  const inside = !isBounded
    ? lines
    : lines.filter((line) => {
        const time = timeOfLine(line, { reference: part.modified });
        if (time !== null) {
          if (!part.isTimeless) current = time;
          earliest = Math.min(earliest ?? time, time);
          latest = Math.max(latest ?? time, time);
        }
        const isInside = (since === null || current >= since) && (until === null || current <= until);
        if (isInside) times.push(time);
        return isInside;
      });
  const matching = query.matches?.(inside);
  if (query.matches !== null && matching === undefined) return undefined;
  const all = inside.map((line, index): FittingLine => ({ line, time: times[index] }));
  const fitting = matching === undefined ? all : all.filter((_, index) => matching[index]);
  return { fitting, carry: current, earliest, latest };
}

export interface TimedPart extends Part {
  /** Its lines count as written when the file was. */
  readonly isTimeless: boolean;
}

/** Looks at both ends of the file only. */
export async function isTimeless(part: Part): Promise<boolean> {
  if (hasTime(await linesIn(part, 0, SAMPLE), part)) return false;
  if (part.size === null || part.size <= SAMPLE) return true;
  return !hasTime(await linesIn(part, Math.max(0, part.size - LAST_SAMPLE), part.size), part);
}

function hasTime(lines: readonly string[], { modified }: Part): boolean {
  return lines.some((line) => timeOfLine(line, { reference: modified }) !== null);
}

/** The lines between two positions; the first and last one may be parts of lines. */
export async function linesIn(part: Part, from: number, to: number): Promise<readonly string[]> {
  const cutter = new LineCutter();
  const lines: string[] = [];
  for await (const chunk of part.chunks(from, to)) {
    for (const line of cutter.add(chunk)) lines.push(line);
  }
  return [...lines, ...cutter.rest()];
}
