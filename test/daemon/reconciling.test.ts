/** What does a request to follow the files do, and to whom? */
import { beforeEach, describe, expect, test } from 'vitest';
import { Reconciling } from '../../src/daemon/reconciling.ts';
import type { Defined, DesiredState } from '../../src/model/spec.ts';
import { defined, name } from '../builders.ts';
import { SimulatedDaemon } from '../simulation/daemon.ts';
import { Injector } from '../twins/injector.ts';
import { Machine } from '../twins/machine.ts';
import { MemoryFiles } from '../twins/memory-files.ts';
import { Chance } from '../twins/random.ts';

let machine: Machine;
let daemon: SimulatedDaemon;
let reconciling: Reconciling;
/** What the directory says. */
let files: Map<string, Defined>;

beforeEach(() => {
  machine = new Machine(new Chance(1, 'machine'));
  files = new Map();
  const injector = new Injector();
  daemon = new SimulatedDaemon({
    number: 1,
    offset: 1_700_000_000_000,
    bootId: 'boot',
    machine,
    injector,
    files: new MemoryFiles(injector),
    reader: reading,
    chance: new Chance(1, 'daemon'),
    blindness: () => ({ tree: false, services: new Set(), runs: new Set() }),
    refuses: () => false,
    record: () => {},
    told: () => {},
    changed: (service) => daemon.containment.wake(service),
  });
  reconciling = new Reconciling({
    world: { clock: daemon.clock },
    loop: daemon.loop,
    followed: () => {},
    manager: () => {},
  });
});

function reading(): DesiredState {
  const services = new Map([...files.values()].map((each) => [each.name, each]));
  return { services, problems: [], files: services.size, readable: true };
}

function save(service: string): void {
  files.set(service, defined({ name: name(service) }));
}

/** Lets time pass; the loop is woken by what the kernel tells and when it asked for it, and for nothing else. */
function pass(duration: number): void {
  const until = machine.now + duration;
  while (machine.now < until) {
    machine.advance(machine.now + 1);
    for (let letter = daemon.mail.take(machine.now); letter; letter = daemon.mail.take(machine.now))
      letter.act();
    if (!daemon.due && (daemon.wakeAt ?? until) > machine.now) continue;
    daemon.due = false;
    const { more, wakeAt } = daemon.loop.pass(25);
    daemon.due ||= more;
    daemon.wakeAt = wakeAt === undefined ? undefined : wakeAt - daemon.offset;
  }
}

function running(): readonly string[] {
  return daemon.loop.names().filter((each) => machine.placesOf(each).length > 0);
}

const BY_HAND = { services: [], prune: false, wait: 0, by: 'bob' };

describe('--prune', () => {
  beforeEach(() => {
    for (const service of ['s1', 's2', 's3', 's4', 's5', 's6']) save(service);
    daemon.loop.reload();
    pass(1000);
    for (const service of ['s3', 's4', 's5', 's6']) files.delete(service);
  });

  async function pruned(...services: string[]): Promise<readonly string[]> {
    const { changes } = await reconciling.reconcile({ ...BY_HAND, services, prune: true }, 'update');
    pass(40_000);
    return changes.map(({ action, service }) => `${action} ${service}`);
  }

  test('removes everything that is held back', async () => {
    await reconciling.reconcile(BY_HAND, 'watch');
    expect(daemon.loop.removals.held).toEqual(['s3', 's4', 's5', 's6']);
    expect(await pruned()).toEqual(['stop s3', 'stop s4', 'stop s5', 'stop s6']);
    expect(daemon.loop.names()).toEqual(['s1', 's2']);
  });

  test('with names removes none of the others, now and later', async () => {
    await reconciling.reconcile(BY_HAND, 'watch');
    expect(await pruned('s1')).toEqual([]);
    expect(running()).toEqual(['s1', 's2', 's3', 's4', 's5', 's6']);
    expect(await pruned('s3', 's4', 's5')).toEqual(['stop s3', 'stop s4', 'stop s5']);
    expect(daemon.loop.names()).toEqual(['s1', 's2', 's6']);
    // A single removal would be meant; this one is the rest of many.
    await reconciling.reconcile(BY_HAND, 'update');
    pass(120_000);
    expect(running()).toEqual(['s1', 's2', 's6']);
    expect(daemon.loop.removals.held).toEqual(['s6']);
    expect(await pruned('s6')).toEqual(['stop s6']);
    expect(daemon.loop.removals.held).toEqual([]);
  });
});

test('a named removal is judged by what it removes, in the plan as in the deed', async () => {
  for (const service of ['s1', 's2', 's3', 's4', 's5', 's6']) save(service);
  daemon.loop.reload();
  pass(1000);
  for (const service of ['s3', 's4', 's5', 's6']) files.delete(service);
  const { changes } = await reconciling.reconcile({ ...BY_HAND, services: ['s3'] }, 'update');
  pass(40_000);
  expect(changes.map(({ action, service }) => `${action} ${service}`)).toEqual(['stop s3']);
  expect(running()).toEqual(['s1', 's2', 's4', 's5', 's6']);
});
