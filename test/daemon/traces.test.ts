import { describe, expect, it } from 'vitest';
import { keepingTraces, removesTraces } from '../../src/daemon/traces.ts';
import type { Action } from '../../src/model/action.ts';
import type { SlotMemory } from '../../src/model/memory.ts';
import { memory, NOW, run, slot } from '../builders.ts';

const { key } = run();
const cleanUp: Action = { do: 'clean_up', run: key, because: 'it is over' };
const kill: Action = { do: 'kill', run: key, because: 'it is over' };
const end = (kind: 'completed' | 'failed'): SlotMemory =>
  slot({ end: { kind, at: NOW, reason: '', under: '', pardon: 0, retryAt: null } });
const decision = (kind: 'completed' | 'failed') => ({
  actions: [kill, cleanUp],
  memory: memory({ slots: { [key.slot]: end(kind) } }),
});
const store = (dirty: boolean, owed = false) => ({ dirty, owes: () => owed });

describe('the traces of a run', () => {
  it('that completed must not go before that is on disk', () => {
    expect(removesTraces(decision('completed'), store(true))).toBe(true);
    expect(removesTraces(decision('completed'), store(false))).toBe(false);
    expect(keepingTraces(decision('completed')).actions).toEqual([kill]);
  });

  it('that was due are written about first', () => {
    expect(removesTraces(decision('failed'), store(false, true))).toBe(true);
  });

  it('of every other one stand in the way of nobody', () => {
    const other = decision('failed');
    expect(removesTraces(other, store(true))).toBe(false);
    expect(keepingTraces(other)).toBe(other);
  });
});
