// Do the tests notice planted bugs? Each line of test/mutants.txt is applied to a copy of the tree, one at a time.
// `node scripts/mutants.mjs` tries all, `node scripts/mutants.mjs 3 36-` the third, and those from the 36th on.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMutants } from './mutant-list.mjs';
import { bundleSimulation, runSeeds } from './simulate.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Histories that a mutant has to survive to count as not found by the simulation. */
const HISTORIES = Number(process.env.HISTORIES ?? 3000);

/** A hundred histories take about a second; whoever takes longer than this hangs. Milliseconds. */
const PATIENCE = 60_000;

/** The unit tests take some seconds; whoever takes longer than this hangs. Milliseconds. */
const PATIENCE_OF_TESTS = 120_000;

const mutants = readMutants(readFileSync(join(ROOT, 'test/mutants.txt'), 'utf8'));
const copy = mkdtempSync(join(tmpdir(), 'mutants-'));
try {
  for (const part of ['src', 'test', 'schemas', 'package.json', 'tsconfig.json']) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  }
  const include = ['policy', 'reconcile', 'daemon'].map((room) => `test/${room}/**/*.test.ts`);
  writeFileSync(join(copy, 'vitest.config.ts'), `export default ${JSON.stringify({ test: { include } })};`);
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await tryAll();
} finally {
  rmSync(copy, { recursive: true, force: true });
}

async function tryAll() {
  const chosen = mutants.filter(({ number }) => isChosen(number, process.argv.slice(2)));
  const failing = await tryTests(...new Set(chosen.map(({ file }) => file)));
  if (failing !== undefined) throw new Error(`the unit tests fail without any planted bug: ${failing}`);
  let bySimulation = 0;
  let byTests = 0;
  let found = 0;
  for (const mutant of chosen) {
    const original = readFileSync(join(copy, mutant.file), 'utf8');
    if (original.split(mutant.text).length !== 2) {
      console.log(`${mutant.number} ${mutant.file}: its text is not found exactly once: ${mutant.text}`);
      process.exitCode = 1;
      continue;
    }
    writeFileSync(
      join(copy, mutant.file),
      original.replace(mutant.text, () => mutant.instead),
    );
    const simulation = await trySimulation();
    const tests = await tryTests(mutant.file);
    writeFileSync(join(copy, mutant.file), original);
    if (simulation !== undefined) bySimulation += 1;
    if (tests !== undefined) byTests += 1;
    if (simulation !== undefined || tests !== undefined) found += 1;
    else process.exitCode = 1;
    console.log(
      `${String(mutant.number).padStart(2)} ${mutant.file}: ${mutant.text.replaceAll('\n', ' ').slice(0, 90)}`,
    );
    console.log(`     simulation: ${simulation ?? '-'}`);
    console.log(`     unit tests: ${tests ?? '-'}`);
  }
  console.log(
    `\n${found} of ${chosen.length} found: ${bySimulation} by the simulation, ${byTests} by unit tests of policy, reconcile and daemon`,
  );
}

/** @param ranges `7`, `36-` or `3-9`; none: every one */
function isChosen(number, ranges) {
  if (ranges.length === 0) return true;
  return ranges.some((range) => {
    const [first, last] = range.split('-');
    const most = last === undefined ? first : last === '' ? Number.POSITIVE_INFINITY : last;
    return number >= Number(first) && number <= Number(most);
  });
}

/** Which promise was broken, and by which seed; undefined when none was. */
async function trySimulation() {
  const bundle = join(copy, 'run-history.mjs');
  try {
    await bundleSimulation(copy, bundle);
    const [first] = await runSeeds({ bundle, from: 1, count: HISTORIES, enough: 1, patience: PATIENCE });
    return first === undefined
      ? undefined
      : `seed ${first.seed}: ${first.message.split('\n')[0].slice(0, 150)}`;
  } catch (error) {
    return `it does not even run: ${error.message}`;
  }
}

/** Which of the tests that import one of these files failed; undefined when none did. */
async function tryTests(...files) {
  const args = [
    'node_modules/vitest/vitest.mjs',
    'related',
    '--run',
    '--reporter',
    'json',
    '--bail',
    '1',
    ...files,
  ];
  const stdout = await outputOf(args);
  if (stdout === undefined) return `they do not end within ${PATIENCE_OF_TESTS / 1000} s`;
  const begin = stdout.indexOf('{');
  if (begin < 0) return 'they do not even run';
  const json = JSON.parse(stdout.slice(begin));
  const failed = json.testResults
    .flatMap((file) => file.assertionResults)
    .find(({ status }) => status === 'failed');
  return json.success ? undefined : (failed?.fullName ?? 'a test file fails as a whole').slice(0, 150);
}

/** undefined: it took too long, and was ended with all its workers. */
function outputOf(args) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NODE_OPTIONS: '--max-old-space-size=1024' };
    // A process group of its own: a worker in an endless loop outlives its parent otherwise.
    const stdio = ['ignore', 'pipe', 'ignore'];
    const child = spawn(process.execPath, args, { cwd: copy, env, stdio, detached: true });
    const parts = [];
    let hangs = false;
    const timer = setTimeout(() => {
      hangs = true;
      process.kill(-child.pid, 'SIGKILL');
    }, PATIENCE_OF_TESTS);
    child.stdout.on('data', (part) => parts.push(part));
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(hangs ? undefined : Buffer.concat(parts).toString());
    });
  });
}
