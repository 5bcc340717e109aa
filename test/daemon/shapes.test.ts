/**
 * What is made once for each service has one hidden class for all of them. V8 11.3 (node 20) gives every result of
 * `{ ...one, more }` a hidden class of its own: a list of its properties each time, and slow access for everyone who
 * reads them. With the new properties first, or with Object.assign, they share one.
 */
import v8 from 'node:v8';
import { expect, test } from 'vitest';
import { Journal } from '../../src/daemon/journal.ts';
import { startedEvent } from '../../src/daemon/run-events.ts';
import { environmentOf } from '../../src/executor/environment.ts';
import type { NumberedEvent } from '../../src/model/action.ts';
import type { RunId, ServiceName, SpecHash } from '../../src/model/names.ts';
import { specOf } from '../config/ground.ts';

v8.setFlagsFromString('--allow-natives-syntax');
const isAlike = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (a: object, b: object) => boolean;

/** So often that V8 has begun to keep what it learns of a function, and to use it. */
const MANY = 300;

/** How many classes the objects have. */
function classes(make: (name: string) => object): number {
  const seen: object[] = [];
  for (let index = 0; index < MANY; index++) {
    const made = make(`service-${index}`);
    if (!seen.some((one) => isAlike(one, made))) seen.push(made);
  }
  return seen.length;
}

/** One more may come before V8 has seen every kind of value that a property has. */
const MOST = 2;

test('definitions', () => {
  const of = (name: string) => specOf(`name: ${name}\nprocess:\n  command: [sleep, "60"]\n`);
  expect(classes((name) => of(name))).toBeLessThanOrEqual(MOST);
  expect(classes((name) => of(name).process)).toBeLessThanOrEqual(MOST);
  expect(classes((name) => of(name).logs)).toBeLessThanOrEqual(MOST);
});

test('environments', () => {
  const spec = specOf('process:\n  command: [sleep, "60"]\n');
  const who = { uid: 0, gid: 0, groups: [], user: 'root', home: '/root', shell: '/bin/sh' };
  const cluster = { enabled: false, name: '', node_id: '', expected_nodes: 1 };
  const of = (id: string) =>
    environmentOf({
      spec,
      secrets: new Map(),
      credentials: null,
      self: who,
      inherited: { PATH: '/bin' },
      cluster,
      run: { instance: 0, generation: 1, id: id as RunId, port: null },
    });
  expect(classes(of)).toBeLessThanOrEqual(MOST);
});

test('events', () => {
  const key = (service: string) => ({
    service: service as ServiceName,
    slot: 0,
    generation: 1,
    hash: 'abcdef012345' as SpecHash,
    id: `run-of-${service}` as RunId,
  });
  const journal = new Journal();
  const told: NumberedEvent[] = [];
  journal.listen((event) => told.push(event));
  for (let index = 0; index < MANY; index++) {
    journal.add(startedEvent(key(`service-${index}`), 100 + index, 'boot', 1000));
  }
  let at = 0;
  expect(classes(() => told[at++] as NumberedEvent)).toBeLessThanOrEqual(MOST);
  at = 0;
  expect(classes(() => (told[at++] as NumberedEvent).fields)).toBeLessThanOrEqual(MOST);
});
