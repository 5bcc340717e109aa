/** Does a dotenv file set what its grammar says, no more and no less, and is everything else refused with its line? */
import fc from 'fast-check';
import { expect } from 'vitest';
import { parseDotenv } from '../../src/config/dotenv.ts';
import { anyText, damaged, odd } from './noise.ts';
import { fuzz } from './share.ts';

/** The grammar, character by character. undefined: it is broken. */
function naive(text: string): Map<string, string> | undefined {
  const found = new Map<string, string>();
  const all = [...text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')];
  let at = all[0] === '\ufeff' ? 1 : 0;
  const isBlank = () => all[at] === ' ' || all[at] === '\t';
  const isEnd = () => at >= all.length || all[at] === '\n';
  const blanks = () => {
    while (isBlank()) at += 1;
  };
  const rest = () => {
    let said = '';
    for (; !isEnd(); at += 1) said += all[at];
    return said;
  };
  for (; at < all.length; at += 1) {
    blanks();
    if (isEnd()) continue;
    if (all[at] === '#') {
      rest();
      continue;
    }
    const word = () => {
      let said = '';
      for (; /[A-Za-z0-9_]/.test(all[at] ?? ''); at += 1) said += all[at];
      return said;
    };
    let name = word();
    const hasBlank = isBlank();
    blanks();
    if (name === 'export' && hasBlank && /[A-Za-z_]/.test(all[at] ?? '')) {
      name = word();
      blanks();
    }
    if (name === '' || /[0-9]/.test(name[0]!) || all[at] !== '=') return undefined;
    at += 1;
    blanks();
    const quote = all[at] ?? '';
    if (!['"', "'", '`'].includes(quote)) {
      let value = '';
      for (; !isEnd() && all[at] !== '#'; at += 1) value += all[at];
      rest();
      while (/[ \t]$/.test(value)) value = value.slice(0, -1);
      found.set(name, value);
      continue;
    }
    let value = '';
    for (at += 1; at < all.length && all[at] !== quote; at += 1) value += all[at];
    if (at >= all.length) return undefined;
    at += 1;
    blanks();
    if (!isEnd() && all[at] !== '#') return undefined;
    rest();
    found.set(name, quote === '"' ? value.split('\\n').join('\n') : value);
  }
  return found;
}

const name = fc.oneof(
  fc.constantFrom('A', '_', 'PATH', 'export', '__proto__', 'constructor'),
  fc.stringMatching(/^[A-Za-z_]\w{0,8}$/),
);
const value = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc
    .array(fc.oneof(odd, fc.constantFrom('\\n', '\\', ' ', '"', "'", '`', '\n', '#', 'x')), { maxLength: 6 })
    .map((all) => all.join('')),
);
const line = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(name, value).map(([left, right]) => `${left}=${right}`) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        fc.constantFrom('', 'export ', ' '),
        name,
        fc.constantFrom('=', ' = ', '\t='),
        fc.constantFrom('"', "'", '`'),
        value,
        fc.constantFrom('', ' # x', ' '),
      )
      .map(([head, left, sign, quote, inner, tail]) => head + left + sign + quote + inner + quote + tail),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', ' ', '\t', '# A=1', 'export', 'A', '=', '=x', 'A: 1', '"A"=1'),
  },
);
const file = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n'));

fuzz('env file: any text', fc.oneof(file, damaged(file), anyText), (text) => {
  const parsed = parseDotenv(text);
  const expected = naive(text);
  if ('says' in parsed) {
    expect(expected).toBeUndefined();
    expect(parsed.line).toBeGreaterThanOrEqual(1);
    expect(parsed.line).toBeLessThanOrEqual(text.split(/\r\n?|\n/).length);
    expect(parsed.says).toMatch(/^[A-Za-z_].{10,160}$/);
  } else {
    expect([...parsed.values]).toEqual([...(expected ?? ['it is broken'])]);
  }
});

/** How a person writes this value; undefined where no quotes do. */
function written(text: string): string | undefined {
  const isPlain = !/[#\r\n]|^[ \t"'`]|[ \t]$/.test(text) && text !== '';
  if (isPlain) return text;
  const quote = ["'", '`', '"'].find((one) => !text.includes(one) && !(one === '"' && text.includes('\\n')));
  return quote === undefined ? undefined : quote + text + quote;
}

const values = fc.array(
  fc.tuple(
    name,
    value.map((text) => text.replaceAll('\r', '')),
  ),
  { maxLength: 8 },
);

fuzz('env file: written and read', values, (all) => {
  const kept = all.filter(([, text]) => written(text) !== undefined);
  const text = kept.map(([left, right]) => `${left}=${written(right)}\n`).join('');
  const parsed = parseDotenv(text);
  expect('values' in parsed ? [...parsed.values] : parsed).toEqual([...new Map(kept)]);
});
