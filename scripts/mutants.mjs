// Do the tests notice planted bugs? Each line of test/mutants.txt is applied to a copy of the tree, one at a time.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleSimulation, runSeeds } from './simulate.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Histories that a mutant has to survive to count as not found by the simulation. */
const HISTORIES = Number(process.env.HISTORIES ?? 3000);

const only = process.argv[2] === undefined ? undefined : Number(process.argv[2]);
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
  let bySimulation = 0;
  let byTests = 0;
  let found = 0;
  const chosen = mutants.filter((_, index) => only === undefined || only === index + 1);
  for (const [index, mutant] of chosen.entries()) {
    const original = readFileSync(join(copy, mutant.file), 'utf8');
    if (original.split(mutant.text).length !== 2) {
      console.log(`${index + 1} ${mutant.file}: its text is not found exactly once: ${mutant.text}`);
      process.exitCode = 1;
      continue;
    }
    writeFileSync(
      join(copy, mutant.file),
      original.replace(mutant.text, () => mutant.instead),
    );
    const simulation = await trySimulation();
    const tests = tryTests();
    writeFileSync(join(copy, mutant.file), original);
    if (simulation !== undefined) bySimulation += 1;
    if (tests !== undefined) byTests += 1;
    if (simulation !== undefined || tests !== undefined) found += 1;
    else process.exitCode = 1;
    console.log(
      `${String(index + 1).padStart(2)} ${mutant.file}: ${mutant.text.replaceAll('\n', ' ').slice(0, 90)}`,
    );
    console.log(`     simulation: ${simulation ?? '-'}`);
    console.log(`     unit tests: ${tests ?? '-'}`);
  }
  console.log(
    `\n${found} of ${chosen.length} found: ${bySimulation} by the simulation, ${byTests} by unit tests of policy, reconcile and daemon`,
  );
}

/** Which promise was broken, and by which seed; undefined when none was. */
async function trySimulation() {
  const bundle = join(copy, 'run-history.mjs');
  try {
    await bundleSimulation(copy, bundle);
    const [first] = await runSeeds({ bundle, from: 1, count: HISTORIES, enough: 1 });
    return first === undefined
      ? undefined
      : `seed ${first.seed}: ${first.message.split('\n')[0].slice(0, 150)}`;
  } catch (error) {
    return `it does not even run: ${error.message}`;
  }
}

function tryTests() {
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--reporter', 'json', '--bail', '1'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', maxBuffer: 1e8 });
  const json = JSON.parse(stdout.slice(stdout.indexOf('{')));
  const failed = json.testResults
    .flatMap((file) => file.assertionResults)
    .find(({ status }) => status === 'failed');
  return json.success ? undefined : (failed?.fullName ?? 'a test file fails as a whole').slice(0, 150);
}

function readMutants(text) {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [file, from, to] = line
        .replaceAll('\\|', '\u0000')
        .split(' | ')
        .map((part) => part.replaceAll('\u0000', '|'));
      return {
        file,
        text: from.replaceAll('\\n', '\n'),
        instead: to === '(nothing)' ? '' : to.replaceAll('\\n', '\n'),
      };
    });
}
