/** Is a service away while a version that cannot run tries to take over? */
import { type Figure, ms } from './figures.ts';
import { WebGround } from './web-ground.ts';

const BROKEN = [
  ['exits at once', 'exit'],
  ['is never ready', 'unready'],
] as const;

/** Longer than this without any answer, and the service was away. Milliseconds. */
const AWAY = 1000;

export async function brokenVersion(quick: boolean): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const web = await WebGround.open();
  try {
    await web.up();
    for (const [does, how] of BROKEN) figures.push(...(await measure(web, does, how, quick ? 3 : 20)));
    return figures;
  } finally {
    await web.close();
  }
}

async function measure(web: WebGround, does: string, how: string, times: number): Promise<readonly Figure[]> {
  const client = web.client();
  let told = 0;
  for (let at = 0; at < times; at++) {
    web.version(`${how} ${at}`, { BROKEN: how }, { timeout: '2s' });
    const bad = await web.ground.pmctl('update');
    if (bad.code === 5) told += 1;
    web.version(`mended ${how} ${at}`);
    const good = await web.ground.pmctl('update');
    if (good.code !== 0) throw new Error(`the good version did not take over:\n${good.stdout}${good.stderr}`);
  }
  const { answered, failed, longestSilence } = await client.end();
  const away = longestSilence > AWAY ? longestSilence / 1000 : 0;
  return [
    {
      what: `outage by a version that ${does}, ${times} times (longest time without an answer)`,
      measured: `${away} s (${ms(longestSilence)})`,
      goal: '0 s',
      met: away === 0,
    },
    {
      what: 'failed requests meanwhile',
      measured: `${failed.length} of ${answered.toLocaleString('en-US')}`,
      goal: '0',
      met: failed.length === 0,
    },
    {
      what: '`pmctl update` ended with 5',
      measured: `${told} of ${times}`,
      goal: `${times}`,
      met: told === times,
    },
  ];
}
