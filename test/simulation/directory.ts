/** What does a daemon read from the simulated directory, whatever state it is in? */
import type { ServiceName } from '../../src/model/names.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Defined, Desired, DesiredState } from '../../src/model/spec.ts';
import { definedBy, type FileText } from './service-file.ts';

export interface ServiceFile {
  readonly text: FileText;
  /** It has an error that no YAML parser or schema lets pass. */
  readonly broken: boolean;
}

/** The directory itself. It outlives the daemons. */
export class Directory {
  readonly files = new Map<ServiceName, ServiceFile>();
  /** `empty`: another file system lies over it, or lies over it no more. */
  condition: 'there' | 'empty' | 'unreadable' = 'there';
}

/** One daemon's memory of it: a broken file leaves the last good definition in force. */
export interface Reader {
  readonly read: () => DesiredState;
  /** Writes down what of the last reading is followed, for the daemons to come. */
  readonly keep: (inForce: DesiredState['services']) => void;
}

/** Reads it as the configuration does, without YAML; nothing outlives the daemon. */
export function quickReader(directory: Directory): Reader {
  return { read: quickly(directory), keep: () => {} };
}

function quickly(directory: Directory): Reader['read'] {
  const good = new Map<ServiceName, Defined>();
  let last: DesiredState = { services: new Map(), problems: [], files: 0, readable: true };
  return () => {
    if (directory.condition === 'unreadable') {
      last = { ...last, problems: [BROKEN], readable: false };
      return last;
    }
    const services = new Map<ServiceName, Desired>();
    const files = directory.condition === 'empty' ? [] : [...directory.files];
    for (const [name, file] of files) {
      if (!file.broken) good.set(name, sameAsBefore(good.get(name), definedBy(file.text)));
      const known = good.get(name);
      const shown = `/etc/config.d/${name}.yaml`;
      if (known === undefined) services.set(name, { kind: 'broken', name, file: shown, problems: [BROKEN] });
      else services.set(name, file.broken ? { ...known, problems: [BROKEN] } : known);
    }
    // An empty directory is not believed.
    if (files.length > 0) for (const name of [...good.keys()]) if (!services.has(name)) good.delete(name);
    last = { services, problems: [], files: files.length, readable: true };
    return last;
  };
}

function sameAsBefore(before: Defined | undefined, now: Defined): Defined {
  return before?.digest === now.digest ? before : now;
}

const BROKEN: Problem = { code: 'yaml-syntax', severity: 'error', message: 'the file is not valid YAML' };
