import { describe, expect, test } from 'vitest';
import { bounded, parseYaml } from '../../src/config/parse.ts';
import { sentence } from '../../src/model/problem.ts';
import { problemsOf, specOf, web } from './ground.ts';

function problems(text: string): readonly string[] {
  const parsed = parseYaml(text, 'web.yaml');
  return 'problems' in parsed ? parsed.problems.map(sentence) : [];
}

function tree(text: string): unknown {
  const parsed = parseYaml(text, 'web.yaml');
  if ('problems' in parsed) throw new Error(parsed.problems.map(sentence).join('\n'));
  return parsed.tree;
}

describe('what is refused', () => {
  test('a duplicate key, at its place', () => {
    expect(problems('a:\n  b: 1\n  c: 2\n  b: 3\n')).toEqual([
      'web.yaml:4:3  duplicate key "b"; each key once',
    ]);
  });

  test('a second document', () => {
    expect(problems('a: 1\n---\nb: 2\n')).toEqual([
      expect.stringMatching(/^web\.yaml:[23]:\d+ {2}a second document: one file holds one document$/),
    ]);
  });

  test.each(['a: !!binary aGk=', 'a: !secret x', 'a: !!timestamp 2001-01-01', 'a: !<tag:x> y'])(
    'a tag: %s',
    (text) => {
      expect(problems(text)).toEqual([expect.stringMatching(/^web\.yaml:1:\d+ .*tag/)]);
    },
  );

  test.each(['1: x', 'true: x', '~: x', '[a]: x', '{a: 1}: x', '? - a\n: x', '1.5: x', ': x'])(
    'a key that is no text: %s',
    (text) => {
      expect(problems(text)[0]).toMatch(/^web\.yaml:1:\d+ {2}a key must be a text: put it in quotes$/);
    },
  );

  test('another version of YAML', () => {
    expect(problems('%YAML 1.1\n---\na: 0660\n')).toEqual([
      'web.yaml:1:1  YAML 1.1: files are read as YAML 1.2',
    ]);
  });

  test('tabs that indent', () => {
    expect(problems('a:\n\tb: 1\n')[0]).toMatch(/^web\.yaml:2:1 .*[Tt]abs?/);
  });

  test('a NUL character behind an escape, which no argument or path could hold', () => {
    expect(problems('a:\n  - "x\\0y"\n')).toEqual([
      'web.yaml:2:5  a[0]: a NUL character, which no value may hold',
    ]);
  });

  test('an alias without an anchor, and one that leads to itself', () => {
    expect(problems('a: *nowhere\n')[0]).toMatch(/^web\.yaml:1:4 .*nowhere/);
    expect(problems('a: &a\n  b: *a\n')[0]).toMatch(/^web\.yaml:2:6 .*no anchor &a/);
  });

  test('binary data, with the place of the first odd byte', () => {
    expect(problems('ok: 1\n\x7fELF\x00\x01')).toEqual([
      'web.yaml:2:1  U+007F is no character of a YAML text; is it a binary file?',
    ]);
    expect(problems('a: \ufffd')).toEqual(['web.yaml:1:4  this is no UTF-8 text; is it a binary file?']);
  });
});

describe('what is read', () => {
  test('an alias means the last anchor of its name before it, also in its characters', () => {
    const text = web('  env:', '    A: &v 0660', '    B: *v', '    C: &v 0777', '    D: *v');
    expect(specOf(text).process.env).toEqual({ A: '0660', B: '0660', C: '0777', D: '0777' });
  });

  test('of the value of a variable neither a tag nor an anchor is quoted', () => {
    for (const value of ['*s3cret', '!s3cret x']) {
      const [said = '', ...more] = problemsOf(web(`  env: { PW: ${value} }`));
      expect(more).toEqual([]);
      expect(said).toContain('process.env.PW: ');
      expect(said).toContain('in quotes');
      expect(said).not.toContain('s3cret');
    }
  });

  test('anchors, aliases and merge keys; an own key wins over a merged one', () => {
    const text = 'base: &b {x: 1, y: 2}\none:\n  <<: *b\n  y: 3\ntwo:\n  <<: [*b, {z: 4}]\nthree: *b\n';
    expect(JSON.parse(JSON.stringify(tree(text)))).toEqual({
      base: { x: 1, y: 2 },
      one: { x: 1, y: 3 },
      two: { x: 1, y: 2, z: 4 },
      three: { x: 1, y: 2 },
    });
  });

  test('what YAML 1.2 takes for text stays text', () => {
    const words = tree('[yes, no, on, off, 12:30:45, 0b11]');
    expect(words).toEqual(['yes', 'no', 'on', 'off', '12:30:45', '0b11']);
  });

  test('keys that mean something to JavaScript are keys like any other', () => {
    const map = tree('__proto__:\n  polluted: yes\nconstructor: x\ntoString: y\n') as object;
    expect(Object.keys(map)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(map)).toBeNull();
  });

  test('places and characters of its values', () => {
    const parsed = parseYaml('a:\n  - x\n  - b: 0660\nbase: &m {k: 1.10}\nc:\n  <<: *m\n', 'web.yaml');
    if ('problems' in parsed) throw new Error('refused');
    const { source } = parsed;
    expect(source.place(['a', 1, 'b'], 'key')).toEqual({ file: 'web.yaml', line: 3, column: 5 });
    expect(source.place(['a', 1, 'b'], 'value')).toEqual({ file: 'web.yaml', line: 3, column: 8 });
    expect(source.source(['a', 1, 'b'])).toBe('0660');
    expect(source.source(['c', 'k'])).toBe('1.10');
    expect(source.place(['a', 7, 'nothing'], 'key').line).toBe(2);
    expect(source.positions().get('a[1].b')).toEqual({ line: 3, column: 5 });
  });
});

describe('hostile texts end quickly, with few words', () => {
  const MEBIBYTE = 1_048_576;
  const repeated = (text: string): string =>
    text.repeat(Math.ceil(MEBIBYTE / text.length)).slice(0, MEBIBYTE);
  let seed = 1;
  const noise = (characters: string): string => {
    let text = '';
    while (text.length < MEBIBYTE) {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      text += characters[seed % characters.length];
    }
    return text;
  };
  const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');

  test.each([
    ['open brackets', repeated('[')],
    ['open braces', repeated('{')],
    ['mixed brackets', repeated('[{')],
    ['dashes', repeated('- ')],
    ['questions', repeated('? ')],
    ['colons', repeated(': ')],
    ['nested keys', repeated('a: ')],
    ['anchors', repeated('&a ')],
    ['aliases', repeated('*a ')],
    ['tags', repeated('!a ')],
    ['exclamation marks', repeated('!')],
    ['quotes', repeated('"')],
    ['an endless quote', `"${repeated('x')}`],
    ['commas', `[${repeated(',')}`],
    ['many keys', Array.from({ length: 120_000 }, (_, index) => `k${index}: 1`).join('\n')],
    ['deep indents', Array.from({ length: 1400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['directives', repeated('%a\n')],
    ['documents', repeated('---\n')],
    ['printable noise', noise(printable)],
    ['noise in lines', noise(`${printable}\n\n`)],
    ['noise of YAML signs', noise('ab:-\n  {}[],&*!|>\'"%@#')],
  ])('%s', (_, text) => {
    const begin = performance.now();
    const told = problemsOf(text);
    // A second is the promise; a machine that tests several files at once gets some more.
    expect(performance.now() - begin).toBeLessThan(3000);
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThanOrEqual(21);
    expect(told.every((line) => line.length < 400)).toBe(true);
  });

  test.each(['[', '{a: ', '- ', '? ', '- {', 'a: [', '&a ['])(
    'what is nested without end is refused where it becomes too deep: %s',
    (piece) => {
      const told = problems(piece.repeat(4000));
      expect(told).toEqual([expect.stringMatching(/^web\.yaml:1:\d{1,4} {2}nested more than 50 deep$/)]);
    },
  );

  test('a bracket that is never closed is told of first, and not buried under what follows from it', () => {
    const told = problems(`process: [\n${'  a: "b"\n'.repeat(20)}`);
    expect(told).toHaveLength(4);
    // A list in brackets may hold one pair without braces: at the second one the comma is missing.
    expect(told[0]).toMatch(/^web\.yaml:3:3 {2}/);
    expect(told[3]).toMatch(
      /^web\.yaml:\d+:\d+ {2}and \d+ more problems in this file, which may follow from these$/,
    );
  });

  test('the first faults of syntax in the text are the ones that are shown', () => {
    const text = `process: [
  command: [node, web.mjs]
  env:
    GREETING: hello from \${name}, instance \${instance}, generation \${generation}
  stop_grace: 5s

port: 8080
probes:
  readiness: { http: / }
`;
    const told = problems(text);
    const places = told.map((line) => /:(\d+):(\d+) /.exec(line)?.slice(1).map(Number) ?? []);
    expect(told).toHaveLength(4);
    expect(places).toEqual([...places].sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d));
    expect(told.at(-1)).toMatch(/ more problems? in this file, which may follow from these$/);
  });

  test('more than twenty problems are counted, not shown', () => {
    const text = Array.from({ length: 30 }, (_, index) => `a${index}: !x 1`).join('\n');
    const told = problems(text);
    expect(told).toHaveLength(21);
    expect(told[20]).toBe('web.yaml:21:9  and 10 more problems in this file');
  });

  test('a single one beyond twenty is shown and not counted', () => {
    const told = problems(Array.from({ length: 21 }, (_, index) => `a${index}: !x 1`).join('\n'));
    expect(told).toHaveLength(21);
    expect(told[20]).toContain('web.yaml:21:9  a20: ');
  });

  test('the count of what is not shown stands behind what is shown, in whichever order it was found', () => {
    const found = Array.from({ length: 25 }, (_, index) => ({
      ...({ code: 'value-invalid', severity: 'error', message: `in ${index}`, file: 'web.yaml' } as const),
      ...{ line: ((index * 7) % 25) + 1, column: 1 },
    }));
    const told = bounded(found);
    expect(told.map(({ line }) => line)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
    expect(told[20]?.message).toBe('and 5 more problems in this file');
  });

  test('nine lines that stand for a billion values', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [name, from] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg', 'ih'].map((pair) => [...pair])) {
      lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${from}`).join(', ')}]`);
    }
    expect(problems(lines.join('\n'))[0]).toMatch(/its aliases stand for more than \d+ values/);
  });
});
