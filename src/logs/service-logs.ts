/** Which log files do services have, by what their files say? */
import { basename } from 'node:path';
import { isPerInstance, logPathOf, writtenLogs } from '../model/log-path.ts';
import type { Credentials, Defined, DesiredState } from '../model/spec.ts';

export interface ServiceLog {
  readonly service: string;
  readonly stream: 'stdout' | 'stderr' | 'hint';
  readonly path: string;
  /** null: all instances share the file. */
  readonly instance: number | null;
  /** The user that the service runs as. */
  readonly uid: number;
}

export interface LogChoice {
  /** Empty: all services. */
  readonly services: readonly string[];
  /** Only files with this base name. */
  readonly file?: string;
  readonly stream?: ServiceLog['stream'];
  /** Only files that this instance has alone, also when there are less instances now. */
  readonly instance?: number;
}

export interface ChosenLog {
  readonly log: ServiceLog;
  readonly credentials: Credentials | null;
}

/**
 * In the order of the services; a file that several of them share is there once.
 * @param self the user id of the daemon, for services without a user of their own
 */
export function chosenLogs(desired: DesiredState, choice: LogChoice, self: number): readonly ChosenLog[] {
  const wanted = choice.services.length === 0 ? undefined : new Set(choice.services);
  const chosen = new Map<string, ChosenLog>();
  for (const service of desired.services.values()) {
    if (service.kind !== 'defined' || wanted?.has(service.name) === false) continue;
    const { name, credentials } = service;
    for (const file of logsOf(service, choice.instance)) {
      const fits =
        (choice.file === undefined || basename(file.path) === choice.file) &&
        (choice.stream === undefined || file.stream === choice.stream) &&
        (choice.instance === undefined || file.instance === choice.instance);
      const log = { service: name, ...file, uid: credentials?.uid ?? self };
      if (fits && !chosen.has(file.path)) chosen.set(file.path, { log, credentials });
    }
  }
  return [...chosen.values()];
}

function logsOf(
  { spec: { logs, instances } }: Defined,
  instance: number | undefined,
): readonly Pick<ServiceLog, 'stream' | 'path' | 'instance'>[] {
  const hints = logs.hints.map((path) => ({ stream: 'hint', path, instance: null }) as const);
  if (instance === undefined || instance < instances) return [...writtenLogs(logs, instances), ...hints];
  return (['stdout', 'stderr'] as const)
    .filter((stream) => isPerInstance(logs[stream]))
    .map((stream) => ({ stream, path: logPathOf(logs[stream], instance), instance }));
}
