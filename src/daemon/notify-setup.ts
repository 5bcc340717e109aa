/** How do the settings become somebody who tells? */
import { readSecret } from '../config/environment.ts';
import type { Settings } from '../model/settings.ts';
import type { Host } from '../world/host.ts';
import type { World } from '../world/world.ts';
import { tellGuard } from './guard-events.ts';
import { Notifications, type NotificationTools } from './notifications.ts';
import { deliverer } from './notify-delivery.ts';
import type { Log, Reports } from './reports.ts';
import type { Wrote } from './state-problems.ts';

export interface NotifyParts {
  readonly world: World;
  readonly host: Host;
  readonly settings: Settings;
  readonly log: Log;
  readonly version: string;
  readonly wrote: Wrote;
}

export function notificationsOf(
  { world, host, settings, log, version, wrote }: NotifyParts,
  loop: NotificationTools['loop'],
  reports: Reports,
  { frozen, problems }: Pick<NotificationTools, 'frozen' | 'problems'>,
): Notifications {
  const { files, clock } = world;
  tellGuard(loop, (event) => reports.note(event));
  for (const sink of settings.notify) {
    // Better now than when something has gone wrong.
    const secret =
      sink.kind === 'webhook' && sink.secret_file !== null && readSecret(sink.secret_file, files);
    if (secret === false || !('says' in secret)) continue;
    const { code = 'secret-unreadable', says } = secret;
    reports.complain({ code, severity: 'error', message: `notify: ${says}` });
  }
  return new Notifications({
    sinks: settings.notify,
    deliver: deliverer({ files, clock, version, environment: host.environment }),
    loop,
    frozen,
    problems,
    world,
    stateFile: `${settings.state_directory}/notified.json`,
    hostname: host.hostname,
    note: (event) => reports.note(event),
    wrote,
    warn: (message) => log.warn({}, message),
  });
}
