/** How is it told how a service stands? */
import { describe, expect, test } from 'vitest';
import type { ServiceView } from '../../src/api/contract.ts';
import { goalOutcome } from '../../src/daemon/goal.ts';
import { Jobs } from '../../src/daemon/jobs.ts';
import { Views } from '../../src/daemon/views.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { dependencyOf, standingOf } from '../../src/reconcile/dependencies.ts';
import type { Dependency, Situation } from '../../src/reconcile/situation.ts';
import { wantedOf } from '../../src/reconcile/wanted.ts';
import {
  defined,
  exited,
  memory,
  NOW,
  name,
  run,
  type SituationChanges,
  schedule,
  seen,
  situation,
  slot,
} from '../builders.ts';
import { fakeTools } from '../executor/fake-tools.ts';

const DB = name('db');
const SCALED = { by: 'ann', at: Date.parse('2026-11-22T10:00:00Z') };

/** Nothing can be measured. */
function views(): Views {
  const { world } = fakeTools();
  const unmeasured = { usage: () => ({ memoryBytes: null, cpuMicroseconds: null }), members: () => [] };
  const containment = { ...world.containment, ...unmeasured };
  return new Views(
    { ...world, containment, clock: { ...world.clock, wall: () => NOW } },
    new Jobs(() => 'UTC'),
  );
}

const viewOf = (now: Situation): ServiceView => views().service(now, decide(now));

const view = (changes: SituationChanges): ServiceView => viewOf(situation(changes));

test.each([
  ['a run that is gone', (told: Views) => void told.service(situation(), undefined)],
  ['a service that is gone', (told: Views) => void told.only([])],
])('nothing is remembered of the CPU time of %s', (_what, go) => {
  const { world } = fakeTools();
  let microseconds = 1_000_000;
  const usage = () => ({ memoryBytes: null, cpuMicroseconds: microseconds });
  const containment = { ...world.containment, usage, members: () => [] };
  const told = new Views({ ...world, containment }, new Jobs(() => 'UTC'));
  const there = situation({ observed: seen(run({ age: 10_000 })) });
  const percentAt = (later: number) => {
    const now = { ...there, now: there.now + later };
    return told.service(now, decide(now)).instances[0]?.cpu_percent;
  };
  expect(percentAt(0)).toBe(10);
  microseconds += 1_000_000;
  go(told);
  // Since the look before it would be all of a core.
  expect(percentAt(1000)).toBe(18.2);
});

describe('a service that somebody holds', () => {
  const AT = Date.parse('2026-11-22T10:00:00Z');
  const held = { by: 'ann', at: AT, reason: 'incident' };
  const until = AT + 3_600_000;

  test('tells who, why and until when, in words and in fields', () => {
    expect(viewOf({ ...situation({ intent: { held: { ...held, until } } }), now: AT })).toMatchObject({
      drift: 'held',
      held: {
        by: 'ann',
        at: '2026-11-22T10:00:00.000Z',
        reason: 'incident',
        until: '2026-11-22T11:00:00.000Z',
      },
    });
  });

  test('tells no end where only a release ends it, and nothing when it is over', () => {
    expect(view({ intent: { held } }).held).toEqual({
      by: 'ann',
      at: '2026-11-22T10:00:00.000Z',
      reason: 'incident',
    });
    expect(viewOf({ ...situation({ intent: { held: { ...held, until } } }), now: until })).not.toHaveProperty(
      'held',
    );
  });
});

describe('a service of which no instances are wanted', () => {
  const none = situation({ desired: defined({ spec: { instances: 0 } }) });

  test('is stopped, and says why', () => {
    expect(viewOf(none)).toMatchObject({
      state: 'stopped',
      ready: 0,
      desired: 0,
      reason: 'no instances are wanted',
    });
  });

  test('is stopped, too, when somebody scaled it down', () => {
    const scaled = { scale: { ...SCALED, instances: 0, file: 1 } };
    expect(view({ intent: scaled })).toMatchObject({
      state: 'stopped',
      drift: 'scaled',
      reason: 'no instances are wanted',
    });
  });

  test('is the reason why those that depend on it wait', () => {
    const standing = standingOf(wantedOf(none), decide(none));
    expect(dependencyOf(none.name, 'started', standing)).toMatchObject({
      state: 'away',
      detail: 'web is not started: no instances are wanted',
    });
  });

  test('is not ready for a script that waits, as little as for those that depend on it', () => {
    const glance = { ...none, decision: decide(none) };
    expect(goalOutcome('ready', glance, () => seen())).toEqual({
      result: 'pending',
      detail: 'no instances are wanted',
    });
    expect(goalOutcome('stopped', glance, () => seen())).toMatchObject({ result: 'done' });
  });
});

test('a service that is to run and of which nothing is known yet is starting', () => {
  const now = situation({ desired: defined() });
  expect(views().service(now, undefined)).toMatchObject({
    state: 'starting',
    reason: '',
  });
});

test.each([
  ['failed', 3, 'itself', 'last run failed: exited with code 3'],
  ['succeeded', 0, 'itself', ''],
  ['was ended because it was not well', 0, 'policy', 'last run failed: exited with code 0'],
  ['was stopped by hand', 3, 'stop', ''],
] as const)('a job whose last run %s says so while it waits for its time', (_, code, by, reason) => {
  const now = situation();
  const exit = { outcome: exited(code), by, run: null, uptime: 5, at: now.now - 1000 } as const;
  const desired = defined({ spec: { process: { schedule: schedule('0 0 1 1 *') } } });
  const slots = { 0: slot({ exits: [exit] }) };
  expect(view({ desired, memory: memory({ slots }) })).toMatchObject({ state: 'scheduled', reason });
});

describe('what waits to be replaced', () => {
  const reasonOf = (changes: SituationChanges, dependency?: Dependency): string =>
    view({
      observed: seen(run({ hash: 'a' })),
      ...changes,
      dependencies: dependency === undefined ? [] : [dependency],
    }).reason;
  const stopped: Dependency = { name: DB, state: 'away', detail: 'db is not started: stopped by bob' };
  const restart: SituationChanges = { desired: defined({ hash: 'a' }), intent: { minGeneration: 9 } };

  test('by a restart tells of no new definition, and names the service that it waits for', () => {
    expect(reasonOf(restart, stopped)).toBe('waits to be replaced because db is not started: stopped by bob');
  });

  test.each([
    ['waiting', 'db is not ready: not asked yet', 'db is not ready: not asked yet'],
    ['rolling', 'db is started', 'db is replaced first'],
  ] as const)('names a service that is %s as well', (state, detail, says) => {
    expect(reasonOf(restart, { name: DB, state, detail })).toBe(`waits to be replaced because ${says}`);
  });

  test('by a new definition says so', () => {
    expect(reasonOf({ desired: defined({ hash: 'b' }) }, stopped)).toBe(
      'waits to be replaced by the new definition because db is not started: stopped by bob',
    );
  });
});

describe('who says how many instances run', () => {
  const scale = { ...SCALED, instances: 4, file: 2 };

  test('is told of a service that somebody scaled', () => {
    const desired = defined({ spec: { instances: 2 } });
    expect(view({ desired, intent: { scale } }).scaled).toEqual({
      instances: 4,
      file: 2,
      by: 'ann',
      at: '2026-11-22T10:00:00.000Z',
    });
  });

  test.each([3, 4])('is the file again once it says %i', (instances) => {
    const desired = defined({ spec: { instances } });
    expect(view({ desired, intent: { scale } })).not.toHaveProperty('scaled');
  });
});
