import { describe, expect, it } from 'vitest';
import type { SlotMemory } from '../../src/model/memory.ts';
import { NO_SLOT } from '../../src/model/memory.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { defined, hash, memory, NOW, run, runsRemembered, situation } from '../builders.ts';

const HOOK = { command: ['true'], timeout: 1000 };
const desired = defined({ hash: 'b', spec: { rollout: { surge: 1 }, hooks: { pre_start: HOOK } } });
const OLD = run({ slot: 0, hash: 'a', generation: 1 });

function rolling(slot: Partial<SlotMemory>) {
  const remembered = memory({
    generation: 2,
    generationHash: hash('b'),
    runs: runsRemembered([OLD, { met: true, readySince: NOW - 9 }]),
    slots: { 0: { ...NO_SLOT, generation: 1, ...slot } },
  });
  return decide(situation({ desired, runs: [OLD], memory: remembered }));
}

describe('a newer run beside an older one', () => {
  it('is prepared by its hook before it starts', () => {
    expect(rolling({}).actions).toMatchObject([{ do: 'hook', hook: 'pre_start', run: { generation: 2 } }]);
  });

  it('starts when the hook has succeeded', () => {
    const prepared = rolling({}).memory.slots[0]?.preStart;
    expect(prepared).toMatchObject({ state: 'running', generation: 2 });
    if (!prepared) return;
    const { actions } = rolling({ preStart: { ...prepared, state: 'passed' } });
    expect(actions).toMatchObject([{ do: 'start', slot: 0, generation: 2 }]);
  });
});
