/** Is a request lost while a service is replaced again and again? */
import { digits, type Figure, ms, summary } from './figures.ts';
import { now } from './program.ts';
import { sharedPort } from './shared-port.ts';
import { IN_FLIGHT, INSTANCES, WebGround } from './web-ground.ts';

export async function rolling(quick: boolean): Promise<readonly Figure[]> {
  const replacements = quick ? 50 : 1000;
  const web = await WebGround.open();
  try {
    await web.up();
    const client = web.client();
    const samples: number[] = [];
    const from = now();
    for (let at = 1; at <= replacements; at++) {
      web.version(`${at}`);
      const { code, stdout, stderr, ...took } = await web.ground.pmctl('update');
      if (code !== 0) throw new Error(`update number ${at} ended with ${code}:\n${stdout}${stderr}`);
      samples.push(took.to - took.from);
    }
    const seconds = (now() - from) / 1000;
    const { answered, failed, longestSilence } = await client.end();
    for (const one of failed.slice(0, 10)) console.log(one);
    const { median, min, max } = summary(samples);
    return [
      {
        what: `failed requests in ${replacements} rolling replacements of ${INSTANCES} servers, one port each`,
        measured: `${failed.length} of ${answered.toLocaleString('en-US')}`,
        goal: '0',
        met: failed.length === 0,
      },
      {
        what: `requests under way at a time, answers a second, longest time without one`,
        measured: `${IN_FLIGHT}; ${digits(answered / seconds)}; ${ms(longestSilence)}`,
      },
      { what: 'one replacement, `pmctl update`', measured: `${ms(median)} (${ms(min)}–${ms(max)})` },
      ...(await sharedPort(quick ? 20 : 200)),
    ];
  } finally {
    await web.close();
  }
}
