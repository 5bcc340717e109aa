/** What did the file of a service say when it was last right? */
import { join } from 'node:path';
import { isServiceName, type ServiceName } from '../model/names.ts';
import { type Failure, type Files, isFailure } from '../world/world.ts';

/** A text that was a good definition. */
export interface GoodText {
  /** Absolute path of the service file. */
  readonly file: string;
  readonly text: string;
}

/** A text of 1 MiB, escaped as JSON at worst. */
const MOST_BYTES = 8_388_608;

/**
 * `<state directory>/last-good/<service>.json`, one file for each service. Losing them costs the last good
 * definitions of files that are broken while the daemon starts, nothing else: so they are not forced to the disk.
 */
export class LastGood {
  readonly #files: Files;
  readonly #directory: string;
  #entries: Map<ServiceName, GoodText> | undefined;

  constructor(files: Files, stateDirectory: string) {
    this.#files = files;
    this.#directory = join(stateDirectory, 'last-good');
  }

  /** By service. */
  entries(): ReadonlyMap<ServiceName, GoodText> {
    return this.#load();
  }

  /** True: it is new. */
  lacks(name: ServiceName, good: GoodText): boolean {
    const old = this.#load().get(name);
    return old === undefined || old.file !== good.file || old.text !== good.text;
  }

  /** Writes only what is new. */
  keep(name: ServiceName, good: GoodText): Failure | undefined {
    if (!this.lacks(name, good)) return undefined;
    const text = `${JSON.stringify({ file: good.file, text: good.text })}\n`;
    const failure = this.#files.replace(this.#path(name), text, { mode: 0o600, durable: false });
    if (failure === undefined) this.#load().set(name, good);
    return failure;
  }

  drop(name: ServiceName): void {
    this.#load().delete(name);
    this.#files.remove(this.#path(name));
  }

  #load(): Map<ServiceName, GoodText> {
    if (this.#entries !== undefined) return this.#entries;
    this.#entries = new Map();
    const names = this.#files.list(this.#directory);
    if (isFailure(names)) return this.#entries;
    for (const fileName of names) {
      const name = fileName.replace(/\.json$/, '');
      if (name === fileName || !isServiceName(name)) continue;
      const good = readEntry(this.#files.read(this.#path(name), MOST_BYTES));
      if (good !== undefined) this.#entries.set(name, good);
    }
    return this.#entries;
  }

  #path(name: ServiceName): string {
    return join(this.#directory, `${name}.json`);
  }
}

/** undefined for a file that a power cut left half written. */
function readEntry(text: string | Failure): GoodText | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const entry: unknown = JSON.parse(text);
    if (typeof entry !== 'object' || entry === null || !('file' in entry) || !('text' in entry))
      return undefined;
    const { file, text: content } = entry;
    return typeof file === 'string' && typeof content === 'string' ? { file, text: content } : undefined;
  } catch {
    return undefined;
  }
}
