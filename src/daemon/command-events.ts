/** Which events tell that somebody has given a command? */
import type { CommandRequest } from '../api/contract.ts';
import type { Event } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';

/**
 * `stop_requested`, `hold_requested`, …: one for each service that the command was followed for.
 * @param failed why it could not be noted for some of them
 */
export function commandEvents(
  { verb, by, reason, for: duration, instances }: CommandRequest,
  services: readonly ServiceName[],
  failed: ReadonlyMap<ServiceName, Problem>,
): readonly Omit<Event, 'at'>[] {
  return services.map((service) => {
    const problem = failed.get(service);
    return {
      ...{ name: `${verb}_requested`, service, actor: by },
      fields: {
        ...(reason === undefined ? {} : { reason }),
        ...(duration === undefined ? {} : { for_ms: duration }),
        ...(instances === undefined ? {} : { instances }),
        ...(problem === undefined ? {} : { problem: problem.message }),
      },
    };
  });
}
