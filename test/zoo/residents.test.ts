/** Every promise about start, stop and exit, on each animal that stays until it is asked to end. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LifecycleLine } from '../e2e/lifecycle-lines.ts';
import { RESIDENTS, type Resident } from './animals.ts';
import { Enclosure, GRACE, type Sight, SLACK, TRIED } from './enclosure.ts';
import { headlessIsPossible } from './headless.ts';
import { livingByName } from './truth.ts';

const animals = RESIDENTS.filter(({ name }) => name !== 'headless' || headlessIsPossible);

/** What was seen at each station of their lives; one daemon has them all, as the start of each would take longer. */
interface Lives {
  born: ReadonlyMap<string, Sight>;
  stop: { readonly code: number | null; readonly took: number };
  afterStop: ReadonlyMap<string, readonly number[]>;
  stopped: readonly LifecycleLine[];
  asked: readonly LifecycleLine[];
  again: ReadonlyMap<string, Sight>;
  respawned: ReadonlyMap<string, Sight>;
  exited: readonly LifecycleLine[];
  adopted: ReadonlyMap<string, Sight>;
  adoptions: readonly LifecycleLine[];
  lastStop: { readonly code: number | null; readonly took: number };
  afterLastStop: ReadonlyMap<string, readonly number[]>;
  harmed: readonly string[];
}

describe.each(TRIED)('$title', (ground) => {
  let zoo: Enclosure;
  const lives: Partial<Lives> = {};

  beforeAll(async () => {
    zoo = new Enclosure(ground);
    // Who ends when he is asked to has all the time for it.
    const patience = { process: { stop_grace: `${SLACK}ms` } };
    for (const { name, late } of animals) zoo.admit(name, late === true ? {} : patience);
    zoo.invite();
    await live(zoo, lives);
  }, 120_000);
  afterAll(async () => {
    await zoo.close();
  });

  const escapes = (animal: Resident) => animal.escapes?.on(ground) === true;
  const seen = (station: 'born' | 'again' | 'respawned' | 'adopted', { name }: Resident) => {
    const sight = lives[station]?.get(name);
    if (sight?.view === undefined) throw new Error(`${name} was not seen:\n${zoo.host.story()}`);
    const pids = sight.view.instances.flatMap((instance) => instance.pids);
    return { ...sight, view: sight.view, pids };
  };

  describe.each(animals)('$name', (animal) => {
    const { name, processes } = animal;

    test('starts, and is seen running with every process that it has', () => {
      const { living, view, pids } = seen('born', animal);
      expect({ living: living.length, state: view.state }, zoo.host.story()).toEqual({
        living: processes,
        state: 'running',
      });
      const unseen = living.filter((pid) => !pids.includes(pid));
      expect(unseen).toHaveLength(escapes(animal) ? 1 : 0);
    });

    test('is gone with everything when its stop says so, and how it ended is told', () => {
      expect(lives.afterStop?.get(name) ?? []).toHaveLength(escapes(animal) ? 1 : 0);
      const told = lives.stopped?.filter(({ service }) => service === name) ?? [];
      expect(told.map(({ fields }) => fields['exit_reason'])).toEqual([animal.ends]);
      const asked = lives.asked?.filter(({ service }) => service === name) ?? [];
      expect(asked.map(({ fields }) => [fields['signal'], fields['reason']])).toEqual([
        ['TERM', 'stop_requested'],
        ...(animal.late === true ? [['KILL', 'stop_requested_grace_timeout']] : []),
      ]);
    });

    test('is started anew when its main process is killed, after what that left', () => {
      const before = seen('again', animal);
      const after = seen('respawned', animal);
      expect(after.view.state).toBe('running');
      expect(after.view.instances).toHaveLength(1);
      expect(after.living.filter((pid) => !before.living.includes(pid))).toHaveLength(processes);
      expect(after.living.filter((pid) => before.living.includes(pid))).toHaveLength(escapes(animal) ? 1 : 0);
      const told = lives.exited?.filter(({ service }) => service === name) ?? [];
      expect(told.map(({ fields }) => [fields['exit_reason'], fields['restart_action']])).toEqual([
        [animal.mainGone === true ? 'exit_0' : 'signal_9', 'respawn'],
      ]);
    });

    test('is adopted by the next daemon after kill -9, once, as it is', () => {
      const before = seen('respawned', animal);
      const after = seen('adopted', animal);
      expect([...after.living].sort()).toEqual([...before.living].sort());
      expect(after.view).toMatchObject({
        state: 'running',
        pid: before.view.pid,
        restarts: expect.any(Number),
      });
      expect(after.pids).toEqual(before.pids);
      const told = lives.adoptions?.filter(({ service }) => service === name) ?? [];
      expect(told.map(({ event, fields }) => [event, fields['reason']])).toEqual([
        ['worker_started', 'adopted'],
      ]);
    });

    test('is gone with everything when the stop by that daemon says so', () => {
      const left = lives.afterLastStop?.get(name) ?? [];
      expect(left.length > 0, zoo.left(name).join(', ')).toBe(escapes(animal));
    });
  });

  test('each stop succeeds, within grace and time to kill', () => {
    for (const stop of [lives.stop, lives.lastStop]) {
      expect(stop).toMatchObject({ code: 0 });
      // All of them at once: where there are no cgroups, each is looked for among all processes of the host.
      expect(stop?.took).toBeLessThan(GRACE + 2 * SLACK);
    }
  });

  test('nobody else is signalled', () => {
    expect(lives.harmed).toEqual([]);
  });
});

async function live(zoo: Enclosure, lives: Partial<Lives>): Promise<void> {
  const { host } = zoo;
  await host.start();
  lives.born = await zoo.awake(animals);
  lives.stop = await stopAll(zoo);
  lives.afterStop = livingByName(host.work);
  lives.stopped = await told(zoo, 'worker_stopped');
  lives.asked = host.lifecycle('worker_stop_requested');
  await zoo.clean();

  await host.pmctl('start', 'all', '--no-wait');
  lives.again = await zoo.awake(animals);
  const former = new Map([...lives.again].map(([name, { view }]) => [name, view?.instances[0]?.run_id]));
  zoo.forgetReady();
  for (const [name, { view }] of lives.again) {
    const victims = view?.pid == null ? (view?.instances[0]?.pids ?? []) : [view.pid];
    for (const pid of victims) process.kill(pid, 'SIGKILL');
    if (victims.length === 0) throw new Error(`${name} has no process`);
  }
  lives.exited = await told(zoo, 'worker_exited');
  const left = (name: string) => (lives.afterStop?.get(name) ?? []).length;
  lives.respawned = await zoo.awake(
    animals.map(({ name, processes }) => ({ name, processes: processes + left(name) })),
    ({ name, instances }) => instances.length === 1 && instances[0]?.run_id !== former.get(name),
  );

  await host.crash();
  await host.start();
  lives.adopted = await zoo.awake(
    animals.map(({ name, processes }) => ({ name, processes: processes + left(name) })),
  );
  await told(zoo, 'worker_started');
  lives.adoptions = host.lifecycle().filter(({ service }) => service !== undefined);
  lives.lastStop = await stopAll(zoo);
  lives.afterLastStop = livingByName(host.work);
  lives.harmed = zoo.harmed;
}

async function stopAll({ host }: Enclosure): Promise<Lives['stop']> {
  const began = Date.now();
  const { code } = await host.pmctl('stop', 'all');
  return { code, took: Date.now() - began };
}

/** Waits until the end of every animal is told. */
function told({ host }: Enclosure, event: string): Promise<readonly LifecycleLine[]> {
  const names = new Set(animals.map(({ name }) => name));
  return host.until(
    `${event} of each`,
    () => {
      const lines = host.lifecycle(event);
      return [...names].every((name) => lines.some(({ service }) => service === name)) ? lines : undefined;
    },
    () => [...names].filter((name) => !host.lifecycle(event).some(({ service }) => service === name)),
  );
}
