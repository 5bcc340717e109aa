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
    vi.setSystemTime(998_600);
    expect(clock.now()).toBe(1_000_500);
    vi.advanceTimersByTime(60_000);
    expect(clock.now()).toBe(1_060_500);
  });

  it('goes slower after that was set back, never backwards, until it shows the same', () => {
    const clock = systemClock();
    const hour = 3600_000;
    vi.setSystemTime(1_000_000 - 2 * hour);
    expect(clock.now()).toBe(1_000_000);
    let last = 0;
    for (let minute = 0; minute < 9 * 60; minute++) {
      vi.advanceTimersByTime(60_000);
      const passed = clock.now() - last;
      if (last > 0) expect(passed).toBeGreaterThanOrEqual(45_000);
      last = clock.now();
      // After three hours a quarter of them is made up for.
      if (minute === 179) expect(clock.now() - clock.wall()).toBe(2 * hour - (3 * hour) / 4);
    }
    expect(Math.abs(clock.now() - clock.wall())).toBeLessThanOrEqual(2000);
    // From then on it is as fast as the other one.
    vi.advanceTimersByTime(hour);
    expect(clock.now()).toBe(last + hour);
  });

  it('follows that at once when it leaps ahead', () => {
    const clock = systemClock();
    vi.setSystemTime(9_000_000);
    expect(clock.now()).toBe(9_000_000);
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
