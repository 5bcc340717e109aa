import { describe, expect, test } from 'vitest';
import {
  bearerOf,
  hashOf,
  includesRole,
  parseTokens,
  ROLES,
  tokenLine,
  whoShows,
} from '../../src/api/tokens.ts';

const hash = (secret: string) => hashOf(secret);

describe('the file of the tokens', () => {
  test('one token a line, in any spacing; comments and empty lines say nothing', () => {
    const text = `# people\n\nann read ${hash('a')}\r\n  bob\toperate   ${hash('b').toUpperCase()}\n`;
    expect(parseTokens(text)).toEqual({
      tokens: [
        { name: 'ann', role: 'read', hash: hash('a') },
        { name: 'bob', role: 'operate', hash: hash('b') },
      ],
      wrong: [],
    });
  });

  test('a line that cannot be followed is told with its number and lets nobody in; the others count', () => {
    const good = `ann admin ${hash('a')}`;
    const bad = [
      'ann',
      'ann root x',
      'a:b read x',
      `bob read ${hash('b')}0`,
      `bob read ${hash('b')} more`,
      good,
    ];
    const { tokens, wrong } = parseTokens([good, ...bad].join('\n'));
    expect(tokens.map(({ name }) => name)).toEqual(['ann']);
    expect(wrong).toEqual([
      { line: 2, says: 'the role of ann is none of read, operate, admin' },
      { line: 3, says: 'the role of ann is none of read, operate, admin' },
      { line: 4, says: expect.stringContaining('does not begin with a name') },
      { line: 5, says: expect.stringContaining('the hash of bob is no SHA-256') },
      { line: 6, says: expect.stringContaining('more than name, role and hash') },
      { line: 7, says: 'ann is there already' },
    ]);
  });

  test('more tokens than a host needs are not compared', () => {
    const text = Array.from({ length: 1001 }, (_, index) => `t${index} read ${hash(String(index))}`).join(
      '\n',
    );
    const { tokens, wrong } = parseTokens(text);
    expect(tokens).toHaveLength(1000);
    expect(wrong).toEqual([{ line: 1001, says: 'only the first 1000 tokens count' }]);
  });

  test('a line that is written is read back', () => {
    const token = { name: 'ci@example.org', role: 'operate', hash: hash('x') } as const;
    expect(parseTokens(tokenLine(token)).tokens).toEqual([token]);
  });

  test('the hash is SHA-256, in hexadecimal digits', () => {
    // FIPS 180-4, example of one block: "abc".
    expect(hashOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('whose token it is', () => {
  const { tokens } = parseTokens(`ann read ${hash('secret-a')}\nbob admin ${hash('secret-b')}\n`);
  test.each([
    ['secret-a', 'ann'],
    ['secret-b', 'bob'],
    ['secret-c', undefined],
    ['', undefined],
    [undefined, undefined],
    [hash('secret-a'), undefined],
    [`secret-a${'x'.repeat(2000)}`, undefined],
  ])('%s', (shown, name) => {
    expect(whoShows(shown, tokens)?.name).toBe(name);
  });

  test('the hash of nothing lets nobody in who shows nothing', () => {
    const empty = parseTokens(`nobody admin ${hash('')}\n`).tokens;
    expect(whoShows(undefined, empty)).toBeUndefined();
  });

  test.each([
    ['Bearer abc', 'abc'],
    ['bearer  a-b_c.d~e+f/g==', 'a-b_c.d~e+f/g=='],
    ['Basic abc', undefined],
    ['Bearer', undefined],
    ['Bearer a b', undefined],
    [undefined, undefined],
  ])('%s', (header, token) => {
    expect(bearerOf(header)).toBe(token);
  });

  test('each role may what those before it may', () => {
    const may = ROLES.map((role) => ROLES.filter((wanted) => includesRole(role, wanted)));
    expect(may).toEqual([['read'], ['read', 'operate'], ['read', 'operate', 'admin']]);
  });
});
