/** What is in each file of the history of a log, also when it is renamed, compressed or emptied while it is read? */
import type { LogFile } from '../world/log-files.ts';
import type { FileSeen, LogHistory, Look } from '../world/log-history.ts';
import { isFailure } from '../world/world.ts';
import { inflated } from './history-gz.ts';
import { hasPrint, type Snapshot } from './history-snapshot.ts';
import { inOrder, newcomers } from './rotated-order.ts';

/** How a reader of a history treats everybody else. */
export interface Manners {
  /** Called after each block; false: no more may be read. */
  readonly goOn: (bytes: number) => Promise<boolean>;
  /** Called when it is known where to begin: what is read from then on is what is shown. */
  readonly found?: () => void;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** A sentence about what could not be read; nothing is thrown. */
  readonly tell: (sentence: string) => void;
}

/** One file of a history. Its content from `from` on does not change. */
export interface Part {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Bytes; null: it is compressed, and can only be read from its beginning. */
  readonly size: number | null;
  /** Ends early when `goOn` says so. */
  chunks(from: number, to?: number): AsyncGenerator<Uint8Array, void>;
  close(): void;
}

const BLOCK = 65_536;

/** A compressed file has the time of the plain one, but for its fraction of a millisecond. */
const SAME_TIME = 1;

/** Oldest first. Rotated files are opened when they are first read. */
export function partsOf(history: LogHistory, snapshot: Snapshot, manners: Manners): readonly Part[] {
  const rotated = snapshot.rotated.map((seen) => rotatedPart(history, seen, manners));
  const { active } = snapshot;
  return active === undefined ? rotated : [...rotated, activePart(history, snapshot, active, manners)];
}

function rotatedPart(history: LogHistory, seen: FileSeen, manners: Manners): Part {
  let opened: Opened | undefined;
  return {
    name: seen.name,
    modified: seen.modified,
    size: isCompressed(seen.name) ? null : seen.size,
    chunks: async function* (from, to = Number.POSITIVE_INFINITY) {
      opened ??= openSeen(history, seen, manners);
      if (opened !== undefined) yield* chunksOf(opened, { from, to }, seen.name, manners);
    },
    close: () => opened?.file.close(),
  };
}

interface Opened {
  readonly file: LogFile;
  readonly isCompressed: boolean;
}

/** By its inode, as the name may be another one by now; or what it was compressed into. */
function openSeen(history: LogHistory, seen: FileSeen, manners: Manners): Opened | undefined {
  for (let name = seen.name, attempt = 0; attempt < 10; attempt++) {
    const file = history.open(name);
    if (file !== undefined && 'code' in file) {
      manners.tell(`${name}: ${file.message}`);
      return undefined;
    }
    if (file !== undefined) {
      if (file.identity === seen.identity || name !== seen.name) {
        return { file, isCompressed: isCompressed(name) };
      }
      file.close();
    }
    const look = history.look();
    if ('code' in look) return undefined;
    const now =
      look.beside.find(({ identity }) => identity === seen.identity) ??
      look.beside.find(
        (each) => isCompressed(each.name) && Math.abs(each.modified - seen.modified) <= SAME_TIME,
      );
    // The oldest ones are removed in time.
    if (now === undefined) return undefined;
    if (now.identity === seen.identity && now.name === name) continue;
    name = now.name;
  }
  return undefined;
}

/** As far as it was when the snapshot was taken; after a rotation, what was not read yet is in the copy. */
function activePart(
  history: LogHistory,
  snapshot: Snapshot,
  { file, seen, print }: NonNullable<Snapshot['active']>,
  manners: Manners,
): Part {
  let moved: Opened | undefined;
  let known = snapshot.rotated;
  let looked: Look['beside'] | undefined;
  /** undefined: it is still here. */
  const whereabouts = async (): Promise<Opened | 'gone' | undefined> => {
    for (let attempt = 0; attempt < 10; attempt++) {
      const look = history.look();
      if ('code' in look) return undefined;
      const isQuiet = look.beside === looked && look.rotating.length === 0;
      if (isQuiet && stillHas(file, print.size)) return undefined;
      const fresh = newcomers(known, inOrder(history.base, look.beside));
      // The next rotation has what was here, those after it have not; a copy that is not complete has cut nothing off.
      const copies = [...fresh, ...look.rotating.filter((copy) => copy.size >= print.size)];
      for (const copy of copies) {
        const found = await copyOf(history, copy, print);
        if (found !== undefined) return found;
      }
      if (stillHas(file, print.size)) {
        known = [...known, ...fresh];
        looked = look.beside;
        return undefined;
      }
      await manners.wait(20);
    }
    return 'gone';
  };
  return {
    name: seen.name,
    modified: seen.modified,
    size: print.size,
    chunks: async function* (from, to = print.size) {
      let at = from;
      while (at < to && moved === undefined) {
        const bytes = file.read(at, Math.min(BLOCK, to - at));
        const now = await whereabouts();
        if (now === 'gone') {
          manners.tell(`${seen.name} was rotated away while it was read`);
          return;
        }
        moved = now;
        if (moved !== undefined) break;
        if (isFailure(bytes)) manners.tell(`${seen.name} cannot be read: ${bytes.failed}`);
        if (isFailure(bytes) || bytes.length === 0) return;
        at += bytes.length;
        yield bytes;
        if (!(await manners.goOn(bytes.length))) return;
      }
      if (moved !== undefined) yield* chunksOf(moved, { from: at, to }, seen.name, manners);
    },
    close: () => {
      file.close();
      moved?.file.close();
    },
  };
}

async function copyOf(
  history: LogHistory,
  copy: FileSeen,
  print: NonNullable<Snapshot['active']>['print'],
): Promise<Opened | undefined> {
  const file = history.open(copy.name);
  if (file === undefined || 'code' in file) return undefined;
  const opened = { file, isCompressed: isCompressed(copy.name) };
  if (opened.isCompressed ? await beginsWith(file, print.head) : hasPrint(file, print)) return opened;
  file.close();
  return undefined;
}

async function beginsWith(file: LogFile, head: Uint8Array): Promise<boolean> {
  for await (const chunk of inflated(file)) {
    const length = Math.min(chunk.length, head.length);
    return Buffer.compare(chunk.subarray(0, length), head.subarray(0, length)) === 0;
  }
  return false;
}

function stillHas(file: LogFile, size: number): boolean {
  const now = file.size();
  return isFailure(now) || now >= size;
}

async function* chunksOf(
  { file, isCompressed }: Opened,
  { from, to }: { readonly from: number; readonly to: number },
  name: string,
  manners: Manners,
): AsyncGenerator<Uint8Array, void> {
  const told = (why: string): void => manners.tell(`${name} cannot be read: ${why}`);
  if (!isCompressed) {
    for (let at = from; at < to; ) {
      const bytes = file.read(at, Math.min(BLOCK, to - at));
      if (isFailure(bytes)) told(bytes.failed);
      if (isFailure(bytes) || bytes.length === 0) return;
      at += bytes.length;
      yield bytes;
      if (!(await manners.goOn(bytes.length))) return;
    }
    return;
  }
  let at = 0;
  for await (const chunk of inflated(file, told)) {
    const wanted = chunk.subarray(Math.max(0, from - at), Math.max(0, to - at));
    at += chunk.length;
    if (wanted.length > 0) yield wanted;
    if (at >= to || !(await manners.goOn(chunk.length))) return;
  }
}

function isCompressed(name: string): boolean {
  return name.endsWith('.gz');
}
