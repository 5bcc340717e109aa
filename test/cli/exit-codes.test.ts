import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

describe('docs/cli.md', () => {
  test('lists every exit code with its meaning, and no other', () => {
    const rows = [...page.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => ({
      code: Number(code),
      meaning,
    }));
    expect(rows).toEqual(Object.values(EXIT_CODES));
  });

  test('lists every command, and no other', () => {
    const rows = [...page.matchAll(/^\| `([a-z][a-z-]*)\b.*?` \| /gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
  });

  test('names every option', () => {
    const missing = COMMANDS.flatMap(({ name, options }) =>
      options
        .map(({ flags }) => /--[a-z-]+/.exec(flags)?.[0] ?? flags)
        .filter((flag) => !page.includes(flag))
        .map((flag) => `${name} ${flag}`),
    );
    expect(missing).toEqual([]);
  });
});

test('no two exits have the same code', () => {
  const codes = Object.values(EXIT_CODES).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
});
