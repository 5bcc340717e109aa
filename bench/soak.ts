/**
 * Does anything grow that should not, while hundreds of services crash, write, are probed, edited and run by the clock,
 * and the daemon is killed now and then? `npm run soak -- --minutes 30 --out DIR`
 */
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { digits, figureTable } from './figures.ts';
import { closeAll, Ground, pause } from './ground.ts';
import { holdingsOf, memoryOf, watchesOf } from './kernel.ts';
import { drawPlot } from './plot.ts';
import { now } from './program.ts';
import { judged, QUANTITIES, type Sample } from './soak-report.ts';

/** How often everything is looked at. Milliseconds. */
const SAMPLE = 2000;

/** Kills come in the first two thirds; the last daemon lives on, and its own slopes are judged. */
const KILLED_SHARE = 2 / 3;
const KILL_EVERY = 45_000;

const STEADY = 100;
const EDITED = 20;

const { values } = parseArgs({ options: { minutes: { type: 'string' }, out: { type: 'string' } } });
const minutes = Number(values.minutes ?? 10);
if (!(minutes > 0)) {
  console.error('--minutes takes a number above 0');
  process.exit(64);
}
const out = values.out ?? fs.mkdtempSync(join(tmpdir(), 'soak-'));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    closeAll();
    process.exit(1);
  });
}

const server = http.createServer((_, response) => response.end('ok'));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const ground = new Ground({ settings: { prune: { max_percent: 100 } } });
const samples: Sample[] = [];
const problems: string[] = [];
let edits = 0;
let kills = 0;
try {
  await run();
} finally {
  ground.close();
  server.closeAllConnections();
  server.close();
}
report();

async function run(): Promise<void> {
  const steady = ground.services(STEADY);
  others();
  await ground.up(STEADY);
  await ground.answers();
  const first = pidsOf(steady);
  const began = now();
  const end = began + minutes * 60_000;
  let killAt = began + KILL_EVERY;
  let life = 0;
  while (now() < end) {
    const next = now() + SAMPLE;
    edit(edits++ % EDITED);
    if (now() >= killAt && now() < began + minutes * 60_000 * KILLED_SHARE) {
      await ground.crash();
      ground.start();
      await ground.answers();
      kills += 1;
      life = now();
      killAt = now() + KILL_EVERY;
    }
    samples.push(sample(now() - began, life === 0 ? now() - began : now() - life));
    await pause(Math.max(0, next - now()));
  }
  const last = pidsOf(steady);
  for (const [name, pid] of first) {
    if (last.get(name) !== pid) problems.push(`${name} was touched: pid ${pid}, then ${last.get(name)}`);
  }
}

/** What crashes, writes, is probed and runs by the clock. Only shells: hundreds of them are to fit. */
function others(): void {
  const policy =
    'restart_policy: { restart_backoff: 500ms, restart_backoff_max: 2s, tolerance: { max_restarts: 1000000 } }';
  const make = (kind: string, count: number, script: string, more: readonly string[] = []) => {
    for (let index = 0; index < count; index++) {
      const lines = [
        'process:',
        `  command: [/bin/sh, -c, ${JSON.stringify(script)}]`,
        `  working_directory: ${ground.directory}/work`,
        ...more,
      ];
      fs.writeFileSync(join(ground.config, `${kind}-${index}.yaml`), `${lines.join('\n')}\n`);
    }
  };
  make('crashing', 40, 'sleep $(( $$ % 5 + 1 )); exit 3', [policy]);
  make('forking', 20, 'sleep 300 & setsid sleep 300 & sleep 7; exit 1', [policy]);
  make('writing', 20, 'while :; do head -c 65536 /dev/zero | tr "\\0" x | fold -w 99; sleep 1; done', [
    'logs: { rotation_mode: size, rotation_size: 256KiB, rotation_backups: 3, compress: true }',
  ]);
  make('probed', 40, 'exec sleep 100000', [
    'probes:',
    `  readiness: { http: "http://127.0.0.1:${port}/", interval: 2s }`,
    '  liveness: { exec: "true", interval: 5s }',
  ]);
  make('timed', 10, 'echo done', ['  schedule: "*/5 * * * * *"']);
  for (let index = 0; index < EDITED; index++) edit(index);
}

function edit(index: number): void {
  ground.service(`edited-${index}`, 'rollout: { surge: 0 }\n', `${edits}`);
}

function pidsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const wanted = new Set(names);
  const alive = ground.stamps.all().filter(({ service, pid }) => wanted.has(service) && ground.isAlive(pid));
  return new Map(alive.map(({ service, pid }) => [service, pid]));
}

function sample(at: number, age: number): Sample {
  const { descriptors, zombies } = holdingsOf(ground.pid);
  return {
    at,
    age,
    life: kills,
    memory: memoryOf(ground.pid).pss / 1e6,
    descriptors,
    zombies,
    watches: watchesOf(ground.pid),
    cgroups: ground.base === undefined ? 0 : entriesBelow(ground.base, true),
    state: bytesBelow(join(ground.directory, 'state')) / 1e6,
    files: entriesBelow(ground.directory, false),
  };
}

/** Directories, or files, at any depth; what vanishes meanwhile is not counted. */
function entriesBelow(directory: string, directories: boolean): number {
  try {
    return fs.readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
      if (!entry.isDirectory()) return directories ? sum : sum + 1;
      return sum + (directories ? 1 : 0) + entriesBelow(join(directory, entry.name), directories);
    }, 0);
  } catch {
    return 0;
  }
}

function bytesBelow(directory: string): number {
  try {
    return fs.readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
      const path = join(directory, entry.name);
      return sum + (entry.isDirectory() ? bytesBelow(path) : fs.statSync(path).size);
    }, 0);
  } catch {
    return 0;
  }
}

function report(): void {
  const figures = [
    { what: 'minutes, daemons killed, files edited', measured: `${digits(minutes)}, ${kills}, ${edits}` },
    ...judged(samples),
    {
      what: 'services left alone that were touched',
      measured: `${problems.length}`,
      goal: '0',
      met: problems.length === 0,
    },
  ];
  fs.mkdirSync(out, { recursive: true });
  const text = figureTable('Soak', figures);
  fs.writeFileSync(join(out, 'soak.md'), text);
  for (const { key, name } of QUANTITIES) {
    const points = samples.map((each) => [each.at / 60_000, each[key]] as const);
    const plot = { title: name, x: { name: 'minutes' }, y: { name }, series: [{ name, points }] };
    fs.writeFileSync(join(out, `soak-${key}.svg`), drawPlot(plot));
  }
  console.log(text);
  for (const problem of problems) console.error(problem);
  console.log(`report and plots: ${out}`);
  process.exitCode = figures.some(({ met }) => met === false) ? 1 : 0;
}
