import { describe, expect, it, test } from 'vitest';
import { Neighbours } from '../../src/daemon/neighbours.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { dependencyOf, standingOf } from '../../src/reconcile/dependencies.ts';
import type { Dependency, Situation } from '../../src/reconcile/situation.ts';
import { wantedOf } from '../../src/reconcile/wanted.ts';
import { defined, hash, memory, name, run, seen, situation, spec } from '../builders.ts';

const [A, B, C] = [name('a'), name('b'), name('c')];

function neighbours(): Neighbours {
  const of = (which: typeof A, on: Record<string, 'started'>) =>
    [which, { ...defined({ spec: { name: which, depends_on: on } }), name: which }] as const;
  const known = new Neighbours();
  const services = new Map([of(A, { [B]: 'started' }), of(B, { [C]: 'started' }), of(C, {})]);
  known.arrange({ services, problems: [], files: 3, readable: true });
  return known;
}

describe('services around one', () => {
  it('are looked at after what they depend on', () => {
    expect(neighbours().inOrder([A, B, C])).toEqual([C, B, A]);
  });

  it('go first when they are to be down as well, also before they were looked at', () => {
    expect(neighbours().dependents(B, () => true)).toEqual([A]);
    expect(neighbours().dependents(B, () => false)).toEqual([]);
  });

  it('are not waited for once they are forgotten', () => {
    const known = neighbours();
    expect(known.forget(A)).toEqual([B]);
    expect(known.dependents(B, () => true)).toEqual([]);
  });
});

describe('a standing', () => {
  it('of what cannot be seen counts it as there', () => {
    expect(standingOf(wantedOf(situation()), undefined).present).toBe(true);
  });

  it('of a service stopped by hand tells who stopped it', () => {
    const stopped = situation({ desired: defined(), intent: { stopped: { by: 'bob', at: 0 } } });
    expect(standingOf(wantedOf(stopped), decide(stopped)).detail).toBe('stopped by bob');
  });
});

test.each([0, 1])('with surge %s a run is replaced when what it depends on is there', (surge) => {
  const rollout = { ...spec().rollout, surge };
  const changes = {
    desired: defined({ hash: 'b', spec: { rollout } }),
    applied: { [hash('a')]: spec({ rollout }) },
    observed: seen(run({ hash: 'a' })),
    memory: memory({ generation: 1, generationHash: hash('a') }),
  };
  const on = (state: 'met' | 'waiting') => [{ name: A, state, detail: 'a is not started' }];
  const did = (state: 'met' | 'waiting') =>
    decide(situation({ ...changes, dependencies: on(state) })).actions.filter(
      (action) => action.do === 'signal' || action.do === 'start',
    ).length;
  expect([did('waiting'), did('met')]).toEqual([0, 1]);
});

describe('nothing waits for what cannot come:', () => {
  const rollout = { ...spec().rollout, surge: 1, timeout: 10_000 };
  const times = { interval: 1000, timeout: 500, initial_delay: 0 };
  const readiness = { how: { exec: ['ask'] }, ...times, failure_threshold: 1, success_threshold: 1 };
  const clock = { cron: '* * * * *', timezone: null, overlap: 'skip', missed: 'skip', jitter: 0 } as const;
  const schedule = { ...clock, not_before: null, not_after: null, max_time_per_run: null };
  /** A run of an older definition serves, and a newer one is wanted. */
  const outdated = {
    desired: defined({ hash: 'b', spec: { rollout } }),
    applied: { [hash('a')]: spec({ rollout }) },
    observed: seen(run({ hash: 'a' })),
    memory: memory({ generation: 1, generationHash: hash('a') }),
  };
  const on = (state: Dependency['state']): Pick<Situation, 'dependencies'> => ({
    dependencies: [{ name: C, state, detail: 'c is not started' }],
  });
  const asSeenFrom = (one: Situation, condition: 'started' | 'ready' | 'completed' = 'ready') =>
    dependencyOf(B, condition, standingOf(wantedOf(one), decide(one))).state;

  test.each([
    // Its own roll-out waits for what is on its way: first that one, then it, then who relies on it.
    ['waiting', 'rolling'],
    ['rolling', 'rolling'],
    // What it waits for does not come by itself: it serves as it is.
    ['away', 'met'],
  ] as const)('whoever serves and waits for one that is %s to be replaced, is %s', (state, seenAs) => {
    expect(asSeenFrom(situation({ ...outdated, ...on(state) }), 'started')).toBe(seenAs);
  });

  test.each([
    ['waiting', 'waiting'],
    ['away', 'away'],
  ] as const)('whoever is not there and waits for one that is %s, is %s', (state, seenAs) => {
    expect(asSeenFrom(situation({ desired: defined(), observed: seen(), ...on(state) }))).toBe(seenAs);
  });

  it.each([
    ['is to be down', { intent: { stopped: { by: 'bob', at: 0 } } }],
    ['is without instances', { desired: defined({ spec: { instances: 0 } }) }],
    ['runs by a schedule', { desired: defined({ spec: { process: { schedule } } }) }],
  ])('whoever %s is away', (_, changes) => {
    expect(asSeenFrom(situation({ desired: defined(), observed: seen(), ...changes }))).toBe('away');
  });

  it('a run that is not ready is on its way for as long as a roll-out would wait for it', () => {
    const at = (age: number) =>
      situation({
        desired: defined({ spec: { rollout, probes: { readiness } } }),
        observed: seen(run({ age })),
      });
    expect([at(0), at(9_999), at(10_000)].map((one) => asSeenFrom(one))).toEqual([
      'waiting',
      'waiting',
      'away',
    ]);
    const one = at(4_000);
    expect(decide(one).wakeAt).toBeLessThanOrEqual(one.now + 6_000);
  });

  it('a run that is there may complete at any time', () => {
    const one = situation({
      desired: defined({ spec: { process: { type: 'oneshot' } } }),
      observed: seen(run({ age: 99_000 })),
    });
    expect(asSeenFrom(one, 'completed')).toBe('waiting');
  });
});
