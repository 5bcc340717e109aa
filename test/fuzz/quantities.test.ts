/** Do durations, sizes, shares, modes, counts and instants mean what the reference says, however they are written? */
import fc from 'fast-check';
import { expect } from 'vitest';
import {
  parseCount,
  parseCpu,
  parseDuration,
  parseInstant,
  parseLimit,
  parseMode,
  parseSize,
  parseUmask,
  printCpu,
  printDuration,
  printInstant,
  printMode,
  printSize,
  type Refused,
} from '../../src/model/units.ts';
import {
  countOf,
  cpuOf,
  durationOf,
  instantOf,
  limitOf,
  type Meaning,
  maskOf,
  modeOf,
  nearly,
  sizeOf,
} from './grammar.ts';
import { anyText, damaged } from './noise.ts';
import { fuzz } from './share.ts';

/** What is refused is told in one sentence that fits a line. */
function read(value: number | null | Refused): Meaning {
  if (typeof value !== 'object' || value === null) return value;
  expect(value.refused.length).toBeLessThan(200);
  expect(value.refused).toMatch(/^\S.*\S$/s);
  return undefined;
}

const duration = nearly(
  ['d', 'h', 'm', 's', 'ms', 'M', 'us', 'w', 'min'],
  ['never', 'max', '1h30m', '1h 30m'],
);
const size = nearly(
  ['K', 'M', 'G', 'T', 'KB', 'MB', 'GB', 'TB', 'KiB', 'MiB', 'GiB', 'TiB', 'B', 'k', 'P', 'Ki', '%', 'm'],
  ['max', 'unlimited', 'MAX', 'infinity'],
);
const octal = fc.oneof(
  fc.stringMatching(/^(0o?)?[0-7]{0,5}$/),
  nearly(['o', '8', ''], ['rw-rw----', 'u=rw', '0O660', '0b11', 'max']),
);
const two = (most: number) => fc.nat(most).map((value) => String(value).padStart(2, '0'));
const instant = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('1970', '2000', '2024', '2100', '9999', '0000', '1899'),
      fc.stringMatching(/^\d{4}$/),
    ),
    two(13),
    two(32),
    two(24),
    two(60),
    fc.oneof(
      fc.constant(''),
      two(61).map((text) => `:${text}`),
      fc.stringMatching(/^:\d\d\.\d{1,4}$/),
    ),
    fc.oneof(
      fc.constantFrom('', 'Z', 'z', '+00:00', '-00:00', '+0100', '+25:00'),
      fc.stringMatching(/^[+-]\d\d:\d\d$/),
    ),
  )
  .map(([year, month, day, hour, minute, second, offset]) => {
    return `${year}-${month}-${day}T${hour}:${minute}${second}${offset}`;
  });

fuzz('durations', fc.oneof({ weight: 6, arbitrary: duration }, anyText), (text) => {
  const value = read(parseDuration(text));
  expect(value).toBe(durationOf(text));
  if (typeof value === 'number') expect(parseDuration(printDuration(value))).toBe(value);
});

fuzz('sizes, shares and limits', fc.oneof({ weight: 6, arbitrary: size }, anyText), (text) => {
  const bytes = read(parseSize(text));
  expect(bytes).toBe(sizeOf(text));
  if (bytes !== undefined) expect(parseSize(printSize(bytes))).toBe(bytes);
  const share = read(parseCpu(text));
  expect(share).toBe(cpuOf(text));
  if (share !== undefined) expect(parseCpu(printCpu(share))).toBe(share);
  expect(read(parseLimit(text))).toBe(limitOf(text));
});

fuzz(
  'modes, counts and instants',
  fc.oneof(octal, octal, instant, damaged(instant, 2), nearly([], ['max', 'auto']), anyText),
  (text) => {
    expect(read(parseUmask(text))).toBe(maskOf(text));
    const mode = read(parseMode(text));
    expect(mode).toBe(modeOf(text));
    if (typeof mode === 'number') expect(parseMode(printMode(mode))).toBe(mode);
    expect(read(parseCount(text, 4_194_304))).toBe(countOf(text, 4_194_304));
    const at = read(parseInstant(text));
    expect(at).toBe(instantOf(text));
    if (typeof at === 'number') expect(parseInstant(printInstant(at))).toBe(at);
  },
);
