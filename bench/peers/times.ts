/** How long does each manager take, and what does it cost? */
import { summary } from '../figures.ts';
import { pause } from '../ground.ts';
import { consumptionOf, isAliveBelow, memoryOf } from '../kernel.ts';
import { now } from '../program.ts';
import { type Command, type Kind, type Manager, stamping } from './manager.ts';

export interface Value {
  readonly what: string;
  readonly unit: 'ms' | 'MB' | '%' | '';
  /** undefined: it has no such command. */
  readonly value: number | string | undefined;
}

const START_BOUND = 120_000;

export async function timesOf(kind: Kind, count: number, quick: boolean): Promise<readonly Value[]> {
  const starts: number[] = [];
  for (let round = 0; round < (quick ? 2 : 7); round++) {
    const manager = kind.open(count);
    try {
      starts.push(await started(manager, count));
    } finally {
      manager.close();
    }
  }
  const manager = kind.open(count);
  try {
    await started(manager, count);
    await manager.ready();
    await pause(5000);
    const pss = manager.own().reduce((sum, pid) => sum + memoryOf(pid).pss, 0);
    const idle = await idleOf(manager, quick ? 10_000 : 60_000);
    const respawn = summary(await crashes(manager, quick ? 5 : 30)).median;
    const times = async (command: Command) => {
      if (kind.lacks.includes(command)) return undefined;
      const samples: number[] = [];
      for (let at = 0; at < (quick ? 3 : 20); at++) samples.push(await manager.run(command));
      return summary(samples).median;
    };
    return [
      { what: 'cold start', unit: 'ms', value: summary(starts).median },
      { what: 'crash to respawn', unit: 'ms', value: respawn },
      { what: 'adding one', unit: 'ms', value: summary(await additions(manager, quick ? 2 : 5)).median },
      { what: 'status', unit: 'ms', value: await times('status') },
      { what: 'update with nothing to do', unit: 'ms', value: await times('update') },
      { what: 'stop of all', unit: 'ms', value: await stopped(manager) },
      { what: 'PSS of the manager and its helpers', unit: 'MB', value: pss / 1e6 },
      { what: 'CPU at rest, of one core', unit: '%', value: idle },
    ];
  } finally {
    manager.close();
  }
}

export async function started(manager: Manager, count: number): Promise<number> {
  const from = manager.start();
  await stamped(manager, count);
  return Math.max(...manager.stamps.all().map(({ at }) => at)) - from;
}

async function idleOf(manager: Manager, window: number): Promise<number> {
  const cpu = () => manager.own().reduce((sum, pid) => sum + consumptionOf(pid).cpu, 0);
  const before = { cpu: cpu(), at: now() };
  await pause(window);
  return (100 * (cpu() - before.cpu)) / (now() - before.at);
}

async function crashes(manager: Manager, count: number): Promise<readonly number[]> {
  const samples: number[] = [];
  const first = manager.stamps.all().slice();
  for (let at = 0; at < count; at++) {
    await pause(20);
    const before = manager.stamps.all().length;
    const from = now();
    // Each one has run for a while: a crash right after a start is held back by most.
    process.kill(first[at]?.pid ?? 0, 'SIGKILL');
    await stamped(manager, before + 1);
    samples.push((manager.stamps.all().at(-1)?.at ?? 0) - from);
  }
  return samples;
}

async function additions(manager: Manager, count: number): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let at = 0; at < count; at++) {
    const before = manager.stamps.all().length;
    const argv = stamping(manager.program, manager.stamps, `added-${at}`);
    const from = now();
    await manager.define(`added-${at}`, { argv, note: 1, typo: false });
    await stamped(manager, before + 1);
    samples.push((manager.stamps.all().at(-1)?.at ?? 0) - from);
  }
  return samples;
}

async function stopped(manager: Manager): Promise<number> {
  const from = now();
  await manager.run('stop all');
  // Some commands only ask for it.
  const left = () => manager.stamps.all().filter(({ pid }) => isAliveBelow(pid, manager.directory));
  while (left().some(({ service }) => service.startsWith('service-'))) await pause(2);
  return now() - from;
}

async function stamped(manager: Manager, count: number): Promise<void> {
  const deadline = now() + START_BOUND;
  while (manager.stamps.all().length < count) {
    if (now() > deadline) throw new Error(`${manager.stamps.all().length} of ${count} services were started`);
    await pause(5);
  }
}
