import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/world/clock.ts';

describe('the clock', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: 1_000_000 });
  });
  afterEach(() => vi.useRealTimers());

  it('starts at the wall clock and is not moved when that is set', () => {
    const clock = systemClock();
    expect(clock.now()).toBe(1_000_000);
    vi.advanceTimersByTime(500);
    vi.setSystemTime(5);
    expect(clock.now()).toBe(1_000_500);
  });

  it('wakes once, when the delay is over', () => {
    const wake = vi.fn();
    systemClock().after(1000, wake);
    vi.advanceTimersByTime(999);
    expect(wake).not.toHaveBeenCalled();
    vi.advanceTimersByTime(10_000);
    expect(wake).toHaveBeenCalledOnce();
  });

  it('waits for longer than a timer can', () => {
    const wake = vi.fn();
    const days = 60 * 24 * 3600 * 1000;
    systemClock().after(days, wake);
    vi.advanceTimersByTime(days - 1);
    expect(wake).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledOnce();
  });

  it.each([10, 60 * 24 * 3600 * 1000])('does not wake once it was cancelled, after %d ms', (delay) => {
    const wake = vi.fn();
    const cancel = systemClock().after(delay, wake);
    vi.advanceTimersByTime(delay - 1);
    cancel();
    vi.advanceTimersByTime(delay);
    expect(wake).not.toHaveBeenCalled();
  });

  it('takes a delay that is over already for none', () => {
    const wake = vi.fn();
    systemClock().after(-5, wake);
    vi.advanceTimersByTime(0);
    vi.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledOnce();
  });
});
