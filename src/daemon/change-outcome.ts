/** Has a change of the plan come about? */
import type { Change } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import { changeOf } from '../reconcile/change.ts';
import { wantedOf } from '../reconcile/wanted.ts';
import type { Loop } from './loop.ts';
import { isDown, isUp, type Outcome } from './outcome.ts';

export function changeOutcome(change: Change, loop: Loop): Outcome {
  switch (change.action) {
    case 'stop':
    case 'forget':
      return outcomeOf(change.service, loop);
    case 'live':
      return changeOf(loop.situation(change.service)) === undefined
        ? { result: 'done', detail: 'applied' }
        : { result: 'pending', detail: 'not applied yet' };
    case 'start':
    case 'roll':
    case 'reload':
    case 'replace':
      return isUp(loop.glance(change.service));
    case 'define':
      return { result: 'done', detail: 'in force' };
    case 'keep':
      return { result: 'done', detail: change.reason };
  }
}

/** Whatever is wanted of the service: is it there, or gone? */
export function outcomeOf(service: ServiceName, loop: Loop): Outcome {
  const glance = loop.glance(service);
  // Something of it is wanted all the same: what was too many, or is to wait for its time, goes.
  if (glance.desired !== undefined && wantedOf(glance).kind !== 'none') return isUp(glance);
  const down = isDown(glance, () => loop.situation(service).observed);
  // A removed service is over when nothing is kept of it either: only then no status shows it any more.
  if (down.result !== 'done' || glance.desired !== undefined) return down;
  return loop.names().includes(service) ? { ...down, result: 'pending' } : down;
}
