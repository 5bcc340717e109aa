/** What does the daemon cost while nothing happens? */
import { digits, type Figure, megabytes } from './figures.ts';
import { Ground, pause } from './ground.ts';
import { consumptionOf, memoryOf } from './kernel.ts';
import { now } from './program.ts';

/** Bytes of PSS by number of services, and percent of one core. */
const MEMORY: Readonly<Record<number, number>> = { 100: 65e6, 500: 80e6 };
const IDLE = 0.1;

/** What a start leaves behind (garbage, compiled code) is given up after a while. Milliseconds. */
const CALM = 10_000;

export async function footprint(quick: boolean): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const count of [100, 500]) figures.push(...(await measure(count, quick ? 10_000 : 90_000)));
  return figures;
}

async function measure(count: number, window: number): Promise<readonly Figure[]> {
  const ground = new Ground();
  try {
    ground.services(count);
    await ground.up(count);
    await ground.answers();
    const early = memoryOf(ground.pid);
    await pause(CALM);
    const from = now();
    const before = consumptionOf(ground.pid);
    await pause(window);
    const after = consumptionOf(ground.pid);
    const elapsed = now() - from;
    const { pss, rss } = memoryOf(ground.pid);
    const percent = (100 * (after.cpu - before.cpu)) / elapsed;
    const goal = MEMORY[count] ?? 0;
    const seconds = Math.round(elapsed / 1000);
    return [
      {
        what: `PSS of the daemon, ${count} services`,
        measured: megabytes(pss),
        goal: `≤ ${megabytes(goal)}`,
        met: pss <= goal,
      },
      {
        what: 'its RSS, and both just after the start (PSS / RSS)',
        measured: `${megabytes(rss)}; ${megabytes(early.pss)} / ${megabytes(early.rss)}`,
      },
      {
        what: `CPU while idle over ${seconds} s, ${count} services`,
        measured: `${digits(percent)} % of a core (${after.ticks - before.ticks} ticks)`,
        goal: `< ${IDLE} %`,
        met: percent < IDLE,
      },
      {
        what: 'wake-ups while idle, all threads',
        measured: `${digits((1000 * (after.wakeUps - before.wakeUps)) / elapsed)} /s`,
      },
    ];
  } finally {
    ground.close();
  }
}
