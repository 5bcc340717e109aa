/** What does a guest leave behind in the program around it? */
import { describe, expect, it, vi } from 'vitest';
import { closableClock, hostProgram, thisProgram } from '../../src/world/host-program.ts';
import type { Clock } from '../../src/world/world.ts';

/** A clock whose time comes when it is told to. */
function handClock() {
  const waiting = new Set<() => void>();
  const clock: Clock = {
    now: () => 1,
    wall: () => 2,
    after: (_, wake) => {
      waiting.add(wake);
      return () => waiting.delete(wake);
    },
  };
  const strike = (): void => {
    for (const wake of [...waiting]) {
      waiting.delete(wake);
      wake();
    }
  };
  return { clock, waiting, strike };
}

describe('closableClock', () => {
  it('wakes as the clock does, until it is closed', () => {
    const { clock, waiting, strike } = handClock();
    const closable = closableClock(clock);
    const [first, cancelled, late, never] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
    closable.clock.after(1, first);
    closable.clock.after(1, cancelled)();
    strike();
    closable.clock.after(1, late);
    closable.close();
    closable.clock.after(1, never)();
    expect(waiting.size).toBe(0);
    strike();
    expect([first, cancelled, late, never].map((wake) => wake.mock.calls.length)).toEqual([1, 0, 0, 0]);
    expect([closable.clock.now(), closable.clock.wall()]).toEqual([1, 2]);
  });
});

describe('hostProgram', () => {
  it('catches no signal, and tells its end instead of ending the process', () => {
    const before = process.listenerCount('SIGTERM');
    const ended = vi.fn();
    const host = hostProgram({}, ended);
    host.onSignal('SIGTERM', () => undefined);
    host.exit(3);
    expect(process.listenerCount('SIGTERM')).toBe(before);
    expect(ended).toHaveBeenCalledExactlyOnceWith(3);
    expect(host.isInit).toBe(false);
  });

  it('knows the program it is in', () => {
    expect(thisProgram()).toMatchObject({ directory: process.cwd(), node: process.execPath });
  });
});
