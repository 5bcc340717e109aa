import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Burst } from '../../src/world/burst.ts';

describe('a burst', () => {
  let ends: number[];
  let burst: Burst;
  beforeEach(() => {
    vi.useFakeTimers();
    ends = [];
    const begun = performance.now();
    burst = new Burst({ settle: 100, patience: 1000, over: () => ends.push(performance.now() - begun) });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is over once, when it has been quiet for the settle time', () => {
    burst.noticed();
    vi.advanceTimersByTime(99);
    burst.noticed();
    burst.noticed();
    vi.advanceTimersByTime(5000);
    expect(ends).toEqual([199]);
  });

  it('is taken for over when it does not end, and the next one begins anew', () => {
    for (let time = 0; time < 2500; time += 50) {
      burst.noticed();
      vi.advanceTimersByTime(50);
    }
    expect(ends).toEqual([1000, 2000]);
  });

  it('is never over once closed', () => {
    burst.noticed();
    burst.close();
    vi.advanceTimersByTime(5000);
    expect(ends).toEqual([]);
  });
});
