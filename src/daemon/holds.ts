/** Which services does somebody hold, why, and what waits for the end of that? */
import type { DiffView, HoldView } from '../api/changes.ts';
import type { Intent } from '../model/memory.ts';
import type { ServiceName } from '../model/names.ts';
import type { DesiredState } from '../model/spec.ts';
import type { Situation } from '../reconcile/situation.ts';
import { heldOf, holdOf } from '../reconcile/wanted.ts';
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
    const intent = loop.intent(service);
    const reason = holdOf({ intent, now });
    return reason === undefined ? [] : [{ service, reason, ...untilOf(intent.held) }];
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

/** As `status` tells it; undefined when nobody holds it (any more). */
export function holdView(situation: Pick<Situation, 'intent' | 'now'>): HoldView | undefined {
  const held = heldOf(situation);
  if (held === undefined) return undefined;
  const reason = held.reason === undefined ? {} : { reason: held.reason };
  return { by: held.by, at: new Date(held.at).toISOString(), ...reason, ...untilOf(held) };
}

function untilOf(held: Intent['held']): Pick<HoldView, 'until'> {
  return held?.until === undefined ? {} : { until: new Date(held.until).toISOString() };
}
