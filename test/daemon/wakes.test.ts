import { describe, expect, it } from 'vitest';
import { Wakes } from '../../src/daemon/wakes.ts';
import type { ServiceName } from '../../src/model/names.ts';

const [A, B, C] = ['a', 'b', 'c'] as ServiceName[] as [ServiceName, ServiceName, ServiceName];

describe('who is looked at again', () => {
  it('whoever is due, and with him who may be looked at already; for these alone nobody wakes', () => {
    const wakes = new Wakes();
    wakes.set(A, 100);
    wakes.set(B, 140, 95);
    wakes.set(C, 140, 101);
    expect(wakes.next).toBe(100);
    expect(wakes.due(99)).toEqual([]);
    expect(wakes.due(100)).toEqual([A, B]);
    wakes.set(A, undefined);
    expect(wakes.next).toBe(140);
    expect(wakes.due(139)).toEqual([]);
    expect(wakes.due(140)).toEqual([B, C]);
  });
});
