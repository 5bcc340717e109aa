/** How long does it take from the daemon's exec until every service runs? */
import { type Figure, ms, summary, timeFigure } from './figures.ts';
import { Ground, type GroundOptions } from './ground.ts';
import { consumptionOf } from './kernel.ts';
import { now } from './program.ts';

/** Milliseconds, by number of services. */
const GOALS: Readonly<Record<number, number>> = { 100: 350, 500: 1000 };

export async function coldStart(quick: boolean): Promise<readonly Figure[]> {
  const repetitions = quick ? 3 : 10;
  const figures: Figure[] = [];
  for (const count of [100, 500]) {
    for (const on of ['disk', 'memory'] as const) figures.push(...(await measure(count, on, repetitions)));
  }
  return figures;
}

async function measure(
  count: number,
  on: 'disk' | 'memory',
  repetitions: number,
): Promise<readonly Figure[]> {
  const first: number[] = [];
  const again: number[] = [];
  const adopted: number[] = [];
  const cpu: number[] = [];
  const grounds: Ground[] = [];
  const options: GroundOptions = { on };
  try {
    for (let round = 0; round < repetitions; round++) {
      const ground = new Ground(options);
      grounds.push(ground);
      ground.services(count);
      first.push(await start(ground, count));
      cpu.push(consumptionOf(ground.pid).cpu);
      await ground.answers();
      await ground.crash();
      const from = ground.start();
      await ground.answers();
      adopted.push(now() - from);
      // As after a power cut: nothing runs, and the state is that of an earlier daemon.
      ground.end();
      again.push(await start(ground, count));
      ground.end();
    }
  } finally {
    // Files are removed at the end: ext4 makes many files slowly just after many were deleted.
    for (const ground of grounds) ground.close();
  }
  const place = on === 'disk' ? 'files on disk' : 'files on tmpfs';
  return [
    timeFigure(`${count} services, nothing known before, ${place}`, first, GOALS[count]),
    timeFigure(`${count} services, with the state of an earlier daemon, ${place}`, again),
    timeFigure(`a new daemon over ${count} running services: until it answers, ${place}`, adopted),
    { what: `CPU of the daemon for ${count} services, ${place}`, measured: ms(summary(cpu).median) },
  ];
}

/** Milliseconds until the last of the services ran; each must have been started exactly once. */
async function start(ground: Ground, count: number): Promise<number> {
  const before = ground.stamps.all().length;
  const from = ground.start();
  await ground.until(`${count} services`, () => ground.stamps.all().length >= before + count);
  const stamps = ground.stamps.all().slice(before);
  if (new Set(stamps.map(({ service }) => service)).size !== stamps.length) {
    throw new Error('a service was started twice');
  }
  return Math.max(...stamps.map(({ at }) => at)) - from;
}
