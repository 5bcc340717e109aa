/** The program processmaster as it runs on service files: the real world, and the daemon in it. */
import { join } from 'node:path';
import { defineService, removableFile } from '../config/define.ts';
import { setEnabled } from '../config/enable.ts';
import { ServiceDirectory, TEXTS_AT_ONCE } from '../config/load.ts';
import { MasterChange } from '../config/master-change.ts';
import type { SettingsResult } from '../config/settings.ts';
import { Daemon } from '../daemon/daemon.ts';
import { openDaemonLog } from '../daemon/log.ts';
import { readLogs } from '../daemon/service-logs.ts';
import { type Problem, sentence } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Approach } from '../world/cgroup-base.ts';
import { commitOf } from '../world/commit-of.ts';
import { EventFiles } from '../world/event-files.ts';
import type { systemFiles } from '../world/files.ts';
import { GitCheckout } from '../world/git-checkout.ts';
import type { Host } from '../world/host.ts';
import { hostFacts } from '../world/host-facts.ts';
import { openWorld } from '../world/linux.ts';
import { systemLogCare } from '../world/log-care.ts';
import { appendMarker } from '../world/log-marker.ts';
import { clearStalePidFile } from '../world/pid-file.ts';
import { closeLog, openLog } from '../world/safe-open.ts';
import type { Failure, Users } from '../world/world.ts';

export interface ServeInput {
  readonly settings: Settings;
  /** What a person should know about the settings. */
  readonly warnings: readonly Problem[];
  /** Reads them again. */
  readonly again: () => SettingsResult;
  /** How far this process has come on its way into the cgroups. */
  readonly approach: Approach | undefined;
  readonly host: Host;
  readonly files: ReturnType<typeof systemFiles>;
  readonly users: Users;
  readonly cwd: string;
  /** Standard error is a terminal. */
  readonly terminal: boolean;
  readonly version: string;
}

/** @returns why it does not run; undefined: it runs now, and ends the program itself */
export async function serve(input: ServeInput): Promise<Problem | undefined> {
  const { settings, host, files, users, cwd, version } = input;
  const opened = openWorld(settings, undefined, input.approach);
  if ('problem' in opened) return opened.problem;
  const log = await openDaemonLog(settings.log, input.terminal, (reopen) => host.onSignal('SIGHUP', reopen));
  for (const warning of input.warnings) log.warn({ code: warning.code }, sentence(warning));
  const place = { files, users, host: hostFacts(), settings, environment: host.environment, cwd };
  const directory = new ServiceDirectory(place);
  const aside = new ServiceDirectory(place);
  const master = new MasterChange(input);
  const daemon = new Daemon({
    world: opened.world,
    host,
    settings,
    log,
    version,
    read: (texts) => master.toldWith(directory.load('later', texts)),
    directory: {
      // Another reader: what is only looked at must not stand in the way of what is followed.
      peek: (texts) =>
        master.toldWith((texts === undefined ? aside : directory.beside()).load('never', texts)),
      textOf: (desired) => directory.textOf(desired),
      commit: () => commitOf(settings.config_directory),
    },
    keepRead: (inForce) => directory.keepGood(inForce, TEXTS_AT_ONCE),
    checkout: () => GitCheckout.around(settings.config_directory),
    readAs: (others) => new ServiceDirectory({ ...place, files: others }).load('never'),
    openLog,
    closeLog,
    appendMarker,
    logCare: systemLogCare(join(settings.state_directory, 'rotations')),
    clearPidFile: clearStalePidFile,
    eventFiles: new EventFiles(join(settings.state_directory, 'events'), settings.events.max_size),
    readLogs,
    serviceFiles: {
      define: (service) => defineService(service, place),
      removable: (desired) => removableFile(desired, place),
      remove: (path) => removed(path, files.remove(path)),
    },
    setEnabled: (file, enabled) => setEnabled(file, enabled, place),
  });
  host.optimize(false);
  const refused = await daemon.start();
  host.optimize(true);
  return refused;
}

function removed(path: string, failure: Failure | undefined): Problem | undefined {
  if (failure === undefined) return undefined;
  const message = `${path} cannot be removed (${failure.failed})`;
  return { code: 'file-unreadable', severity: 'error', message };
}
