/** When does a minute, hour, day, week or month end on the clock of the host, and what is it called? */
import { pieces, type ZoneRules } from './time-zone.ts';

export type Frequency = 'minutely' | 'hourly' | 'daily' | 'weekly' | 'monthly';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** 1970-01-05, the first Monday (ISO 8601: weeks begin on Monday). */
const MONDAY = 4 * DAY;

/**
 * The first instant after `since` that belongs to another period. When the clock is set back an hour, the hours and
 * minutes that are shown again are periods of their own; the day goes on.
 * @param since milliseconds since 1970
 */
export function periodEnd(frequency: Frequency, since: number, zone: ZoneRules): number {
  let first: string | undefined;
  for (const piece of pieces(zone, since)) {
    const from = Math.max(since, piece.start);
    const key = keyOf(frequency, from, piece.offset);
    first ??= key;
    if (key !== first) return from;
    const next = startAfter(frequency, from + piece.offset) - piece.offset;
    if (next < piece.end) return next;
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * The name of the period in which `instant` lies; names of one frequency sort as the periods follow each other:
 * `2026-11` (monthly), `2026-11-21` (daily; weekly: the Monday), `2026-11-21T14` (hourly), `2026-11-21T14-05`.
 */
export function periodLabel(frequency: Frequency, instant: number, zone: ZoneRules): string {
  return labelOf(frequency, instant + offsetAt(instant, zone));
}

function offsetAt(instant: number, zone: ZoneRules): number {
  for (const piece of pieces(zone, instant)) return piece.offset;
  return 0;
}

function keyOf(frequency: Frequency, instant: number, offset: number): string {
  const label = labelOf(frequency, instant + offset);
  return frequency === 'hourly' || frequency === 'minutely' ? `${label} ${offset}` : label;
}

function labelOf(frequency: Frequency, wall: number): string {
  const text = new Date(startOf(frequency, wall)).toISOString();
  switch (frequency) {
    case 'monthly':
      return text.slice(0, 'YYYY-MM'.length);
    case 'weekly':
    case 'daily':
      return text.slice(0, 'YYYY-MM-DD'.length);
    case 'hourly':
      return text.slice(0, 'YYYY-MM-DDTHH'.length);
    case 'minutely':
      return text.slice(0, 'YYYY-MM-DDTHH:MM'.length).replace(':', '-');
  }
}

function startOf(frequency: Frequency, wall: number): number {
  if (frequency === 'monthly') {
    const date = new Date(wall);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
  const length = lengthOf(frequency);
  const zero = frequency === 'weekly' ? MONDAY : 0;
  return Math.floor((wall - zero) / length) * length + zero;
}

function startAfter(frequency: Frequency, wall: number): number {
  if (frequency !== 'monthly') return startOf(frequency, wall) + lengthOf(frequency);
  const date = new Date(wall);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

function lengthOf(frequency: Exclude<Frequency, 'monthly'>): number {
  return { minutely: MINUTE, hourly: HOUR, daily: DAY, weekly: 7 * DAY }[frequency];
}
