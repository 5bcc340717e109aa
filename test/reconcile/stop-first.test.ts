import { describe, expect, it } from 'vitest';
import { NO_PROBE } from '../../src/model/probe.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { defined, hash, memory, NOW, run, runsRemembered, situation } from '../builders.ts';

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

/** The first of two instances was replaced `age` milliseconds ago, and is not ready. */
function after(age: number, passed: number | null = null) {
  const fresh = run({ slot: 0, hash: 'b', generation: 2, age });
  const probes = { readiness: { ...NO_PROBE, asked: NOW - 1, failures: passed === null ? 2 : 0, passed } };
  const runs = runsRemembered(
    [fresh, { met: true, probes, readySince: passed }],
    [OLD, { met: true, readySince: NOW - 9 }],
  );
  const remembered = memory({ generation: 2, generationHash: hash('b'), runs });
  return decide(situation({ desired, runs: [fresh, OLD], memory: remembered }));
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
});
