/** Which services does somebody hold, why, and what waits for the end of that? */
import type { DiffView } from '../api/changes.ts';
import type { ServiceName } from '../model/names.ts';
import type { DesiredState } from '../model/spec.ts';
import { holdOf } from '../reconcile/wanted.ts';
import type { Loop } from './loop.ts';

/**
 * @param reading of the directory, as if it was followed
 * @param now milliseconds since 1970
 */
export function holdsIn(
  reading: DesiredState,
  names: Iterable<ServiceName>,
  loop: Pick<Loop, 'intent' | 'waiting'>,
  now: number,
): DiffView['held'] {
  const held = [...names].flatMap((service) => {
    const reason = holdOf({ intent: loop.intent(service), now });
    return reason === undefined ? [] : [{ service, reason }];
  });
  const waiting = loop.waiting(
    reading,
    held.map(({ service }) => service),
  );
  return held.map((each) => {
    const change = waiting.get(each.service);
    return change === undefined ? each : { ...each, change };
  });
}
