/** Stopped means gone, also of what forks faster than anybody can look. */
import fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { GROUNDS } from '../e2e/grounds.ts';
import { statusField } from '../e2e/processes.ts';
import { isRoot } from '../linux/ground.ts';
import { LOUD } from './animals.ts';
import { type Changes, Enclosure, GRACE, SLACK, TRIED } from './enclosure.ts';
import { Leash } from './leash.ts';

describe.each(GROUNDS)('$title', (ground) => {
  // Other tests have processes of nobody too, and would change how many a bound leaves.
  const animals = LOUD.filter(({ bound }) =>
    bound === null ? TRIED.includes(ground) : ground.user === 'self',
  );
  let zoo: Enclosure;

  beforeAll(async () => {
    zoo = new Enclosure(ground);
    zoo.invite();
    await zoo.host.start();
  });
  afterAll(async () => {
    for (const name of fs.readdirSync(zoo.host.work)) fs.writeFileSync(join(zoo.placeOf(name), 'enough'), '');
    await zoo.close();
  });

  test.each(animals)('$name', async ({ name, bound, escapes }) => {
    const { host } = zoo;
    onTestFailed(() => console.error(host.story()));
    const place = zoo.makePlace(name);
    const leash = new Leash(place);
    onTestFinished(() => leash.close());
    zoo.admit(name, bound === null ? {} : bounded(bound));
    await host.says(`${name}/ready`);
    const main = (await host.sees(name, 'running', ({ pid }) => pid !== null)).pid ?? 0;
    await host.says(`${name}/hops`, (text) => text.length > 30);
    expect(leash.isHeld).toBe(true);
    expect(await host.view(name)).toMatchObject({ state: 'running', pid: main });

    const began = Date.now();
    const stop = await host.pmctl('stop', name, '--timeout', `${GRACE + SLACK}ms`);
    const isLeft = leash.isHeld;
    if (escapes?.on(ground) === true && stop.code !== 0) {
      // It is not promised that it is gone, but that nobody says so.
      expect(isLeft).toBe(true);
      expect((await host.view(name))?.state).toBe('stopping');
      fs.writeFileSync(join(place, 'enough'), '');
      await host.sees(name, 'stopped', ({ state }) => state === 'stopped');
      expect(leash.isHeld).toBe(false);
    } else {
      expect(stop).toMatchObject({ code: 0 });
      expect(isLeft).toBe(false);
      expect(Date.now() - began).toBeLessThan(GRACE + SLACK + 1000);
      expect(await host.view(name)).toMatchObject({ state: 'stopped' });
    }
    expect(zoo.harmed).toEqual([]);
  });
});

/** As a user who is not root, since no limit of this kind holds root. */
function bounded(more: number): Changes {
  const uid = isRoot ? SPARE.uid : (process.getuid?.() ?? 0);
  const nproc = threadsOf(uid) + more;
  return { process: { rlimits: { nproc }, ...(isRoot ? { user: SPARE.name } : {}) } };
}

/** A user of every Debian that nobody works as. */
const SPARE = { name: 'games', uid: 5 };

/** What RLIMIT_NPROC counts (getrlimit(2)). */
function threadsOf(uid: number): number {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .map(Number)
    .filter((pid) => Number(statusField(pid, 'Uid').split('\t')[0]) === uid)
    .reduce((sum, pid) => sum + Number(statusField(pid, 'Threads')), 0);
}
