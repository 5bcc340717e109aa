// How many histories keep every promise? Runs them on all cores, or on as many as WORKERS says:
// HISTORIES=100000 FROM=1 node scripts/simulate.mjs
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Seeds given to a worker at a time. */
const BATCH = 100;

/** A batch that takes longer has found a history that never ends. Milliseconds. */
const PATIENCE = 240_000;

/** More than any history needs; whoever wants more never ends. */
const LIMITS = { maxOldGenerationSizeMb: 1024 };

/**
 * @param root the checkout
 * @param output an .mjs file
 */
export async function bundleSimulation(root, output) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [join(root, 'test/simulation/run-history.ts')],
    outfile: output,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
}

/**
 * Runs the seeds `from` to `from + count - 1`; answers the failures by seed. A batch that never ends, or for which the
 * memory does not suffice, is a failure under its first seed.
 * @param enough stop after so many failures
 * @param patience how long a batch may take; milliseconds
 */
export async function runSeeds({
  bundle,
  from,
  count,
  enough,
  patience = PATIENCE,
  workers = Number(process.env.WORKERS ?? availableParallelism()),
  progress = () => {},
}) {
  const failures = [];
  let next = from;
  let done = 0;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      let worker = newWorker(bundle);
      while (next < from + count && failures.length < enough) {
        const batch = { from: next, count: Math.min(BATCH, from + count - next) };
        next += batch.count;
        const answer = await ask(worker, batch, patience);
        if (answer === undefined) {
          await worker.terminate();
          worker = newWorker(bundle);
        }
        done += batch.count;
        failures.push(...(answer ?? [endless(batch)]));
        progress(done, failures.length);
      }
      await worker.terminate();
    }),
  );
  return failures.sort((a, b) => a.seed - b.seed);
}

function newWorker(bundle) {
  return new Worker(fileURLToPath(import.meta.url), { workerData: { bundle }, resourceLimits: LIMITS });
}

/** What failed in the batch; undefined when it took too long or too much memory, and its worker is of no use any more. */
function ask(worker, batch, patience) {
  return new Promise((resolve, reject) => {
    const settle = (act) => (value) => {
      clearTimeout(timer);
      worker.removeAllListeners('message');
      worker.removeAllListeners('error');
      act(value);
    };
    const timer = setTimeout(
      settle(() => resolve(undefined)),
      patience,
    );
    worker.once('message', settle(resolve));
    worker.once(
      'error',
      settle((error) => (error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? resolve(undefined) : reject(error))),
    );
    worker.postMessage(batch);
  });
}

function endless({ from, count }) {
  return {
    seed: from,
    promise: 'every history ends',
    message: `a history of the seeds ${from} to ${from + count - 1} never ends, or takes all memory`,
  };
}

if (!isMainThread && workerData?.bundle !== undefined) {
  const { runHistory } = await import(pathToFileURL(workerData.bundle).href);
  parentPort.on('message', ({ from, count }) => {
    const failures = [];
    for (let seed = from; seed < from + count; seed++) {
      const failed = runHistory(seed);
      if (failed !== undefined) failures.push({ seed, promise: failed.promise, message: failed.message });
    }
    parentPort.postMessage(failures);
  });
} else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main();
}

async function main() {
  const count = Number(process.env.HISTORIES ?? 10_000);
  const from = Number(process.env.FROM ?? 1);
  const directory = mkdtempSync(join(tmpdir(), 'simulation-'));
  try {
    const bundle = join(directory, 'run-history.mjs');
    await bundleSimulation(fileURLToPath(new URL('..', import.meta.url)), bundle);
    const start = performance.now();
    const progress = (done, failed) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count}, ${failed} failed `);
    };
    const failures = await runSeeds({
      bundle,
      from,
      count,
      enough: Number(process.env.ENOUGH ?? 50),
      progress,
    });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`\n${count} histories from seed ${from} in ${seconds} s: ${failures.length} failed`);
    for (const { seed, message } of failures.slice(0, 20)) console.log(`seed ${seed}: ${message}`);
    if (failures.length > 0) {
      process.exitCode = 1;
      const story = failures.find(({ promise }) => promise !== 'every history ends');
      if (story === undefined) return;
      const { runHistory, shorten, report } = await import(pathToFileURL(bundle).href);
      const failed = runHistory(story.seed);
      if (failed !== undefined) console.log(report(shorten(failed)));
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
