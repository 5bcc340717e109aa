import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseYaml } from '../../src/config/parse.ts';
import { quickYaml } from '../../src/config/quick-yaml.ts';

const EVERYDAY = `# a service
description: The front page, of the shop's site  # with a comment
labels:
  team: shop
process:
  command: [node, server.js, 'a b', "c, d"]
  args:
  - --port=80
  - "x: y"   # why
  env:
    FOO: bar
    N: 1.10
    ON: true
    MODE: 0660
  env_files: []
  stop_grace: 1h30m

instances: 2
`;

/** Pieces of which YAML makes something else than they look like. */
const PIECES = fc.constantFrom(
  ...[
    'a',
    'key',
    ':',
    ': ',
    ' ',
    '  ',
    '\n',
    '\n  ',
    '- ',
    '-',
    '"',
    "'",
    '[',
    ']',
    ', ',
    ',',
    '#',
    ' #',
    '1',
    '0660',
  ],
  ...[
    '30s',
    '2d',
    '1.10',
    'true',
    'null',
    '~',
    '$',
    '{',
    '}',
    '.',
    '..',
    '/',
    '&',
    '*',
    '!',
    '|',
    '>',
    '%',
    '@',
    '=',
  ],
  ...[
    '1e5',
    '0x1f',
    '0o17',
    '.inf',
    'inf',
    '_',
    'a: b\n',
    '  k: v\n',
    '- x\n',
    '\\',
    '?',
    '--- ',
    '...\n',
    'é',
    '-5',
  ],
  ...['<<: ', '\t', '\r\n', '\u00a0', '\u0085', '__proto__: x\n', 'a: 1\n', '-0', '+1', '1_000', 'e'],
);

const invented = fc.array(PIECES, { maxLength: 14 }).map((pieces) => pieces.join(''));
const edited = fc
  .array(fc.tuple(fc.nat(EVERYDAY.length), fc.nat(4), fc.oneof(PIECES, fc.constant(''))), { maxLength: 3 })
  .map((edits) =>
    edits.reduce((text, [at, cut, piece]) => text.slice(0, at) + piece + text.slice(at + cut), EVERYDAY),
  );

test('an everyday text is read without the full parser', () => {
  const quick = quickYaml(EVERYDAY);
  expect(quick?.tree['process']).toMatchObject({ command: ['node', 'server.js', 'a b', 'c, d'] });
  expect([...(quick?.sources ?? [])]).toEqual([
    ['process.env.N', '1.10'],
    ['process.env.ON', 'true'],
    ['process.env.MODE', '0660'],
    ['instances', '2'],
  ]);
});

test('it never says anything else than the full parser, and leaves every mistake to it', {
  timeout: 60_000,
}, () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(invented, edited), (text) => {
      const quick = quickYaml(text);
      if (quick === undefined) return;
      taken += 1;
      const full = parseYaml(text, 'web.yaml');
      if ('problems' in full) throw new Error(`taken although broken: ${JSON.stringify(full.problems[0])}`);
      expect(JSON.stringify(quick.tree)).toBe(JSON.stringify(full.tree));
    }),
    { numRuns: 10_000 },
  );
  expect(taken).toBeGreaterThan(300);
});
