/** What does the daemon give to whoever keeps the logs of the services in order? */

import type { Settings } from '../model/settings.ts';
import { zoneRules } from '../policy/time-zone.ts';
import { hostOffsetAt } from '../world/host-facts.ts';
import type { LogCare } from '../world/log-care.ts';
import type { World } from '../world/world.ts';
import { forwardingTools } from './forwarding.ts';
import { LogKeeping, type LogKeepingTools } from './log-keeping.ts';
import type { Loop } from './loop.ts';
import type { Log, Reports } from './reports.ts';

export interface LogSetupTools {
  readonly world: World;
  readonly settings: Settings;
  readonly log: Log;
  /** null: what services write goes nowhere that has to be kept in order. */
  readonly logCare: LogCare | null;
  readonly appendMarker: LogKeepingTools['appendMarker'];
}

export function logKeepingOf(
  { world, settings, log, logCare, appendMarker }: LogSetupTools,
  loop: Pick<Loop, 'desired'>,
  reports: Pick<Reports, 'complain'>,
): LogKeeping {
  return new LogKeeping({
    care: logCare,
    appendMarker,
    clock: world.clock,
    zone: zoneRules(hostOffsetAt),
    freezer: (services) => world.containment.freezer(services),
    maxTotalSize: settings.logs.max_total_size,
    ...(logCare === null ? {} : { forward: forwardingTools(world.files, settings, log) }),
    desired: () => loop.desired,
    complain: (problem) => reports.complain(problem),
    tell: (message) => log.info({}, message),
  });
}
