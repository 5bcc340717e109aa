/** Which files lie below these paths, and what do they contain? */
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, inWords } from './errno.ts';

/** By absolute path. */
export type SourceTree = ReadonlyMap<string, SourceFile>;

export interface SourceFile {
  /** Differs when the content does. */
  readonly content: string;
  /** Differs when the content may differ; undefined when nothing can be told from it. */
  readonly stamp: string | undefined;
  /** When it was last written or changed, if that is known; milliseconds since 1970. */
  readonly changed?: number;
}

export interface SourceLook {
  readonly tree: SourceTree;
  /** What exists but could not be read; the tree holds what was known of it. */
  readonly unseen: readonly { readonly path: string; readonly reason: string }[];
}

/** Larger files are known by size and modification time alone; bytes. */
const LARGEST_READ = 16 * 1024 * 1024;

/** Files of one directory that are looked at together. */
const AT_ONCE = 16;

/**
 * A file that was written this shortly before it was read may have been written again with the same times: stamps of
 * a file are as coarse as the tick of the kernel, on some file systems 2 s. Milliseconds.
 */
const COARSEST_STAMP = 2000;

/**
 * Looks at every file below the roots. A root may be a file or lead somewhere by a symbolic link; below a root a
 * symbolic link counts as the text that it holds, and is not followed. What does not exist is not in the tree.
 * @param roots absolute
 * @param ignored tells of a path below a root, from that root on
 * @param before the look before: unchanged files are not read again
 * @param stopped the look is given up; its answer is worth nothing then
 */
export async function lookAtSources(
  roots: readonly string[],
  ignored: (root: string, relative: string) => boolean,
  before: SourceTree,
  stopped: () => boolean,
): Promise<SourceLook> {
  const tree = new Map<string, SourceFile>();
  const unseen: { path: string; reason: string }[] = [];

  const cannot = (path: string, error: unknown): void => {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return;
    unseen.push({ path, reason: inWords(error) });
    for (const [known, file] of before) {
      if (known === path || known.startsWith(`${path}/`)) tree.set(known, file);
    }
  };

  const look = async (path: string, follow: boolean): Promise<boolean> => {
    try {
      const stats = await (follow ? stat(path) : lstat(path));
      if (stats.isDirectory()) return true;
      tree.set(path, await fileAt(path, stats, before.get(path)));
    } catch (error) {
      cannot(path, error);
    }
    return false;
  };

  for (const root of roots) {
    const directories = (await look(root, true)) ? [''] : [];
    for (let next = directories.pop(); next !== undefined && !stopped(); next = directories.pop()) {
      const directory = next;
      const names = await readdir(join(root, directory)).catch((error: unknown) => {
        cannot(join(root, directory), error);
        return [];
      });
      const paths = names.map((name) => join(directory, name)).filter((path) => !ignored(root, path));
      while (paths.length > 0 && !stopped()) {
        const some = paths.splice(0, AT_ONCE);
        const kinds = await Promise.all(some.map((path) => look(join(root, path), false)));
        directories.push(...some.filter((_, index) => kinds[index]));
      }
    }
  }
  return { tree, unseen };
}

/** Files that were added, removed, or have another content; sorted. */
export function differences(before: SourceTree, after: SourceTree): readonly string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path)?.content !== after.get(path)?.content).sort();
}

async function fileAt(path: string, stats: Stats, known: SourceFile | undefined): Promise<SourceFile> {
  if (stats.isSymbolicLink()) return { content: `link ${await readlink(path)}`, stamp: undefined };
  if (!stats.isFile()) return { content: 'neither file nor directory', stamp: undefined };
  const { size, mtimeMs } = stats;
  if (size > LARGEST_READ) return { content: `large ${size} ${mtimeMs}`, stamp: undefined };
  const stamp = stampOf(stats);
  if (known?.stamp !== undefined && known.stamp === stamp) return known;
  return await readAt(path);
}

/** What it is by now may be another thing than a moment ago: a pipe must not hold the reader up. */
async function readAt(path: string): Promise<SourceFile> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const begun = Date.now();
    const stats = await file.stat();
    if (!stats.isFile()) return { content: 'neither file nor directory', stamp: undefined };
    const hash = createHash('sha256');
    // As long as it was, not longer: somebody may append faster than it is read.
    const end = Math.min(stats.size, LARGEST_READ) - 1;
    if (end >= 0) {
      const stream = file.createReadStream({ start: 0, end, autoClose: false });
      for await (const chunk of stream) hash.update(chunk);
    }
    const old = Math.max(stats.mtimeMs, stats.ctimeMs) + COARSEST_STAMP < begun;
    return { content: hash.digest('hex'), stamp: old ? stampOf(stats) : undefined, changed: stats.ctimeMs };
  } finally {
    await file.close();
  }
}

/** The change time cannot be set by anybody (inode(7)): it tells of a write that the modification time hides. */
function stampOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}
