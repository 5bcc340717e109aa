/** How are durations, sizes, CPU shares, modes and limits written, and what number does each stand for? */

/** Why a text is no value of its unit: a sentence that goes on after the name of the key. */
export interface Refused {
  readonly refused: string;
}

/** What YAML makes of a plain scalar. */
export type Scalar = string | number | boolean;

const DURATION = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Powers of 1024 for K and KiB, powers of 1000 for KB. */
const SIZE: Readonly<Record<string, number>> = {
  T: 1024 ** 4,
  G: 1024 ** 3,
  M: 1024 ** 2,
  K: 1024,
  TiB: 1024 ** 4,
  GiB: 1024 ** 3,
  MiB: 1024 ** 2,
  KiB: 1024,
  TB: 1000 ** 4,
  GB: 1000 ** 3,
  MB: 1000 ** 2,
  KB: 1000,
};

/** The least quota of cpu.max is 1 ms in a period of 100 ms (Documentation/admin-guide/cgroup-v2.rst, "CPU"). */
const LEAST_CPU = 10;

/** `500ms`, `30s`, `5m`, `1h30m`, `1.5h`, `2d` to milliseconds. A bare number is refused with the unit to add. */
export function parseDuration(value: Scalar): number | Refused {
  const text = String(value).trim();
  // A longer one is told to be no duration: it would be shown three times in the sentence.
  if (/^\d{1,15}(\.\d{1,15})?$/.test(text)) {
    const whole = text.includes('.') ? '' : ` or ${text}ms`;
    return { refused: `${shown(value)} has no unit: write ${text}s${whole}` };
  }
  const grammar = `${shown(value)} is no duration: write it like 500ms, 30s, 5m, 1h30m or 2d`;
  if (text.length > 64 || !/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return { refused: grammar };
  let sum = 0;
  let previous = Number.POSITIVE_INFINITY;
  for (const [, number = '', unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    const factor = DURATION[unit as keyof typeof DURATION];
    if (factor >= previous) return { refused: `${grammar}, each unit once and the largest first` };
    previous = factor;
    const part = scaled(number, factor);
    if (part === undefined) return { refused: `${shown(value)} is no whole number of milliseconds` };
    sum += part;
  }
  return Number.isSafeInteger(sum) ? sum : { refused: `${shown(value)} is too long` };
}

/** Milliseconds as {@link parseDuration} reads them: `1h30m`, `1s500ms`, `0s`. */
export function printDuration(milliseconds: number): string {
  let rest = milliseconds;
  let text = '';
  for (const [unit, factor] of Object.entries(DURATION)) {
    const count = Math.floor(rest / factor);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * factor;
  }
  return text === '' ? '0s' : text;
}

/** How long something took, for people: to the second where it took one or more. */
export function printElapsed(milliseconds: number): string {
  return printDuration(milliseconds < 1000 ? milliseconds : Math.round(milliseconds / 1000) * 1000);
}

/** `200M`, `1.5GiB`, `10KB`, `4096` to bytes; null for `max`. */
export function parseSize(value: Scalar): number | null | Refused {
  const text = String(value).trim();
  if (text === 'max') return null;
  const match = /^(\d+(?:\.\d+)?)([KMGT](?:i?B)?)?$/.exec(text);
  if (match === null || text.length > 64) {
    return { refused: `${shown(value)} is no size: write it like 4096, 64K, 200M, 1.5G (or MiB, MB) or max` };
  }
  const [, number = '', unit] = match;
  const bytes = scaled(number, unit === undefined ? 1 : (SIZE[unit] ?? 1));
  if (bytes === undefined) return { refused: `${shown(value)} is no whole number of bytes` };
  return Number.isSafeInteger(bytes) ? bytes : { refused: `${shown(value)} is too large` };
}

/** Bytes as {@link parseSize} reads them, exactly: `200M`, `1500`; `max` for null. */
export function printSize(bytes: number | null): string {
  if (bytes === null) return 'max';
  for (const unit of ['T', 'G', 'M', 'K']) {
    const factor = SIZE[unit] ?? 1;
    if (bytes > 0 && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

/** `1.5` cores, `500m`, `50%` to thousandths of a core; null for `max`. */
export function parseCpu(value: Scalar): number | null | Refused {
  const text = String(value).trim();
  if (text === 'max') return null;
  const match = /^(\d+(?:\.\d+)?)(m|%)?$/.exec(text);
  if (match === null || text.length > 64) {
    return { refused: `${shown(value)} is no amount of CPU: write it like 1.5, 500m, 50% or max` };
  }
  const [, number = '', unit] = match;
  const thousandths = scaled(number, unit === 'm' ? 1 : unit === '%' ? 10 : 1000);
  if (thousandths === undefined) return { refused: `${shown(value)} is finer than a thousandth of a core` };
  if (thousandths < LEAST_CPU) return { refused: `${shown(value)} is too little CPU: the least is 10m` };
  return Number.isSafeInteger(thousandths) ? thousandths : { refused: `${shown(value)} is too much CPU` };
}

/** Thousandths of a core as {@link parseCpu} reads them: `1.5`; `max` for null. */
export function printCpu(thousandths: number | null): string {
  if (thousandths === null) return 'max';
  // Not divided: what is larger than any machine would come out rounded.
  const fraction = String(thousandths % 1000)
    .padStart(3, '0')
    .replace(/0+$/, '');
  return `${Math.floor(thousandths / 1000)}${fraction === '' ? '' : `.${fraction}`}`;
}

/**
 * Permissions from their octal digits: `660`, `0660` and `0o660` all mean rw-rw----. The digits as they are written
 * count, so that `660` is never taken for a decimal number. Nothing for others, and no bits beyond rwx.
 */
export function parseMode(value: Scalar): number | Refused {
  const mode = octal(value, 'a mode: write octal digits like 0660');
  if (typeof mode !== 'number') return mode;
  if ((mode & 0o007) !== 0) {
    return {
      refused: `${shown(value)} means ${letters(mode)} and lets every user of the host in: end it with 0`,
    };
  }
  return mode;
}

/** A file mode creation mask from its octal digits, `022` or `0o22`. */
export function parseUmask(value: Scalar): number | Refused {
  return octal(value, 'a umask: write octal digits like 022');
}

/** `0660`. */
export function printMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** A whole number from 1 to `most`; null for `max`. */
export function parseCount(value: Scalar, most: number): number | null | Refused {
  const text = String(value).trim();
  if (text === 'max') return null;
  const count = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= most) return count;
  return { refused: `${shown(value)} is no whole number from 1 to ${most}, nor max` };
}

/** A limit of prlimit(1): a whole number, a size, or null for `unlimited`. */
export function parseLimit(value: Scalar): number | null | Refused {
  const text = String(value).trim();
  if (text === 'unlimited') return null;
  const limit = text === 'max' ? { refused: '' } : parseSize(value);
  if (typeof limit === 'number') return limit;
  return { refused: `${shown(value)} is no limit: write a whole number, a size like 64M, or unlimited` };
}

/** ISO 8601 with date, time and offset from UTC, to milliseconds since 1970. A local time means none of them. */
export function parseInstant(value: Scalar): number | Refused {
  const text = String(value).trim();
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?$/.exec(text);
  const instant = match === null ? Number.NaN : Date.parse(match[3] === undefined ? `${text}Z` : text);
  if (Number.isNaN(instant) || !isDay(match?.[1] ?? '')) {
    return { refused: `${shown(value)} is no instant: write it like 2030-01-01T00:00:00Z` };
  }
  if (match?.[3] === undefined) {
    return { refused: `${shown(value)} has no offset from UTC: write ${text}Z, or one like ${text}+01:00` };
  }
  return instant;
}

/** Milliseconds since 1970 as {@link parseInstant} reads them. */
export function printInstant(instant: number): string {
  return new Date(instant).toISOString();
}

/** Date.parse takes the 31st of February for a day in March. */
function isDay(text: string): boolean {
  const midnight = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(midnight) && printInstant(midnight).startsWith(text);
}

function octal(value: Scalar, what: string): number | Refused {
  const text = String(value).trim();
  const digits = /^0o([0-7]{1,4})$/.exec(text)?.[1] ?? /^[0-7]{1,4}$/.exec(text)?.[0];
  const number = digits === undefined ? Number.NaN : Number.parseInt(digits, 8);
  return number <= 0o777 ? number : { refused: `${shown(value)} is not ${what}` };
}

/** `rw-rw----`, as ls(1) writes it. */
function letters(mode: number): string {
  return [...'rwxrwxrwx'].map((letter, bit) => ((mode >> (8 - bit)) & 1 ? letter : '-')).join('');
}

/** A decimal number times a factor, exactly; undefined when the product is no whole number. */
function scaled(number: string, factor: number): number | undefined {
  const product = number.includes('.') ? undefined : Number(number) * factor;
  if (product !== undefined && Number.isSafeInteger(product)) return product;
  return scaledExactly(number, factor);
}

function scaledExactly(number: string, factor: number): number | undefined {
  const [whole = '0', fraction = ''] = number.split('.');
  const scale = 10n ** BigInt(fraction.length);
  const product = BigInt(whole + fraction) * BigInt(factor);
  return product % scale === 0n ? Number(product / scale) : undefined;
}

/** The value as the person wrote it, cut to a length that fits a line. */
function shown(value: Scalar): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** A number before its noun, both as people say them: `1 instance`, `4 instances`, `2 processes`. */
export function count(number: number | string, noun: string, plural = `${noun}s`): string {
  return `${number} ${String(number) === '1' ? noun : plural}`;
}
