/** Which states of the directory were applied, and what did its files say? Content-addressed, bounded, on disk. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Commit, SnapshotResult, Trigger } from '../api/deploys.ts';
import type { Problem } from '../model/problem.ts';
import { type Failure, type Files, isFailure } from '../world/world.ts';
import { readState, STATE_FORMAT } from './state-format.ts';

export interface SnapshotFile {
  /** Relative to the configuration directory. */
  readonly path: string;
  /** SHA-256 of the text, the name of its blob. */
  readonly blob: string;
  readonly service: string;
  /** Of the definition; null: the file was broken, and nothing good was known of it. */
  readonly hash: string | null;
  readonly digest: string | null;
  /** Digest of what each dotenv file said, by its path. */
  readonly env_files: Readonly<Record<string, string>>;
}

export interface Snapshot {
  readonly number: number;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly trigger: Trigger;
  readonly by: string | null;
  readonly commit: Commit | null;
  readonly files: readonly SnapshotFile[];
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Of each service that was touched. */
  readonly results: Readonly<Record<string, SnapshotResult>>;
}

type Touched = Pick<Snapshot, 'added' | 'changed' | 'removed'>;

/** Bytes. An entry names each file of a directory; a text of 1 MiB may have become longer by repaired characters. */
const MOST_BYTES = { entry: 64 * 1024 * 1024, blob: 4 * 1024 * 1024 };

/** So many texts are written or looked at in one turn: one or two milliseconds. */
const AT_ONCE = 10;

/**
 * `<state directory>/snapshots`: one file `<number>-<id>.json` for each application, and `blobs/<sha256>`. Every file
 * is replaced as a whole; what a power cut left torn all the same is known by its digest or its form, skipped, and
 * named in `problems`.
 */
export class Snapshots {
  readonly problems: Problem[] = [];
  readonly #files: Files;
  readonly #directory: string;
  readonly #soon: () => Promise<void>;
  /** Names of the files of all entries. */
  #entries: Set<string> | undefined;
  /** The one that was read or written last, which is asked for most: the others are read when they are. */
  #known: Snapshot | undefined;
  /** Known to be right on disk. */
  readonly #sure = new Set<string>();

  /** @param soon resolves when others have had their turn */
  constructor(files: Files, stateDirectory: string, soon: () => Promise<void>) {
    this.#files = files;
    this.#directory = join(stateDirectory, 'snapshots');
    this.#soon = soon;
  }

  /** The newest that can be read. */
  latest(): Snapshot | undefined {
    for (const name of this.#names()) {
      const snapshot = this.#read(name);
      if (snapshot === undefined) continue;
      this.#known = snapshot;
      return snapshot;
    }
    return undefined;
  }

  /** Newest first; only so many are read. */
  all(most = Number.POSITIVE_INFINITY): readonly Snapshot[] {
    const found: Snapshot[] = [];
    for (const name of this.#names()) {
      if (found.length >= most) break;
      const snapshot = this.#read(name);
      if (snapshot !== undefined) found.push(snapshot);
    }
    return found;
  }

  byNumber(number: number): Snapshot | undefined {
    const found = [...this.#index()].find((name) => numberOf(name) === number);
    return found === undefined ? undefined : this.#read(found);
  }

  /** The entries of one state, newest first; each is read when it is asked for. */
  *ofState(id: string): Iterable<Snapshot> {
    for (const name of this.#names()) {
      const snapshot = name.endsWith(`-${id}.json`) ? this.#read(name) : undefined;
      if (snapshot !== undefined) yield snapshot;
    }
  }

  get nextNumber(): number {
    return Math.max(0, ...this.#names().map(numberOf)) + 1;
  }

  /** The text of a blob; a Problem when it is gone or not what was kept. */
  text(blob: string): string | Problem {
    const text = this.#files.read(this.#blobPath(blob), MOST_BYTES.blob);
    if (typeof text === 'string' && blobOf(text) === blob) return text;
    const why = typeof text === 'string' ? 'is not what was kept' : `cannot be read (${text.failed})`;
    return {
      code: 'snapshot-unreadable',
      severity: 'error',
      message: `the text ${blob.slice(0, 12)} of a snapshot ${why}`,
    };
  }

  /** Texts first, then the entry: whatever ends the daemon or the host in between, an entry has its texts. */
  async keep(snapshot: Snapshot, texts: ReadonlyMap<string, string>): Promise<Problem | undefined> {
    const kept: string[] = [];
    // Somebody may have removed what was kept.
    const there = new Set(this.#listed('blobs'));
    for (const [blob, text] of texts) {
      if (this.#sure.has(blob) && there.has(blob)) continue;
      if ((kept.length + 1) % AT_ONCE === 0) await this.#soon();
      const failure = this.#keepBlob(blob, text, there);
      if (failure !== undefined) return this.#unwritable(failure);
      kept.push(blob);
    }
    await this.#files.settle(kept.map((blob) => this.#blobPath(blob)));
    // Not before: what was written when another one failed is written once more, and is on disk then.
    for (const blob of kept) this.#sure.add(blob);
    return this.note(snapshot);
  }

  /** Writes an entry, also in the place of what it said before. */
  note(snapshot: Snapshot): Problem | undefined {
    const name = nameOf(snapshot);
    const text = `${JSON.stringify({ version: STATE_FORMAT, ...snapshot })}\n`;
    const failure = this.#files.replace(join(this.#directory, name), text, {
      mode: 0o600,
      durable: 'content',
    });
    if (failure !== undefined) return this.#unwritable(failure);
    this.#index().add(name);
    this.#known = snapshot;
    return undefined;
  }

  /** Its file was removed, and not by us: perhaps with all else of the state directory. */
  isLost(snapshot: Snapshot): boolean {
    const status = this.#files.status(join(this.#directory, nameOf(snapshot)));
    return isFailure(status) && status.failed === 'ENOENT';
  }

  /**
   * Removes the oldest entries, and then the texts that no entry has any more. The newest, and the last that
   * converged, stay.
   */
  async prune(most: number): Promise<void> {
    const names = this.#names();
    if (names.length <= most) return;
    const needed = new Set<string>();
    const old: string[] = [];
    let isWhole = true;
    let hasGood = false;
    for (const [at, name] of names.entries()) {
      await this.#soon();
      const snapshot = this.#read(name);
      const isGood: boolean =
        !hasGood && at > 0 && snapshot !== undefined && resultOf(snapshot) === 'converged';
      hasGood ||= isGood;
      if (at >= most && at > 0 && !isGood) old.push(name);
      else if (snapshot === undefined) isWhole = false;
      else for (const { blob } of snapshot.files) needed.add(blob);
    }
    for (const name of old) {
      if (this.#files.remove(join(this.#directory, name)) === undefined) this.#index().delete(name);
    }
    // An entry that cannot be read may need any of the texts.
    if (old.length === 0 || !isWhole) return;
    for (const [at, blob] of this.#listed('blobs').entries()) {
      if (at % AT_ONCE === 0) await this.#soon();
      if (needed.has(blob)) continue;
      this.#sure.delete(blob);
      this.#files.remove(this.#blobPath(blob));
    }
  }

  /** What is there already was perhaps torn by a power cut: it is read once. */
  #keepBlob(blob: string, text: string, there: ReadonlySet<string>): Failure | undefined {
    const path = this.#blobPath(blob);
    const before = there.has(blob) ? this.#files.read(path, MOST_BYTES.blob) : undefined;
    return before === text ? undefined : this.#files.replace(path, text, { mode: 0o600, durable: false });
  }

  /** Newest first. */
  #names(): readonly string[] {
    return [...this.#index()].sort().reverse();
  }

  /** Read when it is asked for: a start need not wait for it. */
  #index(): Set<string> {
    if (this.#entries !== undefined) return this.#entries;
    const names = this.#listed('.');
    // What a killed daemon was writing; only one daemon has this directory.
    for (const name of names) if (/^\..*\.tmp$/.test(name)) this.#files.remove(join(this.#directory, name));
    this.#entries = new Set(names.filter((name) => NAME.test(name)));
    return this.#entries;
  }

  #listed(directory: string): readonly string[] {
    const names = this.#files.list(join(this.#directory, directory));
    return isFailure(names) ? [] : names;
  }

  #read(name: string): Snapshot | undefined {
    if (this.#known !== undefined && nameOf(this.#known) === name) return this.#known;
    const path = join(this.#directory, name);
    const text = this.#files.read(path, MOST_BYTES.entry);
    const snapshot = isFailure(text) ? undefined : snapshotOf(text);
    if (snapshot !== undefined && nameOf(snapshot) === name) return snapshot;
    const message = `${path} cannot be read back; this entry of the history is skipped`;
    if (!this.problems.some((problem) => problem.message === message)) {
      this.problems.push({ code: 'snapshot-unreadable', severity: 'warning', message });
    }
    return undefined;
  }

  #blobPath(blob: string): string {
    return join(this.#directory, 'blobs', blob);
  }

  #unwritable({ failed }: Failure): Problem {
    return {
      code: 'state-unwritable',
      severity: 'warning',
      message: `the history cannot be kept in ${this.#directory} (${failed})`,
    };
  }
}

const NAME = /^\d{8,}-[0-9a-f]{12}\.json$/;

export function blobOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Of the paths and the texts, whatever their order. */
export function snapshotId(files: readonly Pick<SnapshotFile, 'path' | 'blob'>[]): string {
  const lines = files.map(({ path, blob }) => JSON.stringify([path, blob])).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 12);
}

/** The same of texts that are kept nowhere yet. */
export function idOf(texts: readonly { readonly path: string; readonly text: string }[]): string {
  return snapshotId(texts.map(({ path, text }) => ({ path, blob: blobOf(text) })));
}

/** Services whose files it has brought, changed or taken away. */
export function touchedBy({ added, changed, removed }: Touched): readonly string[] {
  return [...added, ...changed, ...removed];
}

/** What became of it as a whole. An earlier daemon has also noted how others stood that it did not touch. */
export function resultOf(snapshot: Touched & Pick<Snapshot, 'results'>): SnapshotResult {
  const each = touchedBy(snapshot).map((service) => snapshot.results[service]);
  if (each.includes('failed')) return 'failed';
  return each.includes('pending') ? 'pending' : 'converged';
}

function numberOf(name: string): number {
  return Number(name.split('-')[0]);
}

function nameOf({ number, id }: Pick<Snapshot, 'number' | 'id'>): string {
  return `${String(number).padStart(8, '0')}-${id}.json`;
}

/** undefined for what is not the whole of an entry: its id is that of its files. */
function snapshotOf(text: string): Snapshot | undefined {
  const state = readState(text);
  if (state.is !== 'ours') return undefined;
  const { version: _, ...value } = state.value;
  const { files, id, number } = value as Partial<Snapshot>;
  if (!Array.isArray(files) || typeof number !== 'number' || snapshotId(files) !== id) return undefined;
  return value as unknown as Snapshot;
}
