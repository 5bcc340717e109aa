/** When was a line of a log written, by what it says itself? */

/** Wall clock time of the host to milliseconds since 1970; the month counts from 1. */
export type WallClock = (
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  millisecond: number,
) => number;

/** The zone of this process: the variable TZ, else that of the host. */
export const hostWallClock: WallClock = (year, month, ...rest) =>
  new Date(year, month - 1, ...rest).getTime();

export interface LineContext {
  /** About when the line was written at the latest, milliseconds since 1970: tells the year where a line has none. */
  readonly reference: number;
  readonly local?: WallClock;
}

const DAY = 86_400_000;

/** 2001-09-09 to 2100: what is a time if it stands alone as a number of seconds. */
const EARLIEST = 1_000_000_000;
const LATEST = 4_102_444_800;

/** In a longer line the time is looked for in so many characters. */
const HEAD = 4096;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(${MONTHS.join('|')})`;

/** The line that the daemon itself writes at a start and stop of an instance. */
const MARKER = 'processmaster:marker time=';

/** ISO 8601 and RFC 3339, also with a blank, a comma, slashes (Go, nginx) and in brackets. */
const ISO =
  /^[[(]?(\d{4})([-/])(\d\d)\2(\d\d)[T _](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?(Z|UTC|[+-]\d\d(?::?\d\d)?))?(?![\d:])/;
/** RFC 3164, section 4.1.2, with or without the priority. */
const SYSLOG = new RegExp(`^(?:<\\d{1,3}>)?${MONTH} ([ \\d]\\d) (\\d\\d):(\\d\\d):(\\d\\d)(?![\\d:])`);
/** Common Log Format: the first bracket, after host, identity and user (Apache mod_log_config). */
const COMMON = new RegExp(
  `^[^[\\]"]{0,512}\\[(\\d\\d)/${MONTH}/(\\d{4}):(\\d\\d):(\\d\\d):(\\d\\d) ([+-]\\d{4})\\]`,
);
const EPOCH = /^\[?(\d{10})(?:(\d{3})|\.(\d{1,9}))?(?:\]|(?=[\s,:;|])|$)/;
const JSON_KEYS = ['time', 'timestamp', 'ts', '@timestamp'];
const JSON_TIME =
  /[{,]\s*"(?:time|timestamp|ts|@timestamp)"\s*:\s*(?:"([^"\\]{1,64})"|(\d{9,19}(?:\.\d{1,9})?))\s*[,}]/;

/**
 * Milliseconds since 1970; null when the line begins with no time that is known here: ISO 8601, RFC 3339, syslog, the
 * Common Log Format, seconds or milliseconds since 1970, or one of the usual keys of a line in JSON.
 */
export function timeOfLine(line: string, context: LineContext): number | null {
  const head = line.length > HEAD ? line.slice(0, HEAD) : line;
  switch (head.charCodeAt(0)) {
    case 0x7b /* { */:
      return timeInJson(line, head, context);
    case 0x70 /* p */:
      if (head.startsWith(MARKER)) return timeInText(head.slice(MARKER.length), context);
      break;
  }
  return timeInText(head, context) ?? common(head);
}

function timeInText(text: string, context: LineContext): number | null {
  return iso(text, context) ?? epoch(text) ?? syslog(text, context);
}

function iso(text: string, { local = hostWallClock }: LineContext): number | null {
  const [whole, year, , month, day, hour, minute, second = '0', fraction = '', zone] = ISO.exec(text) ?? [];
  if (whole === undefined) return null;
  const parts = [year, month, day, hour, minute, second].map(Number);
  return instant([...parts, milliseconds(fraction)], zone, local);
}

function common(text: string): number | null {
  const [whole, day, month = '', year, hour, minute, second, zone] = COMMON.exec(text) ?? [];
  if (whole === undefined) return null;
  const parts = [Number(year), MONTHS.indexOf(month) + 1, ...[day, hour, minute, second].map(Number), 0];
  return instant(parts, zone, hostWallClock);
}

/** The latest year in which the line is not from the future; a clock may be ahead by a day. */
function syslog(text: string, { reference, local = hostWallClock }: LineContext): number | null {
  const [whole, month = '', day, hour, minute, second] = SYSLOG.exec(text) ?? [];
  if (whole === undefined) return null;
  const rest = [MONTHS.indexOf(month) + 1, ...[day, hour, minute, second].map(Number), 0];
  const year = new Date(reference + DAY).getUTCFullYear();
  // The 29th of February is not in every year.
  for (let back = -1; back <= 8; back++) {
    const found = instant([year - back, ...rest], undefined, local);
    if (found !== null && found <= reference + DAY) return found;
  }
  return null;
}

function epoch(text: string): number | null {
  const [whole, seconds, thousandths, fraction] = EPOCH.exec(text) ?? [];
  if (whole === undefined || !isSeconds(Number(seconds))) return null;
  return Number(seconds) * 1000 + (thousandths === undefined ? milliseconds(fraction) : Number(thousandths));
}

function timeInJson(line: string, head: string, context: LineContext): number | null {
  if (!JSON_KEYS.some((key) => head.includes(`"${key}"`))) return null;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return null;
    for (const key of JSON_KEYS) {
      const found = timeOfValue((value as Record<string, unknown>)[key], context);
      if (found !== null) return found;
    }
    return null;
  } catch {
    // A line that was cut, or only begins like JSON.
    const [, text, number] = JSON_TIME.exec(head) ?? [];
    return timeOfValue(text ?? (number === undefined ? undefined : Number(number)), context);
  }
}

function timeOfValue(value: unknown, context: LineContext): number | null {
  if (typeof value === 'string') return timeInText(value, context);
  if (typeof value !== 'number') return null;
  // Seconds, milliseconds, microseconds or nanoseconds: they are a factor of 1000 apart, the years allowed are not.
  if (isSeconds(value)) return Math.round(value * 1000);
  for (const perMillisecond of [1, 1e3, 1e6]) {
    if (isSeconds(value / perMillisecond / 1000)) return Math.floor(value / perMillisecond);
  }
  return null;
}

function isSeconds(value: number): boolean {
  return value >= EARLIEST && value <= LATEST;
}

/** null for a date or time that no calendar and no clock shows. */
function instant(parts: readonly number[], zone: string | undefined, local: WallClock): number | null {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0] = parts;
  if (!isDay(year, month, day) || hour > 23 || minute > 59 || second > 60) return null;
  if (zone === undefined) return local(year, month, day, hour, minute, second, millisecond);
  return Date.UTC(year, month - 1, day, hour, minute, second, millisecond) - offset(zone);
}

export function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && day > 0;
}

/** Of `Z`, `+01`, `+0100` or `+01:00`, in milliseconds. */
export function offset(zone: string): number {
  const [whole, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  if (whole === undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

function milliseconds(fraction = ''): number {
  return Number(fraction.slice(0, 3).padEnd(3, '0'));
}
