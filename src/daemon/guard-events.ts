/** Which events tell that the prune guard holds removals back, or no longer does? */
import type { Event } from '../model/action.ts';
import type { Loop } from './loop.ts';

/** Names that one event tells. */
const MOST_NAMES = 20;

/** From now on `prune_held` whenever other services are held back, `prune_released` when none are. */
export function tellGuard(
  loop: Pick<Loop, 'removals' | 'onPass'>,
  note: (event: Omit<Event, 'at'>) => void,
): () => void {
  let told = '';
  return loop.onPass(() => {
    const { held, reason } = loop.removals;
    const now = held.length === 0 ? '' : held.join(' ');
    if (now === told) return;
    told = now;
    if (now === '') return note({ name: 'prune_released', fields: {} });
    const services = `${held.slice(0, MOST_NAMES).join(' ')}${held.length > MOST_NAMES ? ' …' : ''}`;
    note({ name: 'prune_held', fields: { count: held.length, services, reason } });
  });
}
