import { beforeEach, describe, expect, it } from 'vitest';
import { removalsOf } from '../../src/daemon/removals.ts';
import { Settlement } from '../../src/daemon/settlement.ts';
import { Store } from '../../src/daemon/store.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { DesiredState } from '../../src/model/spec.ts';
import type { Containment } from '../../src/world/world.ts';
import { defined, NOW, name, run, seen } from '../builders.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';

const MINUTE = 60_000;
const SECOND = 1000;

let now: number;
let files: MemoryFiles;
let store: Store;
/** What runs, and what has a file. */
let running: Set<ServiceName>;
let written: Set<ServiceName>;
let complaints: Problem[];
/** Services of which nobody can tell that they run; none: the kernel can be asked which there are. */
let hidden: ReadonlySet<ServiceName>;
let settlement: Settlement;

beforeEach(() => {
  now = NOW;
  files = new MemoryFiles(new Injector());
  complaints = [];
  hidden = new Set();
  daemonStarts();
});

/** Whatever the one before knew that is not on disk is lost. */
function daemonStarts(): void {
  store = new Store(files, '/state', 'boot');
  store.load();
  const containment: Partial<Containment> = {
    look: (service) => (running.has(service) ? seen(run({ service })) : seen()),
  };
  settlement = new Settlement({
    world: { clock: { now: () => now, wall: () => now, after: () => () => {} } },
    store,
    complain: (problem) => complaints.push(problem),
    setIntents: (changes) => store.setIntents(changes),
    judge: (desired) => {
      const names = [...new Set([...written, ...running])].filter((one) => !hidden.has(one));
      const world = { containment: containment as Containment };
      const tools = { world, store, maxPercent: 30, recent: settlement.recent };
      return { removals: removalsOf(desired, names, tools), sure: hidden.size === 0 };
    },
  });
}

function services(count: number): readonly ServiceName[] {
  const names = Array.from({ length: count }, (_, index) => name(`s${index}`));
  running = new Set(names);
  written = new Set(names);
  return names;
}

function directory(): DesiredState {
  const services = new Map([...written].map((one) => [one, defined({ name: one })]));
  return { services, problems: [], files: written.size, readable: true };
}

/** A reading after this file has vanished; what is approved is stopped and forgotten before the next one. */
function vanishes(one: ServiceName): void {
  written.delete(one);
  read();
}

function read(): void {
  settlement.settle(directory());
  for (const gone of [...running]) {
    if (store.intent(gone).removalApproved !== true) continue;
    running.delete(gone);
    store.forget(gone, now);
  }
}

describe('a kernel that cannot be asked which services there are', () => {
  it('lets nothing go, until it can be asked', () => {
    const [first, second] = services(2);
    if (first === undefined || second === undefined) throw new Error('two were asked for');
    written = new Set([name('other')]);
    hidden = new Set([second]);
    read();
    expect([...running]).toEqual([first, second]);
    expect(settlement.wakeAt).toBe(now + SECOND);
    hidden = new Set();
    settlement.resettle(directory());
    expect(settlement.removals.held).toEqual([first, second]);
    expect([...running]).toEqual([first, second]);
  });

  it('lets a single one go once it has been asked', () => {
    const [first, second] = services(2);
    if (first === undefined || second === undefined) throw new Error('two were asked for');
    hidden = new Set([second]);
    vanishes(first);
    expect([...running]).toEqual([first, second]);
    hidden = new Set();
    read();
    expect([...running]).toEqual([second]);
  });
});

describe('a directory that vanishes file by file', () => {
  it('is stopped short where the whole share is used up', () => {
    const names = services(10);
    for (const one of names) {
      vanishes(one);
      now += 2 * SECOND;
    }
    expect([...running]).toEqual(names.slice(3));
    expect(settlement.removals.held).toEqual(names.slice(3));
    expect(complaints[0]).toMatchObject({
      code: 'directory-suspicious',
      message: expect.stringContaining('4 of 10 running services lost their file within a minute'),
    });
  });

  it('stays stopped short, however long nobody confirms it', () => {
    const names = services(10);
    for (const one of names.slice(0, 4)) vanishes(one);
    now += 60 * MINUTE;
    read();
    settlement.resettle(directory());
    expect([...running]).toEqual(names.slice(3));
    expect(settlement.prune(directory())).toBeUndefined();
    read();
    expect([...running]).toEqual(names.slice(4));
  });

  it('counts no more when the files are back', () => {
    const names = services(10);
    for (const one of names.slice(0, 4)) vanishes(one);
    for (const one of names) {
      written.add(one);
      running.add(one);
    }
    read();
    expect(settlement.removals.held).toEqual([]);
    for (const one of names.slice(0, 3)) vanishes(one);
    expect([...running]).toEqual(names.slice(3));
  });
});

describe('what is held back', () => {
  beforeEach(() => {
    for (const one of services(10).slice(0, 4)) written.delete(one);
    read();
  });

  it('stays so for the next daemon, also where somebody has confirmed the rest', () => {
    settlement.prune(directory(), new Set(['s0', 's1']));
    read();
    expect(settlement.removals.held).toEqual(['s2', 's3']);
    daemonStarts();
    read();
    expect(settlement.removals.held).toEqual(['s2', 's3']);
    expect([...running]).toEqual(['s2', 's3', 's4', 's5', 's6', 's7', 's8', 's9']);
    expect(settlement.prune(directory())).toBeUndefined();
    read();
    expect([...running]).toEqual(['s4', 's5', 's6', 's7', 's8', 's9']);
  });

  it('stays so when most of the files come back, and not when its own does', () => {
    for (const one of ['s0', 's1', 's2']) written.add(name(one));
    read();
    expect(settlement.removals.held).toEqual(['s3']);
    written.add(name('s3'));
    read();
    daemonStarts();
    vanishes(name('s3'));
    expect(running.has(name('s3'))).toBe(false);
  });

  it('is written down as soon as that is possible', () => {
    services(10);
    for (const one of ['s5', 's6', 's7', 's8']) written.delete(name(one));
    files.failing = 'ENOSPC';
    daemonStarts();
    read();
    expect(settlement.wakeAt).toBe(now + SECOND);
    files.failing = undefined;
    settlement.resettle(directory());
    written.add(name('s5'));
    daemonStarts();
    read();
    expect(settlement.removals.held).toEqual(['s6', 's7', 's8']);
  });

  it('stays so in an empty directory as well, once somebody has confirmed the rest', () => {
    written.clear();
    read();
    settlement.prune(directory(), new Set(['s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7']));
    read();
    // So many that two would be few enough.
    for (const other of ['a', 'b', 'c', 'd', 'e'].map(name)) {
      written.add(other);
      running.add(other);
    }
    daemonStarts();
    read();
    expect(settlement.removals.held).toEqual(['s8', 's9']);
  });
});

describe('what is held back only until the next reading', () => {
  it('is what an empty directory seems to have lost', () => {
    const names = services(10);
    written.clear();
    read();
    expect(settlement.removals.held).toEqual(names);
    written = new Set(names.slice(1));
    read();
    expect([...running]).toEqual(names.slice(1));
  });

  it('is what looked like too many because not all that run could be seen', () => {
    const names = services(10);
    hidden = new Set(names.slice(4));
    for (const one of names.slice(0, 2)) written.delete(one);
    read();
    expect(settlement.removals.held).toEqual(names.slice(0, 2));
    hidden = new Set();
    read();
    expect([...running]).toEqual(names.slice(2));
  });
});

describe('removals that are meant', () => {
  it('pass one by one, minutes apart', () => {
    const names = services(5);
    for (const one of names.slice(0, 4)) {
      vanishes(one);
      now += MINUTE;
    }
    expect([...running]).toEqual(names.slice(4));
  });

  it('pass in small portions within a minute', () => {
    const names = services(100);
    for (let first = 0; first < 10; first += 2) {
      for (const one of names.slice(first, first + 2)) written.delete(one);
      read();
      now += 10 * SECOND;
    }
    expect([...running]).toEqual(names.slice(10));
  });

  it('count anew after somebody has confirmed', () => {
    const names = services(10);
    for (const one of names.slice(0, 3)) vanishes(one);
    settlement.prune(directory());
    vanishes(name('s3'));
    expect([...running]).toEqual(names.slice(4));
  });

  it('count only once they are written down', () => {
    const names = services(2);
    files.failing = 'ENOSPC';
    vanishes(name('s0'));
    expect([...running]).toEqual(names);
    files.failing = undefined;
    settlement.resettle(directory());
    read();
    expect([...running]).toEqual(names.slice(1));
  });
});

describe('a service that was stopped by hand, and whose file is gone', () => {
  const ASKED = { by: 'bob', at: NOW };
  const DAY = 24 * 60 * MINUTE;
  const web = name('s0');

  beforeEach(() => {
    services(4);
    store.setIntents(new Map([[web, { stopped: ASKED, pardon: 2, held: ASKED }]]));
    vanishes(web);
  });

  it('is known to nobody, and was stopped all the same when its file is back', () => {
    expect(store.names()).toEqual([]);
    now += DAY - 1;
    daemonStarts();
    read();
    expect(store.names()).toEqual([]);
    written.add(web);
    read();
    expect(store.intent(web)).toEqual({ stopped: ASKED });
    now += DAY;
    read();
    expect(store.intent(web)).toEqual({ stopped: ASKED });
  });

  it('is forgotten after a day', () => {
    now += DAY;
    settlement.resettle(directory());
    expect(files.contents.get('/state/intent.json')).not.toContain(web);
    written.add(web);
    read();
    expect(store.intent(web)).toEqual({});
  });

  it.each([
    ['by its name', new Set(['s0'])],
    ['with all others', undefined],
  ])('is forgotten at once when somebody confirms that it is gone, %s', (_, only) => {
    expect(settlement.prune(directory(), only)).toBeUndefined();
    daemonStarts();
    expect(store.intents.size).toBe(0);
  });

  it('is not forgotten where that cannot be written', () => {
    files.failing = 'ENOSPC';
    expect(settlement.prune(directory())).toMatchObject({ code: 'state-unwritable' });
    expect(store.intent(web)).toMatchObject({ stopped: ASKED });
  });

  it('is not forgotten when somebody confirms that others are', () => {
    settlement.prune(directory(), new Set(['s1']));
    expect(store.intent(web)).toMatchObject({ stopped: ASKED });
  });

  it('is forgotten where its removal was confirmed before it had ended', () => {
    now += MINUTE;
    store.setIntents(new Map([['s1' as ServiceName, { stopped: ASKED }]]));
    written.delete(name('s1'));
    settlement.settle(directory());
    expect(store.intent(name('s1'))).toMatchObject({ removalApproved: true, stopped: ASKED });
    settlement.prune(directory());
    read();
    expect(store.intents.size).toBe(0);
  });

  it('is forgotten where the guard held its removal back until somebody confirmed it', () => {
    services(4);
    store.setIntents(new Map([['s1' as ServiceName, { stopped: ASKED }]]));
    for (const one of ['s1', 's2', 's3']) written.delete(name(one));
    read();
    settlement.prune(directory());
    read();
    expect(store.intents.has(name('s1'))).toBe(false);
  });
});
