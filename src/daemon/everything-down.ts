/** Is nothing of any service left that would be this daemon's to stop? */
import type { Looks } from './looks.ts';
import type { Loop } from './loop.ts';
import { isDown, type Outcome } from './outcome.ts';

export function everythingIsDown(loop: Loop, looks: Pick<Looks, 'isSuperseded'>): Outcome {
  if (looks.isSuperseded) return { result: 'done', detail: '' };
  if (loop.isCleaningUp) return { result: 'pending', detail: 'hooks of what has ended still run' };
  for (const name of loop.names()) {
    const down = isDown(loop.glance(name), () => loop.situation(name).observed);
    if (down.result === 'pending') return down;
  }
  return { result: 'done', detail: '' };
}
