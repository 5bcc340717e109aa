/** Somebody else froze it: the stop thaws what it may, kills what it can, and names what it can do nothing about. */
import fs from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { isRoot } from '../linux/ground.ts';
import { Enclosure, GRACE, SLACK, TRIED } from './enclosure.ts';
import { endAllIn, livingIn } from './truth.ts';

/** The freezer of cgroup v1: not even SIGKILL reaches what it holds (freezer-subsystem.rst of the kernel). */
const FREEZER = '/sys/fs/cgroup/freezer';
const hasFreezer = isRoot && fs.existsSync(`${FREEZER}/cgroup.procs`);

describe.each(TRIED)('$title', (ground) => {
  let zoo: Enclosure;
  beforeAll(async () => {
    zoo = new Enclosure(ground);
    zoo.admit('polite');
    // The same with all the time to end by itself.
    const command = ['sh', join(zoo.host.directory, 'animals', 'polite.sh')];
    zoo.admitCommand('patient', command, { process: { stop_grace: `${SLACK}ms` } });
    await zoo.host.start();
  });
  afterAll(() => zoo.close());

  /** Started (again), and ready to answer. */
  async function ready(name: string): Promise<readonly number[]> {
    const { host } = zoo;
    onTestFailed(() => console.error(host.story()));
    if ((await host.view(name))?.state !== 'stopped') await host.pmctl('stop', name);
    fs.rmSync(`${zoo.placeOf(name)}/ready`, { force: true });
    await host.pmctl('start', name, '--no-wait');
    await host.says(`${name}/ready`);
    await host.sees(name, 'running', ({ state }) => state === 'running');
    return livingIn(zoo.placeOf(name));
  }

  test.runIf(ground.containment === 'cgroup').each<[string, (run: string) => string, string, string]>([
    ['run', (run) => run, 'patient', 'exit_7'],
    ['service', (run) => `${run}/..`, 'patient', 'exit_7'],
    ['whole tree', (run) => `${run}/../..`, 'polite', 'signal_9'],
  ])('a frozen %s ends by its stop', async (_what, of, name, ends) => {
    const { host } = zoo;
    await ready(name);
    const stopped = () => host.lifecycle('worker_stopped').filter(({ service }) => service === name);
    const before = stopped().length;
    const service = `${host.base}/services/${name}`;
    const entries = fs.readdirSync(service, { withFileTypes: true });
    const run = entries.find((entry) => entry.isDirectory())?.name ?? '';
    const frozen = resolve(of(`${service}/${run}`));
    fs.writeFileSync(`${frozen}/cgroup.freeze`, '1');
    onTestFinished(() => {
      if (fs.existsSync(frozen)) fs.writeFileSync(`${frozen}/cgroup.freeze`, '0');
    });
    await host.until('it to be frozen', () =>
      /^frozen 1$/m.test(fs.readFileSync(`${frozen}/cgroup.events`, 'utf8')) ? true : undefined,
    );
    const began = Date.now();
    expect(await host.pmctl('stop', name)).toMatchObject({ code: 0 });
    expect(Date.now() - began).toBeLessThan(GRACE + SLACK);
    expect(livingIn(zoo.placeOf(name))).toEqual([]);
    const told = await host.until('its end to be told', () => {
      const lines = stopped().slice(before);
      return lines.length > 0 ? lines : undefined;
    });
    expect(told.map(({ fields }) => fields['exit_reason'])).toEqual([ends]);
  });

  test.runIf(hasFreezer)(
    'what survives SIGKILL blocks the stop and is named; thawed, it is gone without being asked again',
    async () => {
      const { host } = zoo;
      const pids = await ready('polite');
      const freezer = `${FREEZER}/pmzoo-${process.pid}-${host.pid}`;
      const thaw = () => fs.writeFileSync(`${freezer}/freezer.state`, 'THAWED');
      fs.mkdirSync(freezer);
      onTestFinished(async () => {
        thaw();
        await endAllIn(zoo.placeOf('polite'));
        fs.rmdirSync(freezer);
      });
      for (const pid of pids) fs.writeFileSync(`${freezer}/cgroup.procs`, String(pid));
      fs.writeFileSync(`${freezer}/freezer.state`, 'FROZEN');
      await host.until('it to be frozen', () =>
        fs.readFileSync(`${freezer}/freezer.state`, 'utf8').trim() === 'FROZEN' ? true : undefined,
      );

      const began = Date.now();
      const stop = await host.pmctl('stop', 'polite', '--json');
      expect(stop.code).toBe(1);
      expect(Date.now() - began).toBeLessThan(GRACE + SLACK);
      expect(stop.json.results).toMatchObject([{ service: 'polite', result: 'failed' }]);
      const view = await host.view('polite');
      expect(view?.state).toBe('stopping');
      for (const pid of pids) {
        expect(stop.json.results[0].detail).toContain(`${pid} `);
        expect(view?.reason).toContain(`${pid} `);
      }
      expect(view?.reason).toContain(`frozen by ${freezer}`);
      expect(livingIn(zoo.placeOf('polite'))).toEqual(pids);

      thaw();
      await host.sees('polite', 'stopped', ({ state }) => state === 'stopped');
      expect(livingIn(zoo.placeOf('polite'))).toEqual([]);
    },
  );
});
