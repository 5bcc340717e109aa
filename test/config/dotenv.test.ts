import { expect, test } from 'vitest';
import { parseDotenv } from '../../src/config/dotenv.ts';

/** What is set; or the line and the sentence of what is wrong. */
function read(text: string): Record<string, string> | string {
  const parsed = parseDotenv(text);
  return 'says' in parsed ? `${parsed.line}: ${parsed.says}` : Object.fromEntries(parsed.values);
}

test.each<[string, string, Record<string, string>]>([
  ['plain values', 'A=1\nB = two words \n', { A: '1', B: 'two words' }],
  ['nothing at all', 'A=\nB= \nC=""\nD=x', { A: '', B: '', C: '', D: 'x' }],
  ['comments', '# A=0\n  # x\nA=1 # one\nB=p#q\nC=#\n', { A: '1', B: 'p', C: '' }],
  ['lines of blanks between others', 'A=1\n  \n\n\t\nB=2\n', { A: '1', B: '2' }],
  ['as a shell writes them', 'export A=1\nexport\t B="x y"\n', { A: '1', B: 'x y' }],
  ['quotes', 'A=" x # y " # c\nB=\'it\'\nC=`"\'`', { A: ' x # y ', B: 'it', C: `"'` }],
  ['several lines', 'A="x \n y"\nB=\'1\n\n2\'\n', { A: 'x \n y', B: '1\n\n2' }],
  ['line breaks in one', 'A="a\\nb"\nB=\'a\\nb\'\nC=a\\nb', { A: 'a\nb', B: 'a\\nb', C: 'a\\nb' }],
  ['the last of two', 'A=1\nA=2', { A: '2' }],
  ['files of other systems', '\ufeffA=1\r\nB="x"\r\nC=3\rD=4', { A: '1', B: 'x', C: '3', D: '4' }],
  ['names that objects have', 'constructor=1\ntoString=2', { constructor: '1', toString: '2' } as never],
  ['an empty file', '', {}],
  ['no substitution', 'A=$B\nB=${C}', { A: '$B', B: '${C}' }],
])('%s', (_title, text, values) => {
  expect(read(text)).toEqual(values);
});

test('a name that no object may have is a variable like any other', () => {
  const parsed = parseDotenv('__proto__=1\nA=2');
  expect('values' in parsed && [...parsed.values]).toEqual([
    ['__proto__', '1'],
    ['A', '2'],
  ]);
});

test.each([
  ['no name: what follows would be lost', 'A=1\n=x\nB=2', /^2: what stands before the = is no name/],
  ['a line that sets nothing', 'A=1\n\nhunter2\nB=2', /^3: this line is not NAME=value$/],
  ['a name without a value', 'export A', /^1: this line is not NAME=value$/],
  ['a colon', 'A: 1', /^1: this line is not NAME=value$/],
  ['two names', 'A B=1', /^1: what stands before the = is no name/],
  ['a digit first', 'A=1\n1A=2', /^2: what stands before/],
  ['a quote that is not closed', 'A=1\nB="x\nC=3', /^2: B: the " at its beginning is never closed$/],
  ['more behind a quote', 'A="x"y', /^1: A: something follows the " that ends the value/],
  ['an escape that is none', 'A="1\n\\"x\\""', /^2: A: something follows the "/],
])('refused: %s', (_title, text, says) => {
  expect(read(text)).toMatch(says);
  expect(read(text)).not.toContain('hunter2');
});

test('a file of the greatest size is read at once', () => {
  const began = process.cpuUsage();
  const parsed = parseDotenv('A="x"\nB=\'\ny\'\n'.repeat(80_000));
  const { user } = process.cpuUsage(began);
  expect('values' in parsed && parsed.values.size).toBe(2);
  expect(user / 1000).toBeLessThan(3000);
});
