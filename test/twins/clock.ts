/** What time does a simulated daemon believe it is? */
import type { Clock } from '../../src/world/world.ts';
import type { Agenda } from './agenda.ts';

/** @param offset the host's clock may be set differently for each daemon; within one it never steps */
export function simulatedClock(time: { readonly now: number }, offset: number, timers: Agenda): Clock {
  return {
    now: () => time.now + offset,
    wall: () => time.now + offset,
    after: (delay, wake) => timers.add(time.now + Math.max(0, delay), wake),
  };
}
