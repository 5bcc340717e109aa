import { expect, it } from 'vitest';
import { Neighbours } from '../../src/daemon/neighbours.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { Dependency, DesiredState } from '../../src/model/spec.ts';
import type { Standing } from '../../src/reconcile/dependencies.ts';
import { defined, name } from '../builders.ts';

const DOWN: Standing = {
  started: false,
  ready: false,
  completed: false,
  rolling: false,
  coming: false,
  present: false,
  unwanted: false,
  failed: null,
  dueToFailure: false,
  detail: '',
};
const UP: Standing = { ...DOWN, started: true, ready: true, present: true };
const [db, api, web] = [name('db'), name('api'), name('web')];

function desired(on: Readonly<Record<string, Readonly<Record<string, Dependency>>>>): DesiredState {
  const services = Object.entries(on).map(([service, depends_on]) => {
    const one = name(service);
    return [one, defined({ name: one, spec: { depends_on } })] as const;
  });
  return { services: new Map(services), problems: [], files: services.length, readable: true };
}

function three(): Neighbours {
  const neighbours = new Neighbours();
  neighbours.arrange(desired({ db: {}, api: { db: 'ready' }, web: { api: 'started' } }));
  return neighbours;
}

const all = (): boolean => true;
const states = (neighbours: Neighbours, service: ServiceName) =>
  neighbours.dependencies(service).map(({ name: other, state, detail }) => [other, state, detail]);

it('tells what a service waits for, in words', () => {
  const neighbours = three();
  expect(states(neighbours, api)).toEqual([['db', 'away', 'db is not defined']]);
  neighbours.note(db, { ...DOWN, started: true, coming: true, detail: 'readiness has not answered yet' });
  expect(states(neighbours, api)).toEqual([
    ['db', 'waiting', 'db is not ready: readiness has not answered yet'],
  ]);
  neighbours.note(db, { ...DOWN, failed: 'exited with code 3' });
  expect(states(neighbours, api)).toEqual([['db', 'away', 'db has failed: exited with code 3']]);
  neighbours.note(db, UP);
  expect(states(neighbours, api)).toEqual([['db', 'met', 'db is ready']]);
  neighbours.note(db, { ...UP, rolling: true });
  expect(states(neighbours, api)).toEqual([['db', 'rolling', 'db is ready']]);
  expect(neighbours.dependencies(db)).toEqual([]);
});

it('tells those that wait for a failure from those that wait for what may come', () => {
  const neighbours = three();
  const dueToFailure = (service: ServiceName) =>
    neighbours.dependencies(service).map((dependency) => dependency.dueToFailure === true);
  const failed = { ...DOWN, failed: 'exited with code 3', dueToFailure: true };
  neighbours.note(db, failed);
  expect(dueToFailure(api)).toEqual([true]);
  neighbours.note(api, { ...DOWN, dueToFailure: true, detail: 'db has failed: exited with code 3' });
  expect(dueToFailure(web)).toEqual([true]);
  neighbours.note(db, { ...failed, coming: true });
  expect(dueToFailure(api)).toEqual([false]);
  neighbours.note(db, { ...DOWN, detail: 'stopped by bob' });
  expect(dueToFailure(api)).toEqual([false]);
});

it('names who has to be looked at when a service stands otherwise, and nobody when it does not', () => {
  const neighbours = three();
  expect([...neighbours.note(api, UP)].sort()).toEqual(['db', 'web']);
  expect(neighbours.note(api, { ...UP })).toEqual([]);
  expect([...neighbours.note(api, DOWN)].sort()).toEqual(['db', 'web']);
  expect([...neighbours.forget(api)].sort()).toEqual(['db', 'web']);
});

it('lets those go first that rely on a service, as long as they are there and are to go', () => {
  const neighbours = three();
  neighbours.note(api, UP);
  expect(neighbours.dependents(db, all)).toEqual(['api']);
  expect(neighbours.dependents(db, () => false)).toEqual([]);
  neighbours.note(api, DOWN);
  expect(neighbours.dependents(db, all)).toEqual([]);
  expect(neighbours.dependents(web, all)).toEqual([]);
});

it('remembers of whoever is removed on whom it relies, until it is gone', () => {
  const neighbours = three();
  neighbours.note(api, UP);
  neighbours.arrange(desired({ db: {} }));
  expect(neighbours.dependents(db, all)).toEqual(['api']);
  neighbours.forget(api);
  expect(neighbours.dependents(db, all)).toEqual([]);
});

it('makes nobody wait for whom it waits itself', () => {
  const neighbours = new Neighbours();
  neighbours.arrange(desired({ db: { api: 'started' }, api: { db: 'started' } }));
  neighbours.note(api, UP);
  neighbours.note(db, UP);
  expect(neighbours.dependents(db, all)).toEqual([]);
  expect(neighbours.dependents(api, all)).toEqual([]);
});

it('lets those start that would wait for each other, and whoever relies on them wait for them', () => {
  const neighbours = new Neighbours();
  neighbours.arrange(desired({ web: { api: 'started' }, db: { api: 'started' }, api: { db: 'ready' } }));
  expect([db, api].flatMap((one) => neighbours.dependencies(one))).toEqual([]);
  expect(states(neighbours, web)).toEqual([['api', 'away', 'api is not defined']]);
});
