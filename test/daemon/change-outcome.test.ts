/** When has a change that stops something come about? */
import { describe, expect, it } from 'vitest';
import { changeOutcome } from '../../src/daemon/change-outcome.ts';
import type { Loop } from '../../src/daemon/loop.ts';
import { decide } from '../../src/reconcile/decide.ts';
import type { SlotPhase } from '../../src/reconcile/situation.ts';
import { defined, run, type SituationChanges, schedule, situation, WEB } from '../builders.ts';

const STOP = { service: WEB, action: 'stop', because: [], reason: '', instances: 1 } as const;

function outcome(changes: SituationChanges, ...slots: readonly SlotPhase[]) {
  const now = situation(changes);
  const decision = { ...decide(now), slots };
  const glance = { ...now, decision };
  return changeOutcome(STOP, {
    glance: () => glance,
    situation: () => now,
    names: () => [],
  } as unknown as Loop);
}

const running: SlotPhase = {
  ...{ slot: 0, phase: 'running', run: run().key, outdated: false, mainEnded: false, ready: true },
  ...{ health: '', rejected: null },
};
const stopping: SlotPhase = { slot: 0, phase: 'stopping', run: run().key, until: null, blocked: false };

describe('a stop', () => {
  it('of a service that gets a schedule is over when that waits for its time', () => {
    const desired = defined({ spec: { process: { schedule: schedule('0 3 * * *') } } });
    expect(outcome({ desired }, stopping).result).toBe('pending');
    expect(outcome({ desired }, { slot: 0, phase: 'scheduled' })).toMatchObject({ result: 'done' });
    // Its first time may come at once.
    expect(outcome({ desired }, running)).toMatchObject({ result: 'done' });
  });

  it('of a service that is disabled is over when nothing of it runs', () => {
    const desired = defined({ spec: { enabled: false } });
    expect(outcome({ desired, runs: [run()] }, stopping).result).toBe('pending');
    expect(outcome({ desired })).toMatchObject({ result: 'done', detail: 'nothing of it runs' });
  });

  it('does not come about where somebody holds the service by now', () => {
    const intent = { held: { by: 'bob', at: 0 } };
    expect(outcome({ intent, runs: [run()] }, running)).toMatchObject({
      result: 'failed',
      detail: 'held by bob',
    });
  });
});
