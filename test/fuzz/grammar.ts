/** What do durations, sizes, shares, modes and instants mean by the words of the reference? A second, slower reading. */
import fc from 'fast-check';

/** undefined: refused. null: no limit. */
export type Meaning = number | null | undefined;

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const DIGITS = '0123456789';

/** No value is longer (and no sentence about one is longer than a line). */
const LONGEST = 64;

/** `12.5` in front of the text: as a fraction of two whole numbers, and what follows. */
function decimal(text: string): { over: bigint; under: bigint; rest: string } | undefined {
  let at = 0;
  while (at < text.length && DIGITS.includes(text[at]!)) at += 1;
  if (at === 0) return undefined;
  const whole = text.slice(0, at);
  if (text[at] !== '.') return { over: BigInt(whole), under: 1n, rest: text.slice(at) };
  let end = at + 1;
  while (end < text.length && DIGITS.includes(text[end]!)) end += 1;
  if (end === at + 1) return undefined;
  const fraction = text.slice(at + 1, end);
  return { over: BigInt(whole + fraction), under: 10n ** BigInt(fraction.length), rest: text.slice(end) };
}

function wholeOf(over: bigint, under: bigint): number | undefined {
  if (over % under !== 0n || over / under > SAFE) return undefined;
  return Number(over / under);
}

/** `1h30m`: each unit once, the largest first; milliseconds. */
export function durationOf(written: string): Meaning {
  const units: readonly (readonly [string, bigint])[] = [
    ['d', 86_400_000n],
    ['h', 3_600_000n],
    ['ms', 1n],
    ['m', 60_000n],
    ['s', 1000n],
  ];
  let rest = written.trim();
  if (rest === '' || rest.length > LONGEST) return undefined;
  let sum = 0n;
  let last: bigint | undefined;
  while (rest !== '') {
    const number = decimal(rest);
    const unit = units.find(([name]) => number?.rest.startsWith(name));
    if (number === undefined || unit === undefined) return undefined;
    const [name, factor] = unit;
    if (last !== undefined && factor >= last) return undefined;
    const part = wholeOf(number.over * factor, number.under);
    // A part may be larger than the sum is allowed to be only together with the sum.
    if (part === undefined) return undefined;
    sum += BigInt(part);
    last = factor;
    rest = number.rest.slice(name.length);
  }
  return sum > SAFE ? undefined : Number(sum);
}

/** Bytes. */
export function sizeOf(written: string): Meaning {
  const text = written.trim();
  if (text === 'max') return null;
  const number = text.length > LONGEST ? undefined : decimal(text);
  if (number === undefined) return undefined;
  const { rest } = number;
  if (rest === '') return wholeOf(number.over, number.under);
  const power = 'KMGT'.indexOf(rest[0]!) + 1;
  const tail = rest.slice(1);
  if (power === 0 || !['', 'iB', 'B'].includes(tail)) return undefined;
  return wholeOf(number.over * (tail === 'B' ? 1000n : 1024n) ** BigInt(power), number.under);
}

const SHARES = new Map([
  ['', 1000n],
  ['m', 1n],
  ['%', 10n],
]);

/** Thousandths of a core, at least 10. */
export function cpuOf(written: string): Meaning {
  const text = written.trim();
  if (text === 'max') return null;
  const number = text.length > LONGEST ? undefined : decimal(text);
  if (number === undefined) return undefined;
  const factor = SHARES.get(number.rest);
  const value = factor === undefined ? undefined : wholeOf(number.over * factor, number.under);
  return value === undefined || value < 10 ? undefined : value;
}

/** A resource limit: `unlimited` instead of `max`. */
export function limitOf(written: string): Meaning {
  const text = written.trim();
  if (text === 'unlimited') return null;
  return text === 'max' ? undefined : sizeOf(text);
}

/** Permission bits. */
export function maskOf(written: string): Meaning {
  const text = written.trim();
  const digits = text.startsWith('0o') ? text.slice(2) : text;
  if (digits.length < 1 || digits.length > 4) return undefined;
  let bits = 0;
  for (const digit of digits) {
    if (!'01234567'.includes(digit)) return undefined;
    bits = bits * 8 + Number(digit);
  }
  return bits > 0o777 ? undefined : bits;
}

/** A mask that leaves nothing to others. */
export function modeOf(written: string): Meaning {
  const mask = maskOf(written);
  return mask == null || mask % 8 !== 0 ? undefined : mask;
}

export function countOf(written: string, most: number): Meaning {
  const text = written.trim();
  if (text === 'max') return null;
  if (text === '' || text.length > 16 || [...text].some((one) => !DIGITS.includes(one))) return undefined;
  return Number(text) >= 1 && Number(text) <= most ? Number(text) : undefined;
}

/** Milliseconds since 1970, counted day by day from the lengths of the months. */
export function instantOf(written: string): Meaning {
  const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|([+-])(\d\d):(\d\d))$/;
  const found = pattern.exec(written.trim());
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = found
    .slice(1, 7)
    .map((text) => Number(text ?? 0)) as number[];
  const isLeap = (of: number) => (of % 4 === 0 && of % 100 !== 0) || of % 400 === 0;
  const lengths = [31, isLeap(year!) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  if (month! < 1 || month! > 12 || day! < 1 || day! > lengths[month! - 1]!) return undefined;
  let days = 0;
  for (let each = 1970; each < year!; each += 1) days += isLeap(each) ? 366 : 365;
  for (let each = year!; each < 1970; each += 1) days -= isLeap(each) ? 366 : 365;
  for (const length of lengths.slice(0, month! - 1)) days += length;
  days += day! - 1;
  const milliseconds = Number((found[7] ?? '').padEnd(3, '0'));
  const [ahead, behind] = [Number(found[10] ?? 0), Number(found[11] ?? 0)];
  if (ahead > 23 || behind > 59) return undefined;
  // 24:00 is the end of a day (ISO 8601), and of nothing after it.
  const isEnd = hour === 24 && minute === 0 && second === 0 && milliseconds === 0;
  if ((hour! > 23 && !isEnd) || minute! > 59 || second! > 59) return undefined;
  const offset = (ahead * 60 + behind) * (found[9] === '-' ? -1 : 1);
  return (((days * 24 + hour!) * 60 + minute! - offset) * 60 + second!) * 1000 + milliseconds;
}

const number = fc.oneof(
  { weight: 4, arbitrary: fc.nat(2000).map(String) },
  { weight: 1, arbitrary: fc.maxSafeNat().map(String) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(100), fc.nat(999)).map(([a, b]) => `${a}.${b}`) },
  { weight: 1, arbitrary: fc.stringMatching(/^[0-9.]{0,20}$/) },
  { weight: 1, arbitrary: fc.constantFrom('', '-1', '+1', '1e3', '0x10', '00', '.5', '1.', '1_000', '１') },
);

const blank = fc.constantFrom('', '', '', '', '', '', ' ', '\t', '\n', '\u00a0', '\u2003');

/** Nearly right, with these units and words. */
export function nearly(units: readonly string[], words: readonly string[]): fc.Arbitrary<string> {
  const unit = fc.constantFrom(...units, '');
  const part = fc.tuple(number, blank, unit).map((pieces) => pieces.join(''));
  const parts = fc.array(part, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''));
  const whole = fc.oneof(
    { weight: 3, arbitrary: part },
    { weight: 3, arbitrary: parts },
    { weight: 1, arbitrary: fc.constantFrom(...words) },
  );
  return fc.tuple(blank, whole, blank).map((pieces) => pieces.join(''));
}
