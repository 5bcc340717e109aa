import { describe, expect, it } from 'vitest';
import { outlivedIntents, removalsOf } from '../../src/daemon/removals.ts';
import { Store } from '../../src/daemon/store.ts';
import type { Intent } from '../../src/model/memory.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { Observed } from '../../src/model/observed.ts';
import type { Desired, DesiredState } from '../../src/model/spec.ts';
import type { Containment } from '../../src/world/world.ts';
import { defined, NOW, name, problem, run, seen, unseen, WEB } from '../builders.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';

const ASKED = { by: 'bob', at: NOW };
const names = (...texts: readonly string[]): readonly ServiceName[] => texts.map(name);

function directory(services: readonly Desired[], changes: Partial<DesiredState> = {}): DesiredState {
  return {
    services: new Map(services.map((one) => [one.name, one])),
    problems: [],
    files: services.length,
    readable: true,
    ...changes,
  };
}

function storeWith(intents: Readonly<Record<string, Intent>>): Store {
  const store = new Store(new MemoryFiles(new Injector()), '/state', 'boot');
  store.setIntents(new Map(Object.entries(intents).map(([one, intent]) => [name(one), intent])));
  return store;
}

/** @param observed services without an entry have no runs */
function judge(
  desired: DesiredState,
  all: readonly ServiceName[],
  observed: Readonly<Record<string, Observed>>,
  intents: Readonly<Record<string, Intent>> = {},
  recent: readonly ServiceName[] = [],
) {
  const containment: Partial<Containment> = { look: (service) => observed[service] ?? seen() };
  const world = { containment: containment as Containment };
  return removalsOf(desired, all, {
    world,
    store: storeWith(intents),
    maxPercent: 30,
    recent: new Map(recent.map((one) => [one, NOW])),
  });
}

const running = (...texts: readonly string[]): Readonly<Record<string, Observed>> =>
  Object.fromEntries(texts.map((one) => [one, seen(run({ service: name(one) }))]));

const db = defined({ name: name('db') });

describe('whose runs may be stopped because their file is gone', () => {
  it('nobody, while every file is there', () => {
    expect(judge(directory([db]), names('db'), running('db'))).toEqual({
      held: [],
      approved: [],
      stopping: [],
      reason: '',
      lasts: false,
    });
  });

  it('one service whose file was removed', () => {
    expect(judge(directory([db]), names('db', 'web'), running('db', 'web'))).toMatchObject({
      held: [],
      approved: ['web'],
      stopping: ['web'],
    });
  });

  it('not many at once: they are held back with the reason', () => {
    const answer = judge(directory([db]), names('db', 'a', 'b'), running('db', 'a', 'b'));
    expect(answer).toMatchObject({ held: ['a', 'b'], approved: [] });
    expect(answer.reason).toContain('2 of 3 running services');
  });

  it('nobody when the directory cannot be read or is empty', () => {
    for (const odd of [directory([], { readable: false }), directory([])]) {
      expect(judge(odd, names('web'), running('web'))).toMatchObject({ held: ['web'], approved: [] });
    }
  });

  it('services that are only remembered are forgotten without asking, however many', () => {
    const answer = judge(directory([db]), names('db', 'idle1', 'idle2', 'idle3'), running('db'));
    expect(answer).toMatchObject({ held: [], approved: ['idle1', 'idle2', 'idle3'], stopping: [] });
  });

  it('nothing is forgotten of them either while the directory looks wrong: somebody may have stopped them', () => {
    for (const odd of [directory([], { readable: false }), directory([])]) {
      expect(judge(odd, names('idle'), {})).toMatchObject({ held: ['idle'], approved: [] });
    }
  });

  it('a service that could not be seen counts as running', () => {
    const observed = { ...running('a'), b: unseen() };
    expect(judge(directory([]), names('a', 'b'), observed)).toMatchObject({ held: ['a', 'b'] });
  });

  it('what was approved before is not counted again', () => {
    const approved = { a: { removalApproved: true } };
    const answer = judge(directory([db]), names('db', 'a', 'b'), running('db', 'a', 'b'), approved);
    expect(answer).toMatchObject({ held: [], approved: ['b'] });
  });
});

describe('what was held back before', () => {
  const held = { a: { removalHeld: true }, b: { removalHeld: true } };

  it('stays so, however small a share it is by now', () => {
    const all = names('db', 'a', 'b', 'c', 'd', 'e', 'f');
    const others = ['c', 'd', 'e', 'f'].map((one) => defined({ name: name(one) }));
    const answer = judge(directory([db, ...others]), all, running(...all), held);
    expect(answer).toMatchObject({ held: ['a', 'b'], approved: [], stopping: [], lasts: true });
    expect(answer.reason).toBe('the removal of 2 services was held back before and is not confirmed');
  });

  it('lets go what is removed besides, where that is little enough with it', () => {
    const all = names('db', 'a', 'c', 'd', 'e', 'f', 'g');
    const others = ['d', 'e', 'f', 'g'].map((one) => defined({ name: name(one) }));
    const answer = judge(directory([db, ...others]), all, running(...all), { a: { removalHeld: true } });
    expect(answer).toMatchObject({ held: ['a'], approved: ['c'], stopping: ['c'] });
  });

  it('goes when somebody has confirmed it', () => {
    const confirmed = { a: { removalHeld: true, removalApproved: true } };
    expect(judge(directory([db]), names('db', 'a'), running('db', 'a'), confirmed)).toMatchObject({
      held: [],
    });
  });
});

it('what a directory holds back that cannot be believed is judged anew with the next reading', () => {
  const odd = directory([], { readable: false });
  expect(judge(odd, names('db', 'web'), running('db', 'web'))).toMatchObject({ lasts: false });
  expect(judge(directory([db]), names('db', 'a', 'b'), running('db', 'a', 'b'))).toMatchObject({
    lasts: true,
  });
});

describe('removals of a moment ago', () => {
  const all = names('db', 'a');

  it('count together with a new one', () => {
    const answer = judge(directory([db]), all, running('db', 'a'), {}, names('earlier'));
    expect(answer).toMatchObject({ held: ['a'], approved: [], stopping: [] });
    expect(answer.reason).toContain('2 of 3 running services');
  });

  it('do not count where the file is back', () => {
    const earlier = defined({ name: name('earlier') });
    expect(judge(directory([db, earlier]), all, running('db', 'a'), {}, names('earlier'))).toMatchObject({
      approved: ['a'],
    });
  });

  it('are not counted twice when they are found to run again', () => {
    expect(judge(directory([db]), all, running('db', 'a'), {}, names('a'))).toMatchObject({
      approved: ['a'],
    });
  });
});

describe('intents that a new reading makes obsolete', () => {
  const outlived = (desired: Desired, intent: Intent): Intent | undefined =>
    outlivedIntents(directory([desired]), storeWith({ web: intent }), NOW).get(WEB);

  it('an approved removal is over when the file is back', () => {
    expect(outlived(defined(), { removalApproved: true, pardon: 2 })).toEqual({ pardon: 2 });
    expect(outlived(defined(), { removalHeld: true, pardon: 2 })).toEqual({ pardon: 2 });
  });

  it('a stop by hand lasts where the file was away for less than a day', () => {
    const goneAt = NOW - 24 * 60 * 60_000;
    expect(outlived(defined(), { stopped: ASKED, goneAt: goneAt + 1 })).toEqual({ stopped: ASKED });
    expect(outlived(defined(), { stopped: ASKED, goneAt })).toEqual({});
  });

  it('a scale by hand lasts while the file says what it said then', () => {
    const scale = { ...ASKED, instances: 5, file: 2 };
    expect(outlived(defined({ spec: { instances: 2 } }), { scale })).toBeUndefined();
    expect(outlived(defined({ spec: { instances: 5 } }), { scale })).toEqual({});
    expect(outlived(defined({ spec: { instances: 3 } }), { scale })).toEqual({});
  });

  it('a scale by hand lasts while the file is broken', () => {
    const broken: Desired = { kind: 'broken', name: WEB, file: 'web.yaml', problems: [problem()] };
    expect(outlived(broken, { scale: { ...ASKED, instances: 5, file: 2 } })).toBeUndefined();
  });

  it('stop and hold outlive every edit', () => {
    expect(outlived(defined({ hash: 'b' }), { stopped: ASKED, held: ASKED })).toBeUndefined();
  });
});
