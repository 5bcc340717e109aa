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
import type { Problem } from '../model/problem.ts';
import { isBesideName } from './beside-name.ts';
import { unrestored } from './containment-trouble.ts';
import { codeOf, systemError } from './errno.ts';
import { systemFiles } from './files.ts';
import { makeDirectories } from './make-directories.ts';
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

/** Records have gone that were not removed here: what is listed is not all there is, until they are restored. */
export class RecordsLost extends Error {
  readonly code = 'EAGAIN';
  readonly path: string;

  constructor(path: string) {
    super(`records are missing in ${path}`);
    this.path = path;
  }
}

/** `<directory>/<service>/<run directory>.json`; a file without content is a run whose process is not known yet. */
export class RunRecords {
  readonly #directory: string;
  readonly #files = systemFiles();
  /**
   * What is recorded, by service and name, and what was read of it. Nobody else writes here: a file is read once, and one
   * that is not there any more was lost. No service is in it without a record.
   */
  readonly #known = new Map<ServiceName, Map<string, RunRecord | null>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Throws RecordsLost, or what else keeps the directory from being listed. */
  services(): readonly ServiceName[] {
    let entries: readonly fs.Dirent[];
    try {
      entries = fs.readdirSync(this.#directory, { withFileTypes: true });
    } catch (error) {
      throw codeOf(error) === 'ENOENT' ? new RecordsLost(this.#directory) : error;
    }
    const found = entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .filter(isServiceName);
    const all = new Set(found);
    for (const service of this.#known.keys()) {
      if (!all.has(service)) throw new RecordsLost(join(this.#directory, service));
    }
    return found;
  }

  /**
   * The runs of a service; none where it has no directory. Other files are not ours. Throws RecordsLost, or what else keeps
   * the directory from being listed.
   */
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
    const known = this.#known.get(key.service)?.get(nameOf(key));
    if (known != null) return known;
    const text = this.#files.read(this.path(key), LARGEST);
    const record = isFailure(text) ? null : recordIn(text);
    if (record !== null) this.#note(key.service, nameOf(key), record);
    return record;
  }

  /** Was its first process ever known? Throws when the record cannot be read now: nothing follows from that. */
  isNoted(key: Recorded): boolean {
    if (this.read(key) !== null) return true;
    const path = this.path(key);
    const text = this.#files.read(path, LARGEST);
    if (isFailure(text) && text.failed !== 'ENOENT') throw systemError(path, text.failed);
    return !isFailure(text) && recordIn(text) !== null;
  }

  /** Is it there, whether it can be listed now or not? */
  has(key: Recorded): boolean {
    return this.#known.get(key.service)?.has(nameOf(key)) === true || fs.existsSync(this.path(key));
  }

  /** Answers the error code of what went wrong; what was recorded before is known better all the same. */
  write(key: Recorded, record: RunRecord | null): string | undefined {
    const text = record === null ? '' : `${JSON.stringify(record)}\n`;
    const failed = this.#files.replace(this.path(key), text, { mode: 0o600, durable: false })?.failed;
    const name = nameOf(key);
    if (failed === undefined || this.#known.get(key.service)?.has(name) === true) {
      this.#note(key.service, name, record);
    }
    return failed;
  }

  /** Answers the error code of what went wrong; gone is fine. */
  remove(key: Recorded): string | undefined {
    const failed = this.#files.remove(this.path(key))?.failed;
    if (failed !== undefined) return failed;
    const known = this.#known.get(key.service);
    known?.delete(nameOf(key));
    if (known?.size === 0) this.#known.delete(key.service);
    return undefined;
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

  /**
   * Writes again what is known and not there any more.
   * @returns why that cannot be done
   */
  restore(): Problem | undefined {
    try {
      makeDirectories(this.#directory, 0o700);
      for (const [service, known] of this.#known) {
        const there = new Set(listed(join(this.#directory, service)));
        for (const [name, record] of known) {
          if (there.has(`${name}${SUFFIX}`)) continue;
          const failed = this.write({ service, name }, record);
          if (failed !== undefined) return unrestored(this.path({ service, name }), failed);
        }
      }
      return undefined;
    } catch (error) {
      return unrestored(this.#directory, error);
    }
  }

  #names(service: ServiceName): readonly string[] {
    const known = this.#known.get(service);
    const names = listed(join(this.#directory, service))
      .flatMap((name) => (name.endsWith(SUFFIX) ? [name.slice(0, -SUFFIX.length)] : []))
      .filter((name) => known?.has(name) === true || isOurs(service, name));
    // A service without records has no directory as a rule: then the one above has to be there.
    if (names.length === 0 && known === undefined && !fs.existsSync(this.#directory)) {
      throw new RecordsLost(this.#directory);
    }
    for (const name of names) if (known?.has(name) !== true) this.#note(service, name, null);
    // All names are known now, so that those that are missing show in the number.
    if ((known?.size ?? 0) > names.length) throw new RecordsLost(join(this.#directory, service));
    return names;
  }

  #note(service: ServiceName, name: string, record: RunRecord | null): void {
    const known = this.#known.get(service);
    if (known === undefined) this.#known.set(service, new Map([[name, record]]));
    else known.set(name, record);
  }

  /** What has its record at this path, be it there or not; undefined: it is none of these. */
  keyAt(path: string): Recorded | undefined {
    const prefix = `${this.#directory}/`;
    const [service = '', name = '', ...more] = path.startsWith(prefix)
      ? path.slice(prefix.length).split('/')
      : [];
    if (more.length > 0 || !isServiceName(service) || !name.endsWith(SUFFIX)) return undefined;
    const own = name.slice(0, -SUFFIX.length);
    return isBesideName(own) ? { service, name: own } : parseRunDirectory(service, own);
  }

  /** Of the file, absolute. */
  path(key: Recorded): string {
    return join(this.#directory, key.service, `${nameOf(key)}${SUFFIX}`);
  }
}

function nameOf(key: Recorded): string {
  return 'name' in key ? key.name : runDirectory(key);
}

function isOurs(service: ServiceName, name: string): boolean {
  return isBesideName(name) || parseRunDirectory(service, name) !== undefined;
}

/** A directory that is not there has nothing in it. */
function listed(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
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
