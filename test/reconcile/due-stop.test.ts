import { describe, expect, it } from 'vitest';
import { decide } from '../../src/reconcile/decide.ts';
import { exited, mainEnded, NOW, run, runsRemembered, situation, stopProgress } from '../builders.ts';

const RUN = run();
const due = stopProgress({ step: 'due', reason: 'disabled', since: NOW - 1000 });
const memory = { generation: 1, runs: runsRemembered([RUN, { stop: due }]) };

describe('a stop that was noted by a daemon that died before or after it began', () => {
  it('is not begun once the run is wanted again', () => {
    const { actions, slots } = decide(situation({ runs: [RUN], memory }));
    expect(actions).toEqual([]);
    expect(slots).toMatchObject([{ slot: 0, phase: 'running', outdated: false }]);
  });

  it('begins anew while the run is not wanted', () => {
    const intent = { stopped: { by: 'bob', at: NOW } };
    const { actions } = decide(situation({ runs: [RUN], memory, intent }));
    expect(actions).toMatchObject([{ do: 'signal', because: 'stop_requested' }]);
  });

  it('goes on under its reason for what is left of a run whose end was noted as that of a stop', () => {
    const left = mainEnded(exited(1));
    const { actions } = decide(situation({ runs: [left], memory }));
    expect(actions).toMatchObject([{ do: 'signal', because: 'disabled' }]);
  });
});
