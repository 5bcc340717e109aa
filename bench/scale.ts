/** How does the cost grow with the number of services? */
import { digits, type Figure, megabytes, ms, summary } from './figures.ts';
import { Ground, pause } from './ground.ts';
import { consumptionOf, memoryOf } from './kernel.ts';
import { drawPlot, type KeepPlot } from './plot.ts';
import { now } from './program.ts';

/** What was measured with so many services. Milliseconds, and bytes. */
export interface Size {
  readonly declared: number;
  readonly running: number;
  readonly start: number;
  /** Until a new daemon over all that runs answers. */
  readonly adopt: number;
  readonly status: number;
  readonly idleUpdate: number;
  /** One file was changed. */
  readonly update: number;
  readonly pss: number;
  /** CPU at rest; percent of a core. */
  readonly idle: number;
}

/** The others are declared and disabled: so many processes are a burden for the host, not for the daemon. */
const RUNNING_AT_MOST = 1000;

/** A line between two sizes may rise by so much faster than their number: the measurements are not exact. */
const LINEAR = 1.25;

const CALM = 10_000;

export async function scale(quick: boolean, keep: KeepPlot): Promise<readonly Figure[]> {
  const sizes: Size[] = [];
  for (const declared of quick ? [250, 1000] : [250, 500, 1000, 2000, 5000]) {
    sizes.push(await measure(declared, quick));
  }
  const drawn = (
    name: string,
    title: string,
    unit: string,
    keys: readonly (readonly [keyof Size, string, number])[],
  ) => {
    const series = keys.map(([key, what, by]) => ({
      name: what,
      points: sizes.map((size) => [size.declared, size[key] / by] as const),
    }));
    keep(name, drawPlot({ title, x: { name: 'services declared' }, y: { name: unit }, series }));
  };
  drawn('scale-time', 'Time by number of services', 'ms', [
    ['adopt', 'a new daemon', 1],
    ['update', 'update, one change', 1],
    ['idleUpdate', 'update, no change', 1],
    ['status', 'status', 1],
  ]);
  drawn('scale-memory', 'Memory by number of services', 'MB', [['pss', 'PSS', 1e6]]);
  return [...sizes.map(figureOf), ...growths(sizes)];
}

async function measure(declared: number, quick: boolean): Promise<Size> {
  const running = Math.min(declared, RUNNING_AT_MOST);
  const ground = new Ground({ settings: { watch: { enabled: false } } });
  try {
    for (let at = 0; at < declared; at++) ground.service(nameOf(at), at < running ? '' : 'enabled: false\n');
    const began = ground.start();
    await ground.until(`${running} services`, () => ground.stamps.all().length >= running);
    const start = Math.max(...ground.stamps.all().map(({ at }) => at)) - began;
    await ground.answers();
    await ground.crash();
    const from = ground.start();
    await ground.answers();
    const adopt = now() - from;
    await pause(CALM);
    const { pss } = memoryOf(ground.pid);
    const before = { ...consumptionOf(ground.pid), at: now() };
    await pause(quick ? 10_000 : 30_000);
    const idle = (100 * (consumptionOf(ground.pid).cpu - before.cpu)) / (now() - before.at);
    const samples = quick ? 3 : 10;
    const status = await typed(ground, samples, ['status']);
    const idleUpdate = await typed(ground, samples, ['update']);
    const update = await typed(ground, samples, ['update'], (sample) =>
      ground.service(nameOf(sample), '', `${sample + 2}`),
    );
    const started = ground.stamps.all().length;
    if (started !== running + samples) throw new Error(`${started} starts instead of ${running + samples}`);
    return { declared, running, start, adopt, status, idleUpdate, update, pss, idle };
  } finally {
    ground.close();
  }
}

/** The median of some calls; milliseconds. */
async function typed(
  ground: Ground,
  samples: number,
  words: readonly string[],
  prepare: (sample: number) => void = () => undefined,
): Promise<number> {
  const times: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    prepare(sample);
    const { code, stderr, from, to } = await ground.pmctl(...words);
    if (code !== 0) throw new Error(`pmctl ${words.join(' ')}: ${code} ${stderr}`);
    times.push(to - from);
  }
  return summary(times).median;
}

function nameOf(at: number): string {
  return `service-${String(at).padStart(4, '0')}`;
}

function figureOf(size: Size): Figure {
  const { declared, running } = size;
  const parts = [
    `start ${ms(size.start)}`,
    `new daemon ${ms(size.adopt)}`,
    `\`status\` ${ms(size.status)}`,
    `\`update\` ${ms(size.idleUpdate)} with nothing to do, ${ms(size.update)} with one change`,
    `PSS ${megabytes(size.pss)}`,
    `idle ${digits(size.idle)} %`,
  ];
  return { what: `${declared} declared, ${running} running`, measured: parts.join('; ') };
}

function growths(sizes: readonly Size[]): readonly Figure[] {
  const columns = [
    { key: 'adopt', what: 'a new daemon over what runs' },
    { key: 'status', what: '`status`' },
    { key: 'idleUpdate', what: '`update` with nothing to do' },
    { key: 'update', what: '`update` with one change' },
    { key: 'pss', what: 'PSS' },
  ] as const;
  return columns.map(({ key, what }) => {
    const slopes = sizes.slice(1).map((size, at) => {
      const before = sizes[at] as Size;
      return size[key] / before[key] / (size.declared / before.declared);
    });
    const worst = Math.max(...slopes);
    return {
      what: `growth of ${what}, at worst between two sizes, beside the growth of their number`,
      measured: `${digits(worst)} ×`,
      goal: `≤ ${LINEAR} ×`,
      met: worst <= LINEAR,
    };
  });
}
