/** Texts that nobody would write on purpose, and what happens to a text on its way. */
import fc from 'fast-check';

/** What has surprised programs before. */
const ODD = [
  '\0',
  '\r',
  '\r\n',
  '\n',
  '\t',
  '\u0007',
  '\u001b[31m',
  '\u001b]0;title\u0007',
  '\u009b2J',
  '\u0085',
  '\u00a0',
  '\u00ad',
  '\u200b',
  '\u200e',
  '\u2028',
  '\u202e',
  '\u2066',
  '\ufeff',
  '\ufffd',
  '\uffff',
  '\ud800',
  '\udc00',
  '\u{1f600}',
  '\u{e0041}',
  'e\u0301',
  '__proto__',
  'constructor',
  'toString',
  '../',
  '/',
  '${',
  '${instance}',
  '$${',
  '%00',
  '%2f',
  '9007199254740993',
  '1e309',
  '-0',
  '0x10',
  '.inf',
  'null',
  '~',
  '{{',
  "'",
  '"',
  '`',
  '\\',
  '#',
  ' #',
  ': ',
  '- ',
  '&a ',
  '*a',
  '<<: *a',
  '!!int ',
  '!x ',
  '|',
  '>-',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '? ',
  '[',
  ']',
  '{',
  '}',
  ',',
  '@',
];

export const odd = fc.constantFrom(...ODD);

/** Any text: of any characters, of plain ones, of odd pieces. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
  fc.array(fc.oneof(odd, fc.string({ maxLength: 4 })), { maxLength: 12 }).map((pieces) => pieces.join('')),
);

/** What is done to a text at a place, as a share of its length. */
type Damage =
  | { readonly do: 'insert' | 'replace'; readonly at: number; readonly text: string }
  | { readonly do: 'cut' | 'double' | 'flip'; readonly at: number; readonly size: number }
  | { readonly do: 'end'; readonly at: number }
  | { readonly do: 'everywhere'; readonly from: string; readonly to: string };

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('insert', 'replace'), at: place, text: odd }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('insert', 'replace'),
      at: place,
      text: fc.string({ maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('cut', 'double'),
      at: place,
      size: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('flip'), at: place, size: fc.integer({ min: 1, max: 127 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end'), at: place }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Damage>(
      { do: 'everywhere', from: '\n', to: '\r\n' },
      { do: 'everywhere', from: '\n', to: '\r' },
      { do: 'everywhere', from: '  ', to: '\t' },
      { do: 'everywhere', from: '  ', to: ' ' },
      { do: 'everywhere', from: ': ', to: ':' },
      { do: 'everywhere', from: '"', to: "'" },
      { do: 'everywhere', from: '\n', to: '' },
    ),
  },
);

/** The text, usually damaged in some places. */
export function damaged(text: fc.Arbitrary<string>, most = 4): fc.Arbitrary<string> {
  return fc
    .tuple(text, fc.array(damage, { maxLength: most }))
    .map(([whole, all]) => all.reduce(after, whole));
}

function after(text: string, one: Damage): string {
  if (one.do === 'everywhere') return text.replaceAll(one.from, one.to);
  const at = Math.floor(one.at * (text.length + 1));
  const [head, tail] = [text.slice(0, at), text.slice(at)];
  switch (one.do) {
    case 'insert':
      return head + one.text + tail;
    case 'replace':
      return head + one.text + tail.slice(one.text.length);
    case 'cut':
      return head + tail.slice(one.size);
    case 'double':
      return head + tail.slice(0, one.size) + tail;
    case 'flip':
      return tail === '' ? text : head + String.fromCharCode(tail.charCodeAt(0) ^ one.size) + tail.slice(1);
    default:
      return head;
  }
}
