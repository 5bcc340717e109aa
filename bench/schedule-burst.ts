/** A thousand scheduled services have the same time: do all of them run at once, and each only once? */
import { type Figure, ms, summary } from './figures.ts';
import { Ground, pause } from './ground.ts';
import { now } from './program.ts';

/** Milliseconds. */
const GOAL = 2000;

/** From the moment that the daemon answers until the common time. Milliseconds. */
const AHEAD = 5000;

/** When nothing has started for so long, nothing more will. Milliseconds. */
const STILL = 5000;

export async function scheduleBurst(quick: boolean): Promise<readonly Figure[]> {
  const count = quick ? 200 : 1000;
  // The programs stay: a second start of one of them would be seen, and their ends are not what is measured.
  const ground = new Ground({ settings: { watch: { enabled: false } } });
  try {
    // Reading a thousand files takes a while, so that the common time is set when the daemon is up.
    const names = ground.services(count, '  schedule: "0 0 1 1 *"\n');
    ground.start();
    await ground.answers();
    const time = new Date(Math.ceil((Date.now() + AHEAD + count * 10) / 1000) * 1000);
    const [second, minute, hour] = [time.getUTCSeconds(), time.getUTCMinutes(), time.getUTCHours()];
    const cron = `${second} ${minute} ${hour} ${time.getUTCDate()} ${time.getUTCMonth() + 1} *`;
    for (const name of names) ground.service(name, `  schedule: { cron: "${cron}", timezone: UTC }\n`);
    const update = await ground.pmctl('update');
    if (update.code !== 0)
      throw new Error(`update ended with ${update.code}:\n${update.stdout}${update.stderr}`);
    const left = time.getTime() - Date.now();
    if (left <= 0) throw new Error('the common time came before all files were read');
    const due = now() + left;
    if (ground.stamps.all().length > 0) throw new Error('a service ran before its time');
    await ground.until(`${count} services to run`, () => ground.stamps.all().length >= count, 50);
    await pause(STILL);
    const stamps = ground.stamps.all();
    const times = new Map<string, number>();
    for (const { service } of stamps) times.set(service, (times.get(service) ?? 0) + 1);
    const twice = [...times.values()].filter((each) => each > 1).length;
    const after = stamps.map(({ at }) => at - due);
    const { median, min, max } = summary(after);
    return [
      {
        what: `${count} services with the same time: from that time until the last one runs`,
        measured: ms(max),
        goal: `≤ ${ms(GOAL)}`,
        met: max <= GOAL,
      },
      { what: 'first and median', measured: `${ms(min)} / ${ms(median)}` },
      { what: 'started', measured: `${times.size}`, goal: `${count}`, met: times.size === count },
      { what: 'started twice', measured: `${twice}`, goal: '0', met: twice === 0 },
    ];
  } finally {
    ground.close();
  }
}
