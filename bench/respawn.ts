/** How long is a service away when its process is killed and may come back at once? */
import { type Figure, ms, summary, timeFigure } from './figures.ts';
import { Ground, pause } from './ground.ts';
import { now } from './program.ts';

/** Milliseconds. */
const GOAL = 10;

const RESTARTS = `restart_policy:
  restart_backoff: 0s
  tolerance:
    max_restarts: 1000000
`;

export async function respawn(quick: boolean): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const count of [10, 100]) {
    const samples = await measure(count, quick ? 50 : 300);
    figures.push(timeFigure(`killed until exec of the next, ${count} services`, samples, GOAL), {
      what: `the same, 99th percentile of ${samples.length}`,
      measured: ms(summary(samples).p99),
    });
  }
  return figures;
}

async function measure(count: number, kills: number): Promise<readonly number[]> {
  const ground = new Ground();
  try {
    const names = ground.services(count, RESTARTS);
    await ground.up(count);
    await ground.answers();
    const samples: number[] = [];
    for (let kill = 0; kill < kills; kill++) {
      await pause(20);
      const name = names[kill % count] ?? '';
      const stamps = ground.stamps.all();
      const pid = stamps.findLast(({ service }) => service === name)?.pid ?? 0;
      const from = now();
      process.kill(pid, 'SIGKILL');
      samples.push((await ground.next(name, stamps.length)).at - from);
    }
    return samples;
  } finally {
    ground.close();
  }
}
