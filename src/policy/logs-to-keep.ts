/** Which logs are there to keep in order, by which rules, and whose are they? */
import { writtenLogs } from '../model/log-path.ts';
import type { ServiceName } from '../model/names.ts';
import type { Credentials, Defined, DesiredState, LogsSpec } from '../model/spec.ts';
import type { RotationSpec } from './rotation.ts';
import { rotatedName } from './rotation-names.ts';

export interface LogToKeep {
  /** Absolute. */
  readonly path: string;
  /** The user of the service; null: the daemon's own. */
  readonly credentials: Credentials | null;
  /** Where it really is. */
  readonly place: string;
  readonly spec: RotationSpec;
  /** Everybody who writes there, by name. */
  readonly services: readonly ServiceName[];
  /** A log whose name is one that the rotation of this one would give, so that it must not be rotated. */
  readonly clash: string | null;
}

/**
 * One for each file, also where several services, streams or instances share it: then the rules of the first service
 * by name hold.
 * @param placeOf where a path of a service's user really is
 */
export function logsToKeep(
  services: DesiredState['services'],
  placeOf: (path: string, credentials: Credentials | null) => string,
): ReadonlyMap<string, LogToKeep> {
  const found = new Map<string, LogToKeep>();
  const writers = new Map<string, ServiceName[]>();
  const defined = [...services.values()].filter((service) => service.kind === 'defined');
  for (const service of defined) {
    for (const path of pathsOf(service)) {
      const place = placeOf(path, service.credentials);
      const { name, credentials, spec } = service;
      const known = writers.get(place);
      if (known !== undefined) {
        // Its other paths have just been looked at.
        if (known.at(-1) !== name) known.push(name);
        continue;
      }
      const services = [name];
      writers.set(place, services);
      found.set(place, { path, credentials, place, spec: rotationSpec(spec.logs), services, clash: null });
    }
  }
  for (const { place } of [...found.values()]) {
    const victim = rotatedFrom(place, found);
    if (victim !== undefined) found.set(victim.place, { ...victim, clash: place });
  }
  return found;
}

/** True if nothing has to be arranged anew; that somebody has ceased to write there changes nothing. */
export function isSameLog(known: LogToKeep, log: LogToKeep): boolean {
  return (
    known.path === log.path &&
    known.clash === log.clash &&
    log.services.every((service) => known.services.includes(service)) &&
    known.credentials?.uid === log.credentials?.uid &&
    JSON.stringify(known.spec) === JSON.stringify(log.spec)
  );
}

/** No files that could be rotated, in a directory that is no place for logs. */
const DEVICES: ReadonlySet<string> = new Set(['/dev/null', '/dev/stdout', '/dev/stderr']);

function pathsOf({ spec }: Defined): readonly string[] {
  const { stop_command_stdout, stop_command_stderr } = spec.logs;
  const others = [stop_command_stdout, stop_command_stderr].filter((path) => path !== null);
  const all = [...writtenLogs(spec.logs, spec.instances).map(({ path }) => path), ...others];
  return [...new Set(all)].filter((path) => !DEVICES.has(path));
}

/** What the keys of `logs` say about rotation. */
export function rotationSpec(logs: LogsSpec): RotationSpec {
  return {
    mode: logs.rotation_mode,
    frequency: logs.rotation_frequency,
    max_age: logs.rotation_max_age,
    size: logs.rotation_size,
    backups: logs.rotation_backups,
    compress: logs.compress,
  };
}

/** The log among whose rotated files a place would count. */
function rotatedFrom(place: string, logs: ReadonlyMap<string, LogToKeep>): LogToKeep | undefined {
  const slash = place.lastIndexOf('/');
  const name = place.slice(slash + 1);
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const base = name.slice(0, dot);
    const log = rotatedName(base, name) === null ? undefined : logs.get(place.slice(0, slash + 1) + base);
    if (log !== undefined) return log;
  }
  return undefined;
}
