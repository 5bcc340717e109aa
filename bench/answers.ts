/** How long does a person wait who asks for the state, or for an update with nothing to do? */
import { type Figure, timeFigure } from './figures.ts';
import { Ground } from './ground.ts';

/** Milliseconds. */
const GOALS = { status: 150, update: 250 };

export async function answers(quick: boolean): Promise<readonly Figure[]> {
  const samples = quick ? 5 : 30;
  return [...(await statusOf(100, samples)), ...(await updateOf(500, samples))];
}

async function statusOf(count: number, samples: number): Promise<readonly Figure[]> {
  const ground = new Ground();
  try {
    ground.services(count);
    await ground.up(count);
    await ground.answers();
    const table = await typed(ground, samples, ['status']);
    const json = await typed(ground, samples, ['status', '--json']);
    const version = await typed(ground, samples, ['--version']);
    return [
      timeFigure(`\`pmctl status\`, ${count} services`, table, GOALS.status),
      timeFigure(`\`pmctl status --json\`, ${count} services`, json, GOALS.status),
      timeFigure('`pmctl --version`: what it takes to start the program', version),
    ];
  } finally {
    ground.close();
  }
}

async function updateOf(count: number, samples: number): Promise<readonly Figure[]> {
  const ground = new Ground({ settings: { watch: { enabled: false } } });
  try {
    ground.services(count);
    await ground.up(count);
    await ground.answers();
    const before = ground.stamps.all().length;
    const update = await typed(ground, samples, ['update']);
    const touched = ground.stamps.all().length - before;
    const gone = ground.stamps.all().filter(({ pid }) => !ground.isAlive(pid)).length;
    return [
      timeFigure(`\`pmctl update\` with nothing to do, ${count} services`, update, GOALS.update),
      {
        what: `processes started or ended by ${samples} of these`,
        measured: `${touched + gone}`,
        goal: '0',
        met: touched + gone === 0,
      },
    ];
  } finally {
    ground.close();
  }
}

async function typed(ground: Ground, samples: number, words: readonly string[]): Promise<readonly number[]> {
  const times: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const { code, stderr, from, to } = await ground.pmctl(...words);
    if (code !== 0) throw new Error(`pmctl ${words.join(' ')}: ${code} ${stderr}`);
    times.push(to - from);
  }
  return times;
}
