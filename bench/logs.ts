/** What does it cost to have a log rotated, and does every line arrive? */
import fs from 'node:fs';
import { join } from 'node:path';
import { digits, type Figure, megabytes, ms, summary, timeFigure } from './figures.ts';
import { Ground } from './ground.ts';
import { type Arrival, type Lines, throughNode, throughService, toPlainFile } from './log-paths.ts';
import { LINE, STRETCH } from './log-writer.ts';

/** Through a service against a plain file: how much of the speed stays. */
const SPEED = 0.9;

/** Reading the end of a huge log against a small one: how many times as long. */
const READING = 1.25;

/** The longest pause of a writer; milliseconds. */
const PAUSE = 1000;

/** Where logs are rotated; bytes. */
const SIZE = STRETCH;

/** What suits a service that writes so much; and more than is written here, as within a day by default. Bytes. */
const WIDE = 100e6;
const NEVER = 100e9;

const HUGE = 10e9;
const SMALL = 1e6;

export async function logs(quick: boolean): Promise<readonly Figure[]> {
  return [
    ...(await speed(LINE, quick)),
    ...(await speed(4096, quick)),
    ...(await rotations(quick)),
    ...(await reading(quick ? 5 : 20)),
  ];
}

/** Each of them in turn, so that a busy moment meets all of them. */
async function speed(write: number, quick: boolean): Promise<readonly Figure[]> {
  const lines: Lines = { write, total: quick ? 300e6 : 1e9, looks: null };
  const none = (): Arrival[] => [];
  const runs = { plain: none(), service: none(), wide: none(), unrotated: none(), node: none() };
  for (let round = 0; round < (quick ? 3 : 5); round++) {
    runs.plain.push(await toPlainFile({ lines, size: SIZE }));
    runs.service.push(await throughService({ lines, size: SIZE }));
    runs.wide.push(await throughService({ lines, size: WIDE }));
    runs.unrotated.push(await throughService({ lines, size: NEVER }));
    runs.node.push(await throughNode({ lines, size: SIZE }));
  }
  const median = (all: readonly Arrival[]) => summary(all.map((each) => each.speed)).median;
  const told = (all: readonly Arrival[]) => {
    const { median: middle, min, max } = summary(all.map((each) => each.speed));
    return `${digits(middle)} MB/s (${digits(min)}–${digits(max)})`;
  };
  const what = `writes of ${write} bytes`;
  const kept = (how: string, all: readonly Arrival[]): Figure => {
    const ratio = median(all) / median(runs.plain);
    return {
      what: `${what}, how much of the speed stays ${how}: ${told(all)}`,
      measured: digits(ratio),
      goal: `≥ ${SPEED}`,
      met: ratio >= SPEED,
    };
  };
  return [
    { what: `${what}, to a plain file`, measured: told(runs.plain) },
    kept('through a service', runs.unrotated),
    kept(`when rotated at ${megabytes(WIDE)}`, runs.wide),
    kept(`when rotated at ${megabytes(SIZE)}`, runs.service),
    { what: `${what}, through a node program that reads a pipe`, measured: told(runs.node) },
    whole(`${what}, lines lost, doubled, torn`, runs.service),
  ];
}

/** Each line by itself at full speed, for that many rotations. */
async function rotations(quick: boolean): Promise<readonly Figure[]> {
  const count = quick ? 100 : 300;
  const lines = (looks: 'rotations' | 'stretches'): Lines => ({
    write: LINE,
    total: 20e9,
    looks: { for: looks, count },
  });
  const plain = await toPlainFile({ lines: lines('stretches'), size: SIZE });
  const run = await throughService({ lines: lines('rotations'), size: SIZE });
  const { gaps, cuts } = run.written;
  const longest = summary(gaps);
  return [
    {
      what: `pause of the writer in each of ${gaps.length} rotations, median`,
      measured: ms(longest.median),
    },
    {
      what: 'the longest pause',
      measured: ms(longest.max),
      goal: `≤ ${ms(PAUSE)}`,
      met: longest.max <= PAUSE,
    },
    timeFigure('just where the log was cut', cuts),
    timeFigure(`longest pause in each ${megabytes(SIZE)} to a plain file`, plain.written.gaps),
    whole('lines lost, doubled, torn', [run]),
    {
      what: `written beyond ${megabytes(SIZE)} at most, at ${digits(run.speed)} MB/s`,
      measured: megabytes(run.largest - SIZE),
      goal: `≤ ${megabytes(run.speed * 1e6)}, a second's worth`,
      met: run.largest - SIZE <= run.speed * 1e6,
    },
  ];
}

function whole(what: string, runs: readonly Arrival[]): Figure {
  const wrong = runs.map(({ counted }) => [counted.lost, counted.again, counted.torn + counted.split]);
  const sums = [0, 1, 2].map((at) => wrong.reduce((sum, each) => sum + (each[at] ?? 0), 0));
  const lines = runs.reduce((sum, { written }) => sum + written.lines, 0);
  return {
    what: `${what}, of ${lines.toLocaleString('en-US')} lines in ${runs.reduce((sum, { files }) => sum + files, 0)} files`,
    measured: sums.join(', '),
    goal: '0, 0, 0',
    met: sums.every((sum) => sum === 0),
  };
}

/** The logs are there before the daemon: most of the huge one is a hole, which a reader sees as any other content. */
async function reading(samples: number): Promise<readonly Figure[]> {
  const ground = new Ground({ settings: { watch: { enabled: false } } });
  try {
    const extra = '\nlogs:\n  rotation_frequency: none\n';
    for (const [name, size] of [
      ['huge', HUGE],
      ['small', SMALL],
    ] as const) {
      ground.service(name, extra);
      const log = join(ground.directory, 'work', name, 'stdout.log');
      const tail = `${'x'.repeat(LINE - 1)}\n`.repeat(SMALL / LINE);
      fs.writeFileSync(log, '', { mode: 0o640 });
      fs.truncateSync(log, size - tail.length);
      fs.appendFileSync(log, tail);
    }
    await ground.up(2);
    await ground.answers();
    const times: Record<'huge' | 'small', number[]> = { huge: [], small: [] };
    for (let sample = 0; sample < samples; sample++) {
      for (const name of ['huge', 'small'] as const) {
        const { code, stdout, stderr, from, to } = await ground.pmctl('logs', '-n', '50', name);
        const lines = stdout.split('\n').filter((line) => line.endsWith('xxx')).length;
        if (code !== 0 || lines !== 50)
          throw new Error(`pmctl logs ${name}: ${code}, ${lines} lines ${stderr}`);
        times[name].push(to - from);
      }
    }
    const ratio = summary(times.huge).median / summary(times.small).median;
    return [
      timeFigure(`\`pmctl logs -n 50\`, a log of ${megabytes(SMALL)}`, times.small),
      timeFigure(`\`pmctl logs -n 50\`, a log of ${digits(HUGE / 1e9)} GB`, times.huge),
      {
        what: 'how many times as long',
        measured: digits(ratio),
        goal: `≤ ${READING}`,
        met: ratio <= READING,
      },
    ];
  } finally {
    ground.close();
  }
}
