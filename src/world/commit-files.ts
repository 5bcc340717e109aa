/** What would the files say if a commit was checked out? */
import { dirname, join, relative } from 'node:path';
import { type ChangedFile, type GitCheckout, textsOf } from './git-checkout.ts';
import type { FileStatus, Files } from './world.ts';

/** A larger file is no service file and no dotenv file. Bytes. */
const MOST_BYTES = 1_048_576;

/** Mode of a symbolic link in a tree. */
const LINK = '120000';

/**
 * The files of this host with those of a checkout as a commit has them; whatever the commit does not change is read
 * from the disk. Nothing is ever written through them.
 * @param changes between what is checked out and the commit
 * @param directory in which nothing may be left to guess: as it is configured, and where it really is
 * @returns a sentence when the commit brings something there that cannot be looked at beforehand
 */
export async function commitFiles(
  files: Files,
  checkout: GitCheckout,
  changes: readonly ChangedFile[],
  directory: { readonly path: string; readonly real: string },
): Promise<Files | string> {
  const concerned = changes.filter(({ path }) => isBelow(directory.real, path));
  const link = concerned.find(({ mode, blob }) => mode === LINK && blob !== null);
  if (link !== undefined) return `${link.path} is a symbolic link: what it says cannot be checked beforehand`;
  // What counts comes first, should not all of it fit.
  const blobs = new Map([...concerned, ...changes].map(({ path, blob }) => [path, blob]));
  const wanted = [...new Set([...blobs.values()].filter((blob) => blob !== null))];
  const contents = await textsOf(checkout, wanted, MOST_BYTES);
  const texts = new Map<string, string | null>();
  for (const [path, blob] of blobs) {
    const text = blob === null ? null : contents.get(blob);
    if (text !== undefined) texts.set(path, text);
    else if (isBelow(directory.real, path)) return `${path} cannot be read from the commit`;
  }
  // Service files are asked for by the configured path.
  const asked = (path: string) =>
    isBelow(directory.real, path) ? join(directory.path, relative(directory.real, path)) : path;
  return overlaid(
    files,
    new Map([...texts].map(([path, text]) => [asked(path), text])),
    new Map([...blobs].map(([path, blob]) => [asked(path), blob])),
  );
}

function overlaid(
  files: Files,
  texts: ReadonlyMap<string, string | null>,
  blobs: ReadonlyMap<string, string | null>,
): Files {
  return {
    ...files,
    read: (path, limit) => {
      const text = texts.get(path);
      if (text === undefined) return files.read(path, limit);
      if (text === null) return { failed: 'ENOENT' };
      return Buffer.byteLength(text) > limit ? { failed: 'EFBIG' } : text;
    },
    status: (path) => {
      const text = texts.get(path);
      if (text === undefined) return files.status(path);
      if (text === null) return { failed: 'ENOENT' };
      // Git keeps neither owner nor mode: a checkout makes them as the directory and the umask say.
      const beside = files.status(dirname(path));
      if ('failed' in beside) return beside;
      const status: FileStatus = {
        ...beside,
        kind: 'file',
        size: Buffer.byteLength(text),
        mode: beside.mode & 0o666,
        version: blobs.get(path) ?? '',
      };
      return status;
    },
    list: (directory) => {
      const found = files.list(directory);
      const own = [...texts].filter(([path]) => dirname(path) === directory);
      if ('failed' in found && own.every(([, text]) => text === null)) return found;
      const names = new Set('failed' in found ? [] : found);
      for (const [path, text] of own) {
        const name = relative(directory, path);
        if (text === null) names.delete(name);
        else names.add(name);
      }
      return [...names].sort();
    },
    replace: () => ({ failed: 'EROFS' }),
    remove: () => ({ failed: 'EROFS' }),
  };
}

function isBelow(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '' && way !== '..' && !way.startsWith('../');
}
