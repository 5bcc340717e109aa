import { beforeEach, describe, expect, it } from 'vitest';
import type { ServiceName } from '../../src/model/names.ts';
import type { Defined, DesiredState } from '../../src/model/spec.ts';
import { defined, problem, WEB } from '../builders.ts';
import { SimulatedDaemon } from '../simulation/daemon.ts';
import { Injector } from '../twins/injector.ts';
import { Machine } from '../twins/machine.ts';
import { MemoryFiles } from '../twins/memory-files.ts';
import { Chance } from '../twins/random.ts';

const BUSY = problem({ code: 'stop-blocked', message: 'EBUSY' });

let machine: Machine;
let files: MemoryFiles;
let daemon: SimulatedDaemon;
let backoff: number;
/** The kernel does not remove the place of a run. */
let busy: boolean;
let removals: number;
/** The kernel signals and kills nobody. */
let refusing: boolean;
let signals: string[];
/** What the directory defines besides. */
let others: readonly Defined[];
/** When which service was asked by a probe. */
let asked: { readonly service: string; readonly at: number }[];
/** Which service was started, and by which definition. */
let started: string[];

beforeEach(() => {
  machine = new Machine(new Chance(1, 'machine'));
  busy = false;
  removals = 0;
  refusing = false;
  signals = [];
  others = [];
  asked = [];
  started = [];
  backoff = 100;
  const injector = new Injector();
  files = new MemoryFiles(injector);
  daemon = new SimulatedDaemon({
    number: 1,
    offset: 1_700_000_000_000,
    bootId: 'boot',
    machine,
    injector,
    files,
    reader: reading,
    chance: new Chance(1, 'daemon'),
    blindness: () => ({ tree: false, services: new Set(), runs: new Set() }),
    refuses: () => refusing,
    record: (deed) => {
      if (deed.what === 'signal') signals.push(deed.signal);
      if (deed.what === 'kill') signals.push('SIGKILL');
      if (deed.what === 'start') started.push(`${deed.run.service} ${deed.run.hash}`);
      if (deed.what === 'beside') asked.push({ service: deed.run.service, at: machine.now });
    },
    told: () => {},
    changed: (service: ServiceName) => daemon.containment.wake(service),
  });
  const { containment } = daemon;
  const remove = containment.remove.bind(containment);
  containment.remove = (key) => {
    removals += 1;
    return busy ? BUSY : remove(key);
  };
});

function reading(): DesiredState {
  const restart_policy = { restart_backoff: backoff, max_backoff: backoff };
  const web = defined({ spec: { process: { command: ['/srv/web'] }, restart_policy } });
  const services = new Map([web, ...others].map((each) => [each.name, each]));
  return { services, problems: [], files: services.size, readable: true };
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

function runs(): readonly string[] {
  return machine.placesOf(WEB).map(({ key }) => key.id);
}

/** Starts the service; its first process exits with code 1 while the place of its run cannot be removed. */
function crashInABusyPlace(): string {
  daemon.loop.reload();
  pass(500);
  const [first] = runs();
  const [main] = [...(machine.placesOf(WEB)[0]?.processes ?? [])];
  if (main === undefined) expect.fail('its first process does not run');
  busy = true;
  machine.end(main, { kind: 'exited', code: 1 });
  return first ?? 'no run';
}

describe('what could not be done', () => {
  it('keeps its place: nothing is started beside what could not be removed', () => {
    const first = crashInABusyPlace();
    pass(10_000);
    expect(removals).toBeGreaterThan(1);
    expect(runs()).toEqual([first]);
    busy = false;
    pass(2000);
    expect(runs()).toHaveLength(1);
    expect(runs()).not.toEqual([first]);
  });

  it('is tried again a second later, though nothing else happens until then', () => {
    backoff = 600_000;
    crashInABusyPlace();
    pass(500);
    expect(removals).toBe(1);
    busy = false;
    pass(1500);
    expect(runs()).toEqual([]);
  });

  it('is not tried again and again at once', () => {
    backoff = 600_000;
    crashInABusyPlace();
    pass(10_000);
    expect(removals).toBeLessThanOrEqual(11);
  });
});

describe('a stop signal that the kernel refuses', () => {
  it('is sent again as long as there is grace, and nobody is killed for it', () => {
    daemon.loop.reload();
    pass(500);
    refusing = true;
    daemon.loop.setIntents(new Map([[WEB, { stopped: { by: 'bob', at: 0 } }]]));
    pass(500);
    expect(signals).toEqual(['SIGTERM']);
    refusing = false;
    pass(1500);
    expect(signals).toEqual(['SIGTERM', 'SIGTERM']);
    expect(runs()).toEqual([]);
  });
});

describe('probes of several services', () => {
  function watched(name: string): Defined {
    const times = { interval: 10_000, timeout: 5000, initial_delay: 0 };
    const liveness = { how: { exec: ['ask'] }, ...times, failure_threshold: 1, success_threshold: 1 };
    return { ...defined({ spec: { probes: { liveness } } }), name: name as ServiceName };
  }

  function distance(from: number): number {
    const times = ['near', 'late'].map((name) => {
      return asked.find(({ service, at }) => service === name && at >= from)?.at ?? Number.NaN;
    });
    return Math.abs((times[0] ?? Number.NaN) - (times[1] ?? Number.NaN));
  }

  it.each([
    [50, 'together from the second time on', false],
    [150, 'as far apart as they were, where that is more than a hundredth of the interval', true],
  ])('begun about %i ms apart are asked %s', (apart, _, stays) => {
    others = [watched('near')];
    daemon.loop.reload();
    pass(apart);
    others = [watched('near'), watched('late')];
    daemon.loop.reload();
    pass(5000);
    // Starts and questions take a few milliseconds.
    const first = distance(0);
    expect(first).toBeGreaterThanOrEqual(apart);
    pass(10_000);
    const second = distance(machine.now - 10_000);
    expect(second).toSatisfy((each: number) => (stays ? each >= first : each < 20));
  });
});

describe('a new definition of services that depend on each other', () => {
  const CHAIN = ['one', 'two', 'three', 'four', 'five'];

  it('is begun in the order in which they depend on each other', () => {
    const chain = (digest: string) =>
      CHAIN.map((each, at) => {
        const before = CHAIN[at - 1];
        const depends_on = before === undefined ? {} : { [before]: 'ready' as const };
        return { ...defined({ hash: digest, spec: { depends_on } }), name: each as ServiceName };
      });
    others = chain('a');
    daemon.loop.reload();
    pass(10_000);
    started = [];
    others = chain('b');
    daemon.loop.reload();
    pass(120_000);
    expect(started.map((each) => each.split(' ')[0])).toEqual(CHAIN);
  });
});

describe('what somebody asks for while nothing can be written', () => {
  const STOP = new Map([[WEB, { stopped: { by: 'bob', at: 1 } }]]);

  it('is refused, which is told as long as that is so, also when nothing else has to be written', () => {
    pass(1000);
    expect(daemon.loop.unwritten).toBeUndefined();
    files.failing = 'ENOSPC';
    expect(daemon.loop.setIntents(STOP)).toMatchObject({ code: 'state-unwritable' });
    expect(daemon.loop.unwritten?.message).toContain('/intent.json cannot be written (ENOSPC)');
    const failures = files.failures;
    pass(25_000);
    expect(files.failures - failures).toBe(2);
    expect(daemon.loop.unwritten?.hint).toContain('free space');
    files.failing = undefined;
    pass(10_000);
    expect(daemon.loop.unwritten).toBeUndefined();
  });

  it('is told no more once it could be written', () => {
    pass(1000);
    files.failing = 'EACCES';
    expect(daemon.loop.setIntents(STOP)?.hint).not.toContain('free space');
    files.failing = undefined;
    expect(daemon.loop.setIntents(STOP)).toBeUndefined();
    pass(10);
    expect(daemon.loop.unwritten).toBeUndefined();
  });
});
