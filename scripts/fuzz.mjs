// As many odd inputs as one likes, in one process at a time: node scripts/fuzz.mjs --inputs 1000000 [--seed N] [target]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
  allowPositionals: true,
});

const directory = mkdtempSync(join(tmpdir(), 'fuzz-'));
const report = join(directory, 'report');
console.log(`seed ${values.seed}`);
const began = Date.now();
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    'unit',
    '--no-file-parallelism',
    'test/fuzz',
    ...(positionals.length === 0 ? [] : ['-t', positionals.join(' ')]),
  ],
  {
    cwd: join(import.meta.dirname, '..'),
    stdio: 'inherit',
    env: { ...process.env, FUZZ_INPUTS: values.inputs, FUZZ_SEED: values.seed, FUZZ_REPORT: report },
  },
);

const results = readFileSync(report, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
for (const { name, tried, seconds, slowest } of results) {
  const figures = [String(tried).padStart(9), `${seconds.toFixed(1)} s`.padStart(10)];
  console.log(`${name.padEnd(48)}${figures.join('')}   slowest ${slowest.toFixed(0)} ms`);
}
const sum = results.reduce((all, { tried }) => all + tried, 0);
console.log(`${sum} inputs in ${Math.round((Date.now() - began) / 1000)} s`);
rmSync(directory, { recursive: true });
process.exitCode = status ?? 1;
