import { describe, expect, it } from 'vitest';
import { NO_RUN } from '../../src/model/memory.ts';
import { NO_PROBE } from '../../src/model/probe.ts';
import type { RolloutSpec } from '../../src/model/spec.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { defined, hash, memory, NOW, run, runsRemembered, situation, slot } from '../builders.ts';

const readiness = {
  how: { tcp: { host: '127.0.0.1', port: 1 } },
  interval: 1000,
  timeout: 500,
  failure_threshold: 3,
  success_threshold: 1,
  initial_delay: 0,
} as const;
const desired = defined({
  hash: 'b',
  spec: { instances: 2, rollout: { surge: 0, timeout: 5000 }, probes: { readiness } },
});
const OLD = run({ slot: 1, hash: 'a', generation: 1 });

interface Changes {
  readonly everReady?: boolean;
  readonly rollout?: Partial<RolloutSpec>;
}

/** The first of two instances was replaced `age` milliseconds ago, and is not ready. */
function after(age: number, passed: number | null = null, { everReady = false, rollout }: Changes = {}) {
  const fresh = run({ slot: 0, hash: 'b', generation: 2, age });
  const probes = { readiness: { ...NO_PROBE, asked: NOW - 1, failures: passed === null ? 2 : 0, passed } };
  const runs = runsRemembered(
    [fresh, { met: true, probes, readySince: passed, everReady }],
    [OLD, { met: true, readySince: NOW - 9 }],
  );
  const remembered = memory({ generation: 2, generationHash: hash('b'), runs });
  const definition = {
    ...desired,
    spec: { ...desired.spec, rollout: { ...desired.spec.rollout, ...rollout } },
  };
  return decide(situation({ desired: definition, runs: [fresh, OLD], memory: remembered }));
}

describe('replacing where two cannot run side by side', () => {
  const stops = (decision: ReturnType<typeof decide>) =>
    decision.actions.filter(({ do: deed }) => deed === 'signal');

  it('waits for the new run to be ready, and says when it will have waited long enough', () => {
    const decision = after(1000);
    expect(stops(decision)).toEqual([]);
    expect(decision.wakeAt).toBeLessThanOrEqual(NOW + 4000);
    expect(decision.memory.rejected).toBeNull();
  });

  it('goes on when it is', () => {
    expect(stops(after(1000, NOW - 500))).toMatchObject([{ run: OLD.key }]);
  });

  it('leaves the older runs in peace when it is not in time', () => {
    const decision = after(5000);
    expect(stops(decision)).toEqual([]);
    expect(decision.memory.rejected).toMatchObject({
      generation: 2,
      reason: expect.stringContaining('not ready within 5 s'),
    });
    expect(decision.slots.find(({ slot }) => slot === 1)).toMatchObject({
      phase: 'running',
      outdated: true,
      rejected: expect.stringContaining('not ready within 5 s'),
    });
  });

  it('goes on when the first was not in time and that is accepted', () => {
    const decision = after(5000, null, { rollout: { on_failure: 'replace' } });
    expect(stops(decision)).toMatchObject([{ run: OLD.key }]);
    expect(decision.memory.rejected).toMatchObject({ generation: 2 });
  });

  it('waits within the time also where that is accepted', () => {
    const decision = after(4999, null, { rollout: { on_failure: 'replace' } });
    expect(stops(decision)).toEqual([]);
    expect(decision.memory.rejected).toBeNull();
  });

  it('waits for one that was ready and is not any more, however old it is', () => {
    const decision = after(120_000, null, { everReady: true });
    expect(stops(decision)).toEqual([]);
    expect(decision.memory.rejected).toBeNull();
    expect(decision.slots.find(({ slot }) => slot === 1)).toMatchObject({ outdated: true, rejected: null });
  });

  it('remembers that a run was ready, over a daemon that watches it anew', () => {
    const ready = after(10, NOW - 5).memory;
    const fresh = run({ slot: 0, hash: 'b', generation: 2, age: 10, adopted: true });
    const { id } = fresh.key;
    expect(ready.runs[id]?.everReady).toBe(true);
    // An earlier release had not written it down.
    for (const everReady of [true, false]) {
      const known = { ...NO_RUN, ...ready.runs[id], met: false, everReady };
      const runs = { ...ready.runs, [id]: known };
      const met = decide(situation({ desired, runs: [fresh, OLD], memory: { ...ready, runs } }));
      expect(met.memory.runs[id]).toMatchObject({ readySince: null, everReady: true });
    }
  });

  it('goes on beside a place that was given up only where that is accepted', () => {
    const { digest } = desired;
    const end = {
      kind: 'failed',
      at: NOW - 9,
      reason: 'exited with code 1',
      under: digest,
      pardon: 0,
    } as const;
    const slots = { 0: slot({ generation: 2, end: { ...end, retryAt: null } }) };
    const known = memory({ generation: 2, generationHash: hash('b'), slots });
    const beside = (on_failure: RolloutSpec['on_failure']) => {
      const { rollout } = desired.spec;
      const definition = { ...desired, spec: { ...desired.spec, rollout: { ...rollout, on_failure } } };
      return stops(decide(situation({ desired: definition, runs: [OLD], memory: known })));
    };
    expect(beside('keep_old')).toEqual([]);
    expect(beside('replace')).toMatchObject([{ run: OLD.key }]);
  });
});
