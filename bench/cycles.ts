/** Do a thousand starts and stops leave anything behind? */
import fs from 'node:fs';
import { join } from 'node:path';
import { type Figure, megabytes } from './figures.ts';
import { Ground, pause } from './ground.ts';
import { holdingsOf, memoryOf } from './kernel.ts';

const SERVICES = 10;

/** So much may the memory of the daemon be above what it was; its collector works when it likes. Bytes. */
const SLACK = 15e6;

export async function cycles(quick: boolean): Promise<readonly Figure[]> {
  const rounds = quick ? 10 : 100;
  const ground = new Ground();
  try {
    const names = ground.services(SERVICES);
    await ground.up(SERVICES);
    await ground.answers();
    // What is loaded and compiled once, and what is kept up to a bound, is no leak: both are there after a while.
    for (let round = 0; round < rounds; round++) await cycle(ground, names);
    const before = await look(ground);
    for (let round = 0; round < rounds; round++) await cycle(ground, names);
    const after = await look(ground);
    const same = (key: 'descriptors' | 'zombies' | 'cgroups' | 'processes'): Figure => ({
      what: `${key}, before and after`,
      measured: `${before[key]}, ${after[key]}`,
      goal: 'the same',
      met: before[key] === after[key],
    });
    return [
      { what: 'starts and stops', measured: `${rounds * SERVICES}` },
      same('descriptors'),
      same('zombies'),
      same('cgroups'),
      same('processes'),
      {
        what: 'PSS of the daemon, before and after',
        measured: `${megabytes(before.pss)}, ${megabytes(after.pss)}`,
        goal: `≤ ${megabytes(SLACK)} more`,
        met: after.pss - before.pss <= SLACK,
      },
    ];
  } finally {
    ground.close();
  }
}

async function cycle(ground: Ground, services: readonly string[]): Promise<void> {
  await command(ground, 'stop', services, 10_000);
  const before = ground.stamps.all().length;
  await command(ground, 'start', services, 0);
  await ground.until('all to run again', () => ground.stamps.all().length >= before + services.length, 2);
}

async function command(ground: Ground, verb: string, services: readonly string[], wait: number) {
  const answer = await ground.ask('POST', '/api/command', { verb, services, wait });
  const results = answer['results'] as readonly { readonly result: string }[];
  const bad = results.filter(({ result }) => result !== 'done' && (wait > 0 || result !== 'pending'));
  if (bad.length > 0) throw new Error(`${verb}: ${JSON.stringify(bad[0])}`);
}

async function look(ground: Ground) {
  await pause(3000);
  const processes = ground.stamps.all().filter(({ pid }) => ground.isAlive(pid)).length;
  return { ...holdingsOf(ground.pid), ...memoryOf(ground.pid), cgroups: cgroupsIn(ground.base), processes };
}

function cgroupsIn(directory: string | undefined): number {
  if (directory === undefined) return 0;
  const below = fs.readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return below.reduce((sum, { name }) => sum + cgroupsIn(join(directory, name)), 1);
}
