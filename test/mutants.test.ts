/** Can each bug of the list still be planted? Code changes, and a list that is rarely tried would not notice. */
import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readMutants } from '../scripts/mutant-list.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MUTANTS = readMutants(fs.readFileSync(join(ROOT, 'test/mutants.txt'), 'utf8'));

test('each planted bug changes one place of the code', () => {
  const stray = MUTANTS.filter(({ file, text, instead }) => {
    const places = fs.readFileSync(join(ROOT, file), 'utf8').split(text).length - 1;
    return places !== 1 || text === instead;
  });
  expect(stray).toEqual([]);
  expect(MUTANTS.length).toBeGreaterThan(0);
});
