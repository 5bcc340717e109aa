import { describe, expect, it, test } from 'vitest';
import { Neighbours } from '../../src/daemon/neighbours.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { standingOf } from '../../src/reconcile/dependencies.ts';
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
