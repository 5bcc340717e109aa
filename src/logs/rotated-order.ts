/** In which order were rotated files made, and which of them are new? */
import { type RotatedName, rotatedName } from '../policy/rotation-names.ts';

/** What tells a rotated file from others, whatever it is called by now. Times in milliseconds since 1970. */
export interface KnownFile {
  /** Device and inode. */
  readonly identity: string;
  readonly modified: number;
  readonly born: number;
}

interface NamedFile extends KnownFile {
  readonly name: string;
}

/** A compressed file has the time of the plain one, rounded to milliseconds at worst. */
const SAME_TIME = 0.6;

/**
 * Oldest first. Numbers and dates tell the order within their series, whatever the clock did; between the two series the
 * time of modification decides. Of a file that is there both plain and compressed, the plain one is taken.
 */
export function inOrder<File extends NamedFile>(base: string, files: readonly File[]): readonly File[] {
  const all = new Map<string, { readonly file: File; readonly rotated: RotatedName }>();
  for (const file of files) {
    const rotated = rotatedName(base, file.name);
    if (rotated === null) continue;
    const key = rotated.kind === 'numbered' ? `${rotated.number}` : `${rotated.label}.${rotated.counter}`;
    if (!rotated.compressed || !all.has(key)) all.set(key, { file, rotated });
  }
  const series = (kind: RotatedName['kind']) => {
    let latest = 0;
    return [...all.values()]
      .filter(({ rotated }) => rotated.kind === kind)
      .sort((a, b) => byAge(a.rotated, b.rotated))
      .map(({ file }) => {
        latest = Math.max(latest, file.modified);
        return { file, time: latest };
      });
  };
  return [...series('dated'), ...series('numbered')].sort((a, b) => a.time - b.time).map(({ file }) => file);
}

/**
 * The files that are none of the known ones, in the order given. A file keeps its inode when it is renamed; compressing
 * makes a new one with the old time.
 * @param files in order, see inOrder
 */
export function newcomers<File extends NamedFile>(
  known: readonly KnownFile[],
  files: readonly File[],
): readonly File[] {
  const left = new Map(known.map((each) => [each.identity, each]));
  const unknown = files.filter((file) => {
    const same = left.get(file.identity);
    if (same === undefined || !isSame(same, file)) return true;
    left.delete(file.identity);
    return false;
  });
  return unknown.filter((file) => {
    if (!file.name.endsWith('.gz')) return true;
    const plain = closest([...left.values()], file);
    if (plain !== undefined) left.delete(plain.identity);
    return plain === undefined;
  });
}

/**
 * Those of the files that were there when `newest` was the newest one.
 * @param newest null: when there was none
 * @param files in order, see inOrder
 */
export function knownThen<File extends NamedFile>(
  newest: KnownFile | null,
  files: readonly File[],
): readonly File[] {
  if (newest === null) return [];
  const found =
    files.find((file) => file.identity === newest.identity && isSame(file, newest)) ??
    closest(
      files.filter(({ name }) => name.endsWith('.gz')),
      newest,
    );
  if (found !== undefined) return files.slice(0, files.indexOf(found) + 1);
  // It was removed meanwhile, as the oldest ones are first.
  return files.filter(({ modified }) => modified <= newest.modified + SAME_TIME);
}

/** The file that must be the same by its time; of two that may be, the one that is closer. */
function closest<File extends KnownFile>(files: readonly File[], { modified }: KnownFile): File | undefined {
  let best: File | undefined;
  const distance = (file: File) => Math.abs(file.modified - modified);
  for (const file of files) {
    if (distance(file) <= SAME_TIME && (best === undefined || distance(file) < distance(best))) best = file;
  }
  return best;
}

/** Inodes are used again: another file under the same number has other times. Not every file system knows of births. */
function isSame(one: KnownFile, other: KnownFile): boolean {
  return one.modified === other.modified || (one.born !== 0 && one.born === other.born);
}

/** Negative: `a` is the older one. */
function byAge(a: RotatedName, b: RotatedName): number {
  if (a.kind === 'numbered' && b.kind === 'numbered') return b.number - a.number;
  if (a.kind === 'numbered' || b.kind === 'numbered') return 0;
  if (a.label === b.label) return a.counter - b.counter;
  return a.label < b.label ? -1 : 1;
}
