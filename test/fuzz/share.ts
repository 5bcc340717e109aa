/** How many inputs does each target get, from which seed, and how long may one of them take? */
import { appendFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { test } from 'vitest';

/** Parts of a thousand, by what an input costs: 0.1 ms for a duration, 10 ms for a service file with its round trip. */
const PARTS = {
  'service file: what is right and what is wrong': 7,
  'service file: mutated': 10,
  'service file: noise': 5,
  'service files: a directory of them': 1,
  'master file': 4,
  durations: 295,
  'sizes, shares and limits': 260,
  'modes, counts and instants': 25,
  'schedule: grammar': 25,
  'schedule: near the clock': 1,
  'schedule: far ahead': 12,
  'env file: any text': 150,
  'env file: written and read': 80,
  'api: bodies': 5,
  'api: paths and headers': 5,
  'terminal: tables and sentences': 3,
  'terminal: lines of a log': 20,
  'logs: bytes to lines': 3,
  'logs: followed': 1,
  'names: runs and services': 15,
  'names: rotated files': 15,
  'names: logs of instances': 10,
  'state: damaged': 8,
  'state: tokens and records': 40,
} as const;

export type Target = keyof typeof PARTS;

/** What a run of all tests tries of all targets together. */
const SHARE = 12_000;

/** Fewer of one target would hardly try anything. */
const LEAST = 80;

/** Of one input: everything here is small. Milliseconds of CPU time of the whole process. */
const LONGEST = 5000;

/** Without progress for so long an input counts as one that never ends. Milliseconds. */
const HANGS = 90_000;

const { env } = process;
const TOTAL = Number(env['FUZZ_INPUTS'] ?? SHARE);
const SEED = Number(env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** The number of a single input to try again. */
const ONE = env['FUZZ_INPUT'];

/**
 * A test of as many inputs as the target gets. What it throws, and an input that takes too long, fails with the seed
 * and the smallest input that still fails.
 */
export function fuzz<Input>(
  name: Target,
  input: fc.Arbitrary<Input>,
  check: (input: Input) => void | Promise<void>,
): void {
  const count = Math.max(LEAST, Math.round((TOTAL * PARTS[name]) / 1000));
  const limit = 120_000 + count * 100;
  test(
    name,
    async () => {
      const progress = watched(name);
      const began = performance.now();
      let tried = 0;
      let slowest = 0;
      const property = fc.asyncProperty(input, async (value) => {
        tried += 1;
        Atomics.store(progress.counter, 0, tried);
        const before = process.cpuUsage();
        await check(value);
        const { user, system } = process.cpuUsage(before);
        slowest = Math.max(slowest, (user + system) / 1000);
        if (user + system > LONGEST * 1000) throw new Error(`took ${Math.round(user / 1000)} ms`);
      });
      const path = ONE === undefined ? {} : { path: ONE };
      try {
        await fc.assert(property, { numRuns: count, seed: SEED, ...path });
      } catch (error) {
        throw new Error(`${(error as Error).message}\n\n${replay(name, '')}`, { cause: error });
      } finally {
        progress.end();
        note({ name, tried, seconds: (performance.now() - began) / 1000, slowest });
      }
    },
    limit,
  );
}

/** What runs the target again with the same inputs. */
function replay(name: Target, input: string): string {
  const of = env['FUZZ_INPUTS'] === undefined ? '' : ` FUZZ_INPUTS=${TOTAL}`;
  return `again: FUZZ_SEED=${SEED}${of}${input} npx vitest run --project unit test/fuzz -t '${name}'`;
}

/**
 * A loop without end leaves no moment in which the test itself could notice it. So another thread looks whether the
 * number of inputs still grows, says which one it is, and ends the process.
 */
function watched(name: Target): { readonly counter: Int32Array; readonly end: () => void } {
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const says = `${name} does not come to an end with one of its inputs\n${replay(name, ' FUZZ_INPUT=')}`;
  const worker = new Worker(
    `const { counter, says, hangs } = require('node:worker_threads').workerData;
    let last = -1;
    setInterval(() => {
      const now = Atomics.load(counter, 0);
      if (now === last) {
        require('node:fs').writeSync(2, says.replace('FUZZ_INPUT=', 'FUZZ_INPUT=' + (now - 1)) + '\\n');
        process.kill(process.pid, 'SIGKILL');
      }
      last = now;
    }, hangs);`,
    { eval: true, workerData: { counter, says, hangs: HANGS } },
  );
  worker.unref();
  return { counter, end: () => void worker.terminate() };
}

/** For whoever counts: a line of JSON for each target. */
function note(result: object): void {
  const file = env['FUZZ_REPORT'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(result)}\n`);
}
