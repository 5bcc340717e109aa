/**
 * Does everything keep running, once and only once, when the daemon is killed at random moments and started again?
 *
 * Each round changes a few services (files, commands, crashes), kills the daemon while it is at it (or before it has
 * even come up), starts it again, and compares what runs with what is wanted. Who runs is known from the stamps of the
 * processes themselves, not from the daemon.
 */
import { digits, type Figure } from './figures.ts';
import { Ground, pause } from './ground.ts';
import { type Deed, draw, Script } from './kill-script.ts';
import { now } from './program.ts';

export interface KillOptions {
  readonly rounds: number;
  /** The same seed draws the same deeds and pauses; the moments of the machine differ all the same. */
  readonly seed?: number;
  /** Services that nobody touches, and services that something happens to. */
  readonly steady?: number;
  readonly busy?: number;
  /** Keys of the master file, such as `containment`. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface KillReport {
  readonly seed: number;
  readonly rounds: number;
  readonly kills: number;
  /** Deeds done, by kind. */
  readonly deeds: Readonly<Record<string, number>>;
  /** Milliseconds from the exec of a new daemon until all was as wanted, each round. */
  readonly repaired: readonly number[];
  /** What went wrong; empty when every promise was kept. */
  readonly problems: readonly string[];
}

/** Longest time until everything must be as wanted again. Milliseconds. */
const BOUND = 20_000;

const SETTINGS = { watch: { settle: '20ms' }, prune: { max_percent: 100 } };

export async function daemonKilled(quick: boolean): Promise<readonly Figure[]> {
  const report = await killDaemons({ rounds: quick ? 20 : 200 });
  for (const problem of report.problems) console.error(problem);
  const worst = Math.max(...report.repaired);
  const deeds = Object.entries(report.deeds).map(([kind, count]) => `${count} ${kind}`);
  return [
    { what: `rounds, kills (seed ${report.seed})`, measured: `${report.rounds}, ${report.kills}` },
    { what: 'done meanwhile', measured: deeds.join(', ') },
    { what: 'exec of the new daemon until all is as wanted, longest', measured: `${digits(worst)} ms` },
    {
      what: 'processes lost, doubled, restarted without need, or not as wanted',
      measured: `${report.problems.length}`,
      goal: '0',
      met: report.problems.length === 0,
    },
  ];
}

/** Needs the right to start a daemon; makes and removes everything else itself. */
export async function killDaemons(options: KillOptions): Promise<KillReport> {
  const { rounds, seed = Math.floor(Math.random() * 2 ** 31), steady = 20, busy = 8, settings } = options;
  const ground = new Ground({ settings: { ...SETTINGS, ...settings } });
  const random = draw(seed);
  const script = new Script({ ground, random, steady, busy });
  const problems: string[] = [];
  const repaired: number[] = [];
  const deeds: Record<string, number> = {};
  let kills = 0;
  let round = 0;
  try {
    await ground.up(steady + busy);
    await ground.answers();
    problems.push(...(await script.settle(BOUND)));
    for (; round < rounds && problems.length === 0; round++) {
      const done = script.begin();
      const during = carryOut(done.slice(1), script);
      // Half of the kills hit the first moments of a change, half the time after it.
      await pause(random() * (random() < 0.5 ? 40 : 300));
      await ground.crash();
      await during;
      // One deed falls into the time without a daemon.
      await carryOut(done.slice(0, 1), script);
      kills += 1;
      if (random() < 0.4) {
        ground.start();
        await pause(random() * 200);
        await ground.crash();
        kills += 1;
      }
      const from = ground.start();
      await ground.answers();
      problems.push(...(await script.settle(BOUND)).map((text) => `round ${round}: ${text}`));
      repaired.push(now() - from);
      for (const { kind } of done) deeds[kind] = (deeds[kind] ?? 0) + 1;
    }
    if (problems.length > 0) problems.push(`seed ${seed}\n${ground.story()}`);
  } finally {
    ground.close();
  }
  return { seed, rounds: round, kills, deeds, repaired, problems };
}

async function carryOut(deeds: readonly Deed[], script: Script): Promise<void> {
  await Promise.all(deeds.map((deed) => script.carryOut(deed)));
}
