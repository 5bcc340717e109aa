/** What does a line of crontab(5) mean, read by hand? And when is its next time, day by day? */
import type { Line } from '../policy/wall-walker.ts';

/** The allowed values of the six fields. */
export type Fields = readonly (readonly number[])[];

const BOUNDS = [
  { least: 0, most: 59, names: '' },
  { least: 0, most: 59, names: '' },
  { least: 0, most: 23, names: '' },
  { least: 1, most: 31, names: '' },
  { least: 1, most: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec' },
  { least: 0, most: 6, names: 'sun mon tue wed thu fri sat' },
] as const;

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const DAY = 86_400_000;

/** undefined: no line of ours. `hasStar`: a day must fit both by month and by week. */
export interface Crontab {
  readonly fields: Fields;
  readonly hasStar: boolean;
}

export function crontab(text: string): Crontab | undefined {
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.join(' ').length > 1000) return undefined;
  const [first = ''] = words;
  if (first.startsWith('@')) {
    const line = words.length === 1 ? NICKNAMES[first.toLowerCase()] : undefined;
    return line === undefined || !Object.hasOwn(NICKNAMES, first.toLowerCase()) ? undefined : crontab(line);
  }
  const six = words.length === 5 ? ['0', ...words] : words;
  if (six.length !== 6) return undefined;
  const fields: number[][] = [];
  for (const [nth, word] of six.entries()) {
    const values = fieldOf(word, nth);
    if (values === undefined) return undefined;
    fields.push(values);
  }
  return { fields, hasStar: six[3]!.includes('*') || six[5]!.includes('*') };
}

function fieldOf(text: string, nth: number): number[] | undefined {
  const { least, most } = BOUNDS[nth]!;
  const found: boolean[] = [];
  for (const item of text.split(',')) {
    const [range = '', step, more] = item.split('/');
    if (more !== undefined || (step !== undefined && !/^[0-9]+$/.test(step))) return undefined;
    const all: number[] = [];
    if (range === '*') {
      for (let value = least; value <= most; value += 1) all.push(value);
    } else {
      const ends = range.split('-').map((end) => numberOf(end, nth));
      if (ends.length > 2 || ends.includes(undefined)) return undefined;
      // A step wants something to step over.
      if (ends.length === 1 && step !== undefined) return undefined;
      const from = ends[0]! > most ? least : ends[0]!;
      const to = ends.length === 1 || ends[1] === ends[0] ? from : ends[1]!;
      all.push(from);
      // 7 is the Sunday after a Saturday.
      for (let value = from; value !== to; ) {
        value = value >= most && to !== value + 1 ? least : value + 1;
        all.push(value > most ? least : value);
      }
    }
    const each = step === undefined ? 1 : Number(step);
    if (each < 1 || each > all.length) return undefined;
    for (let at = 0; at < all.length; at += each) found[all[at]!] = true;
  }
  return [...found.keys()].filter((value) => found[value]);
}

function numberOf(text: string, nth: number): number | undefined {
  const { least, most, names } = BOUNDS[nth]!;
  const named = names.split(' ').indexOf(text.toLowerCase());
  if (names !== '' && text !== '' && named >= 0) return named + least;
  if (!/^[0-9]+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= least && value <= (nth === 5 ? 7 : most) ? value : undefined;
}

export function isDay({ fields, hasStar }: Crontab, day: Date): boolean {
  const [, , , days, months, weekdays] = fields;
  if (!months!.includes(day.getUTCMonth() + 1)) return false;
  const [byMonth, byWeek] = [days!.includes(day.getUTCDate()), weekdays!.includes(day.getUTCDay())];
  return hasStar ? byMonth && byWeek : byMonth || byWeek;
}

/** Whether any day of four hundred years, after which the calendar comes again, is one of them. */
export function everFires(line: Crontab): boolean {
  for (let nth = 0; nth < 400 * 366; nth += 1) if (isDay(line, new Date(nth * DAY))) return true;
  return false;
}

/** The first time after `after` in UTC, looking so many days ahead. */
export function nextInUtc(line: Crontab, after: number, days: number): number | undefined {
  const [seconds, minutes, hours] = line.fields;
  const first = Math.floor(after / DAY) * DAY;
  for (let nth = 0; nth <= days; nth += 1) {
    const midnight = first + nth * DAY;
    if (!isDay(line, new Date(midnight))) continue;
    for (const hour of hours!) {
      for (const minute of minutes!) {
        for (const second of seconds!) {
          const at = midnight + ((hour * 60 + minute) * 60 + second) * 1000;
          if (at > after) return at;
        }
      }
    }
  }
  return undefined;
}

/** For the one who walks along the wall clock. */
export function lineOf(text: string, line: Crontab): Line {
  const [seconds, minutes, hours] = line.fields.map((values) => new Set(values));
  return {
    text,
    steady: hours!.size === 24,
    matches: (wall) => {
      const at = new Date(wall);
      return (
        minutes!.has(at.getUTCMinutes()) &&
        hours!.has(at.getUTCHours()) &&
        seconds!.has(at.getUTCSeconds()) &&
        isDay(line, at)
      );
    },
  };
}
