/** Which benches are to be run, and where do their figures go? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { answers } from './answers.ts';
import { brokenVersion } from './broken-version.ts';
import { coldStart } from './cold-start.ts';
import { cycles } from './cycles.ts';
import { daemonKilled } from './daemon-killed.ts';
import { digits, type Figure, figureTable, summary } from './figures.ts';
import { fileSaved } from './file-saved.ts';
import { footprint } from './footprint.ts';
import { closeAll } from './ground.ts';
import { logPeers } from './log-peers.ts';
import { logs } from './logs.ts';
import { peers } from './peers/peers.ts';
import type { KeepPlot } from './plot.ts';
import { probeIdle } from './probe-idle.ts';
import { now } from './program.ts';
import { respawn } from './respawn.ts';
import { rolling } from './rolling.ts';
import { scale } from './scale.ts';
import { scheduleBurst } from './schedule-burst.ts';
import { stopAll } from './stop-all.ts';

interface Bench {
  readonly title: string;
  readonly run: (quick: boolean, keep: KeepPlot) => Promise<readonly Figure[]>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  'cold-start': { title: 'Cold start', run: coldStart },
  respawn: { title: 'Crash to respawn, restart_backoff 0', run: respawn },
  'file-saved': { title: 'File saved to process running', run: fileSaved },
  footprint: { title: 'The daemon at rest', run: footprint },
  answers: { title: 'Answers', run: answers },
  'stop-all': { title: 'Stop all', run: stopAll },
  cycles: { title: 'Starts and stops leave nothing behind', run: cycles },
  rolling: { title: 'Rolling replacements under load', run: rolling },
  'broken-version': { title: 'A version that cannot run', run: brokenVersion },
  'schedule-burst': { title: 'Many schedules, one time', run: scheduleBurst },
  'probe-idle': { title: 'Probes while all is well', run: probeIdle },
  logs: { title: 'Logs', run: logs },
  scale: { title: 'How cost grows', run: scale },
  'daemon-killed': { title: 'The daemon killed at random moments', run: daemonKilled },
};

const WRONG_USAGE = 64;

const { values, positionals } = commandLine();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    closeAll();
    process.exit(1);
  });
}
console.log(`${conditions()}\n`);
const chosen = positionals.length > 0 || values.peers ? positionals : Object.keys(BENCHES);
const keep: KeepPlot = (name, svg) => {
  if (values.plots === undefined) return;
  fs.mkdirSync(values.plots, { recursive: true });
  fs.writeFileSync(join(values.plots, `${name}.svg`), svg);
};
let missed = 0;
for (const name of chosen) {
  const bench = BENCHES[name];
  if (bench === undefined) continue;
  const figures = await bench.run(values.quick ?? false, keep);
  missed += figures.filter(({ met }) => met === false).length;
  console.log(figureTable(bench.title, figures));
}
// With names: beside others at these; only `logs` has a comparison of its own.
const [atLogs, atRest] = [true, false].map(
  (isLogs) => positionals.length === 0 || positionals.some((name) => (name === 'logs') === isLogs),
);
if (values.peers && atRest) console.log(await peers(values.quick ?? false, keep));
if (values.peers && atLogs) console.log(await logPeers(values.quick ?? false));
if (missed > 0) console.log(`${missed} goals missed`);
process.exitCode = missed > 0 ? 1 : 0;

function commandLine() {
  const usage = `usage: npm run bench -- [NAME…] [--quick] [--peers] [--plots DIRECTORY]\nbenches: ${Object.keys(BENCHES).join(', ')}`;
  try {
    const read = parseArgs({
      options: {
        quick: { type: 'boolean' },
        peers: { type: 'boolean' },
        plots: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    });
    if (read.values.help) {
      console.log(usage);
      process.exit();
    }
    const unknown = read.positionals.filter((name) => !Object.hasOwn(BENCHES, name));
    if (unknown.length === 0) return read;
    console.error(`no bench ${unknown.join(', ')}\n${usage}`);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
  process.exit(WRONG_USAGE);
}

function conditions(): string {
  const cpus = os.cpus();
  const load = os.loadavg()[0] ?? 0;
  const busy = load > 0.5 ? ', **busy: take these figures for indications only**' : '';
  const parts = [
    `${cpus.length} × ${cpus[0]?.model.trim() ?? 'unknown CPU'}`,
    `${Math.round(os.totalmem() / 1e9)} GB`,
    `Linux ${os.release()}`,
    `node ${process.version}`,
    // What tells two machines apart for a program that creates processes.
    `an empty node takes ${startOf(process.execPath, ['-e', '0'])}, an empty sh ${startOf('sh', ['-c', ':'])}`,
    new Date().toISOString().slice(0, 16).replace('T', ' '),
    `load ${load.toFixed(2)}${busy}`,
  ];
  return parts.join(', ');
}

/** Of 11 runs one after the other. */
function startOf(program: string, args: readonly string[]): string {
  const times = Array.from({ length: 11 }, () => {
    const from = now();
    spawnSync(program, args);
    return now() - from;
  });
  return `${digits(summary(times).median)} ms`;
}
