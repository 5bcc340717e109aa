/** How long does it take from a saved file to the process that it wants? */
import { type Figure, timeFigure } from './figures.ts';
import { Ground, pause } from './ground.ts';
import { now } from './program.ts';

/** The default of `watch.settle`, milliseconds. */
const SETTLE = 200;

/** Milliseconds. */
const GOALS = { watched: SETTLE + 60, typed: 200 };

const SERVICES = 100;

export async function fileSaved(quick: boolean): Promise<readonly Figure[]> {
  const samples = quick ? 5 : 30;
  const watched = await measure(samples, { settle: `${SETTLE}ms` }, async () => {});
  const typed = await measure(samples, { enabled: false }, async (ground) => {
    const { code, stderr } = await ground.pmctl('update');
    if (code !== 0) throw new Error(`pmctl update: ${code} ${stderr}`);
  });
  const among = `among ${SERVICES} services`;
  return [
    timeFigure(`new file saved until exec, ${among}, settle ${SETTLE} ms`, watched.added, GOALS.watched),
    timeFigure('changed file saved until exec of the next process', watched.changed, GOALS.watched),
    timeFigure('new file saved and `pmctl update` typed, until exec', typed.added, GOALS.typed),
    timeFigure('changed file saved and `pmctl update` typed, until exec', typed.changed, GOALS.typed),
  ];
}

async function measure(
  count: number,
  watch: Readonly<Record<string, unknown>>,
  saved: (ground: Ground) => Promise<void>,
): Promise<{ readonly added: readonly number[]; readonly changed: readonly number[] }> {
  const ground = new Ground({ settings: { watch } });
  try {
    ground.services(SERVICES);
    await ground.up(SERVICES);
    await ground.answers();
    const added: number[] = [];
    const changed: number[] = [];
    const sample = async (name: string, version: string): Promise<number> => {
      await pause(500);
      const before = ground.stamps.all().length;
      const from = now();
      ground.service(name, '', version);
      const [stamp] = await Promise.all([ground.next(name, before), saved(ground)]);
      return stamp.at - from;
    };
    for (let at = 0; at < count; at++) {
      added.push(await sample(`added-${at}`, '1'));
      changed.push(await sample(`added-${at}`, '2'));
    }
    return { added, changed };
  } finally {
    ground.close();
  }
}
