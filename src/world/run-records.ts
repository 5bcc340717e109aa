/** Which runs were started here? Where there are no cgroups to tell, a file for each run does. */
import fs from 'node:fs';
import { join } from 'node:path';
import {
  isServiceName,
  parseRunDirectory,
  type RunKey,
  runDirectory,
  type ServiceName,
} from '../model/names.ts';
import { isBesideName } from './beside-name.ts';
import { codeOf } from './errno.ts';
import { systemFiles } from './files.ts';
import { isFailure } from './world.ts';

/** The first process of a run; only within the same boot do pid and start time mean anything. */
export interface RunRecord {
  readonly pid: number;
  readonly ticks: number | null;
  readonly boot: string;
  /** Of its session; null where the host does not tell. */
  readonly mark: string | null;
}

/** What a record is about: a run, or a command beside one by its name. */
export type Recorded = RunKey | { readonly service: ServiceName; readonly name: string };

const SUFFIX = '.json';
const LARGEST = 4096;

/** `<directory>/<service>/<run directory>.json`; a file without content is a run whose process is not known yet. */
export class RunRecords {
  readonly #directory: string;
  readonly #files = systemFiles();
  /** Nobody else writes here: what was read once is asked for at every look. */
  readonly #read = new Map<string, RunRecord>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Throws when the directory cannot be listed. */
  services(): readonly ServiceName[] {
    return fs
      .readdirSync(this.#directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .filter(isServiceName);
  }

  /** Throws when the directory cannot be listed; one that is not there has no runs. Other files are not ours. */
  runs(service: ServiceName): readonly RunKey[] {
    return this.#names(service).flatMap((name) => parseRunDirectory(service, name) ?? []);
  }

  /** Of all services; undefined when they cannot be listed. */
  all(): readonly RunKey[] | undefined {
    try {
      return this.services().flatMap((service) => this.runs(service));
    } catch {
      return undefined;
    }
  }

  /** The names of commands beside runs; throws as above. */
  besides(service: ServiceName): readonly string[] {
    return this.#names(service).filter(isBesideName);
  }

  /** null: the run has a place, but its first process is not known. */
  read(key: Recorded): RunRecord | null {
    const path = this.path(key);
    const known = this.#read.get(path);
    if (known !== undefined) return known;
    const text = this.#files.read(path, LARGEST);
    const record = isFailure(text) ? null : recordIn(text);
    if (record !== null) this.#read.set(path, record);
    return record;
  }

  /** Was its first process ever known? Throws when the record cannot be read now: nothing follows from that. */
  isNoted(key: Recorded): boolean {
    if (this.read(key) !== null) return true;
    const path = this.path(key);
    const text = this.#files.read(path, LARGEST);
    if (isFailure(text) && text.failed !== 'ENOENT')
      throw Object.assign(new Error(path), { code: text.failed, path });
    return !isFailure(text) && recordIn(text) !== null;
  }

  /** Answers the error code of what went wrong. */
  write(key: Recorded, record: RunRecord | null): string | undefined {
    const text = record === null ? '' : `${JSON.stringify(record)}\n`;
    this.#read.delete(this.path(key));
    return this.#files.replace(this.path(key), text, { mode: 0o600, durable: false })?.failed;
  }

  /** Answers the error code of what went wrong; gone is fine. */
  remove(key: Recorded): string | undefined {
    this.#read.delete(this.path(key));
    return this.#files.remove(this.path(key))?.failed;
  }

  /** Removes the place of the records of a service if none is left; answers the error where it is still there. */
  forget(service: ServiceName): unknown {
    try {
      fs.rmdirSync(join(this.#directory, service));
      return undefined;
    } catch (error) {
      return codeOf(error) === 'ENOENT' ? undefined : error;
    }
  }

  #names(service: ServiceName): readonly string[] {
    try {
      return fs
        .readdirSync(join(this.#directory, service))
        .flatMap((name) => (name.endsWith(SUFFIX) ? [name.slice(0, -SUFFIX.length)] : []));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** The run whose record has this path, be it there or not; undefined: it is none of these. */
  keyAt(path: string): RunKey | undefined {
    const prefix = `${this.#directory}/`;
    const [service = '', name = '', ...more] = path.startsWith(prefix)
      ? path.slice(prefix.length).split('/')
      : [];
    if (more.length > 0 || !isServiceName(service) || !name.endsWith(SUFFIX)) return undefined;
    return parseRunDirectory(service, name.slice(0, -SUFFIX.length));
  }

  /** Of the file, absolute. */
  path(key: Recorded): string {
    const name = 'name' in key ? key.name : runDirectory(key);
    return join(this.#directory, key.service, `${name}${SUFFIX}`);
  }
}

function recordIn(text: string): RunRecord | null {
  try {
    return parseRecord(JSON.parse(text));
  } catch {
    return null;
  }
}

function parseRecord(value: unknown): RunRecord | null {
  if (typeof value !== 'object' || value === null) return null;
  const { pid, ticks, boot, mark } = value as Partial<Record<keyof RunRecord, unknown>>;
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 1 || typeof boot !== 'string') return null;
  return {
    pid,
    ticks: typeof ticks === 'number' ? ticks : null,
    boot,
    mark: typeof mark === 'string' ? mark : null,
  };
}
