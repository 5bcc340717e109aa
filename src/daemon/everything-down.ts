/** Is nothing of any service left? */
import type { Loop } from './loop.ts';
import { isDown, type Outcome } from './outcome.ts';

export function everythingIsDown(loop: Loop): Outcome {
  if (loop.isCleaningUp) return { result: 'pending', detail: 'hooks of what has ended still run' };
  for (const name of loop.names()) {
    const down = isDown(loop.glance(name), () => loop.situation(name).observed);
    if (down.result === 'pending') return down;
  }
  return { result: 'done', detail: '' };
}
