/** Which log files do services have, by what their files say? */
import { basename } from 'node:path';
import { instancePlace, isPerInstance, logPathOf, writtenLogs } from '../model/log-path.ts';
import type { Credentials, Defined, DesiredState } from '../model/spec.ts';
import { identityOf } from '../world/log-files.ts';
import { firstNames } from '../world/log-identity.ts';
import { type Files, isFailure } from '../world/world.ts';

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

export interface LogChooser {
  /** The user id of the daemon, for services without a user of their own. */
  readonly self: number;
  /**
   * Looks for the files of further instances: those that somebody has scaled to, and those that there are no more.
   * Absent: only the instances that the file of the service names.
   */
  readonly list?: Files['list'];
}

type OwnLog = Pick<ServiceLog, 'stream' | 'path' | 'instance'>;

/** In the order of the services; a file that several of them share, by whatever names, is there once. */
export function chosenLogs(
  desired: DesiredState,
  choice: LogChoice,
  { self, list }: LogChooser,
): readonly ChosenLog[] {
  const wanted = choice.services.length === 0 ? undefined : new Set(choice.services);
  const further = list === undefined ? undefined : furtherLogs(desired, list);
  const chosen: (ChosenLog & { readonly path: string })[] = [];
  for (const service of desired.services.values()) {
    if (service.kind !== 'defined' || wanted?.has(service.name) === false) continue;
    const { name, credentials } = service;
    for (const file of logsOf(service, choice.instance, further)) {
      const fits =
        (choice.file === undefined || basename(file.path) === choice.file) &&
        (choice.stream === undefined || file.stream === choice.stream) &&
        (choice.instance === undefined || file.instance === choice.instance);
      const log = { service: name, ...file, uid: credentials?.uid ?? self };
      if (fits) chosen.push({ log, credentials, path: log.path });
    }
  }
  return firstNames(chosen).map(({ log, credentials }) => ({ log, credentials }));
}

function logsOf(
  service: Defined,
  instance: number | undefined,
  further: ((service: Defined) => readonly OwnLog[]) | undefined,
): readonly OwnLog[] {
  const { logs, instances } = service.spec;
  const hints = logs.hints.map((path) => ({ stream: 'hint', path, instance: null }) as const);
  if (instance === undefined || instance < instances) {
    const more = instance === undefined ? further?.(service) : undefined;
    return [...writtenLogs(logs, instances), ...(more ?? []), ...hints];
  }
  return STREAMS.filter((stream) => isPerInstance(logs[stream])).map((stream) => ({
    stream,
    path: logPathOf(logs[stream], instance),
    instance,
  }));
}

const STREAMS = ['stdout', 'stderr'] as const;

/** Of instances that the file of a service does not name, in their order. */
function furtherLogs(desired: DesiredState, list: Files['list']): (service: Defined) => readonly OwnLog[] {
  const lists = new Map<string, readonly string[]>();
  const listed = (directory: string): readonly string[] => {
    const known = lists.get(directory);
    if (known !== undefined) return known;
    const found = list(directory);
    const names = isFailure(found) ? [] : found;
    lists.set(directory, names);
    return names;
  };
  let named: ReadonlySet<string> | undefined;
  return ({ spec: { logs, instances } }) => {
    const found = STREAMS.flatMap((stream) => {
      const place = instancePlace(logs[stream]);
      if (place === undefined) return [];
      return listed(place.directory).flatMap((name) => {
        const instance = place.instanceOf(name);
        if (instance === undefined || instance < instances) return [];
        return [{ stream, path: logPathOf(logs[stream], instance), instance }];
      });
    });
    if (found.length === 0) return [];
    // Whoever names a file outright has it.
    named ??= pathsNamed(desired);
    return found
      .filter(({ path }) => !named?.has(path) && identityOf(path) !== undefined)
      .sort((a, b) => a.instance - b.instance);
  };
}

function pathsNamed({ services }: DesiredState): ReadonlySet<string> {
  const defined = [...services.values()].filter((service) => service.kind === 'defined');
  return new Set(
    defined.flatMap(({ spec }) => writtenLogs(spec.logs, spec.instances).map(({ path }) => path)),
  );
}
