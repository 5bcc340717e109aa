/** Which log files are there, by the configuration itself? Loaded on demand: it can read YAML. */
import { hostname } from 'node:os';
import { ServiceDirectory } from '../config/load.ts';
import { loadSettings } from '../config/settings.ts';
import { chosenLogs } from '../logs/service-logs.ts';
import { systemFiles } from '../world/files.ts';
import { hostFacts } from '../world/host-facts.ts';
import { ownUid } from '../world/turn.ts';
import { systemUsers } from '../world/users.ts';
import type { Call } from './call.ts';
import type { LogsByFiles } from './log-source.ts';

/**
 * Which log files the configuration names; reads it as `check` does, and writes nothing.
 * @param socket of the daemon that does not answer
 * @returns undefined when there is none, or it is that of another daemon
 */
export function logsByFiles({ options, terminal }: Call, socket: string): LogsByFiles | undefined {
  const files = systemFiles();
  const users = systemUsers();
  const { environment, directory } = terminal;
  const loaded = loadSettings({
    ...(options.config === undefined ? {} : { file: options.config }),
    ...{ cwd: directory, env: environment, flags: {}, files, users, hostname: hostname() },
  });
  if ('problems' in loaded) return undefined;
  const { settings } = loaded;
  if (options.config === undefined && settings.sock_path !== socket) return undefined;
  const services = new ServiceDirectory({
    ...{ files, users, settings, environment, host: hostFacts(), cwd: directory },
  });
  const desired = services.load('later');
  if (!desired.readable) return undefined;
  return {
    names: [...desired.services.keys()],
    logs: (request) => ({
      files: chosenLogs(desired, request, { self: ownUid(), list: files.list }).map(({ log }) => log),
      logs: [],
      problems: [],
    }),
  };
}
