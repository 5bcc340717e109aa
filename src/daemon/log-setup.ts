/** What does the daemon give to whoever keeps the logs of the services in order? */

import type { Settings } from '../model/settings.ts';
import { zoneRules } from '../policy/time-zone.ts';
import { hostOffsetAt } from '../world/host-facts.ts';
import type { LogCare } from '../world/log-care.ts';
import { removedOutputs } from '../world/removed-outputs.ts';
import type { World } from '../world/world.ts';
import { forwardingTools } from './forwarding.ts';
import { LogKeeping, type LogKeepingTools } from './log-keeping.ts';
import type { Loop } from './loop.ts';
import { RemovedLogs } from './removed-logs.ts';
import type { Log, Reports } from './reports.ts';

export interface LogSetupTools {
  readonly world: World;
  readonly settings: Settings;
  readonly log: Log;
  /** null: what services write goes nowhere that has to be kept in order. */
  readonly logCare: LogCare | null;
  readonly appendMarker: LogKeepingTools['appendMarker'];
  readonly wrote: LogKeepingTools['wrote'];
}

export function logKeepingOf(
  { world, settings, log, logCare, appendMarker, wrote }: LogSetupTools,
  loop: Pick<Loop, 'desired' | 'situation'>,
  reports: Pick<Reports, 'complain' | 'lasting'>,
): LogKeeping {
  return new LogKeeping({
    care: logCare,
    appendMarker,
    wrote,
    clock: world.clock,
    zone: zoneRules(hostOffsetAt),
    freezer: (services) => world.containment.freezer(services),
    maxTotalSize: settings.logs.max_total_size,
    ...(logCare === null ? {} : { forward: forwardingTools(world.files, settings, log) }),
    desired: () => loop.desired,
    removed: new RemovedLogs({
      ...{ removedOutputs, reports },
      services: () => loop.desired.services.keys(),
      situation: (service) => loop.situation(service),
    }),
    complain: (problem) => reports.complain(problem),
    tell: (message) => log.info({}, message),
  });
}
