/** How long does it take until everything is gone? */
import { type Figure, timeFigure } from './figures.ts';
import { Ground } from './ground.ts';
import { now } from './program.ts';

export async function stopAll(quick: boolean): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const count of [100, 500]) figures.push(...(await measure(count, quick ? 3 : 10)));
  return figures;
}

async function measure(count: number, samples: number): Promise<readonly Figure[]> {
  const gone: number[] = [];
  const told: number[] = [];
  const ended: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const ground = new Ground();
    try {
      ground.services(count);
      await ground.up(count);
      await ground.answers();
      const stop = ground.pmctl('stop', 'all');
      const emptied = allGone(ground);
      const { code, stderr, from, to } = await stop;
      if (code !== 0) throw new Error(`pmctl stop all: ${code} ${stderr}`);
      told.push(to - from);
      gone.push((await emptied) - from);
      const before = ground.stamps.all().length;
      const restart = await ground.pmctl('start', 'all');
      if (restart.code !== 0) throw new Error(`pmctl start all: ${restart.code} ${restart.stderr}`);
      await ground.until(`${count} services`, () => ground.stamps.all().length >= before + count);
      const typed = await ground.pmctl('shutdown', '--stop-services');
      await ground.until('the daemon to end', () => !ground.isRunning, 1);
      ended.push(now() - typed.from);
      if (alive(ground).length > 0) throw new Error('the daemon has ended before its services');
    } finally {
      ground.close();
    }
  }
  return [
    timeFigure(`\`pmctl stop all\` typed until no process of ${count} services is left`, gone),
    timeFigure('until it says so', told),
    timeFigure(
      `\`pmctl shutdown --stop-services\` typed until the daemon has ended, ${count} services`,
      ended,
    ),
  ];
}

async function allGone(ground: Ground): Promise<number> {
  let left = alive(ground);
  await ground.until(
    'the processes to end',
    () => {
      left = left.filter((pid) => ground.isAlive(pid));
      return left.length === 0;
    },
    2,
  );
  return now();
}

function alive(ground: Ground): readonly number[] {
  return ground.stamps
    .all()
    .map(({ pid }) => pid)
    .filter((pid) => ground.isAlive(pid));
}
