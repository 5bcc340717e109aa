/** Which services have failed although nothing is to be changed about them? */
import type { DiffView } from '../api/changes.ts';
import type { ServiceName } from '../model/names.ts';
import { wantedOf } from '../reconcile/wanted.ts';
import type { Loop } from './loop.ts';
import { isUp } from './outcome.ts';

/**
 * Those of which the definition in force does not come up, by the last decision about them.
 * @param changing services of which the plan tells anyway
 */
export function failedServices(
  loop: Pick<Loop, 'names' | 'glance' | 'decision'>,
  changing: ReadonlySet<string>,
): NonNullable<DiffView['failed']> {
  return loop
    .names()
    .filter((name) => !changing.has(name))
    .flatMap((service) => {
      const reason = failureOf(service, loop);
      return reason === undefined ? [] : [{ service, reason }];
    });
}

function failureOf(service: ServiceName, loop: Pick<Loop, 'glance' | 'decision'>): string | undefined {
  // What was decided last is told also while it is looked at again, as status does.
  const glance = { ...loop.glance(service), decision: loop.decision(service) };
  if (wantedOf(glance).kind !== 'run') return undefined;
  const { result, detail } = isUp(glance);
  return result === 'failed' ? detail : undefined;
}
