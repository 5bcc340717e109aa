/** What would the files say if a commit was checked out? */
import fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type ChangedFile, type GitCheckout, textsOf } from './git-checkout.ts';
import { LINKS } from './safe-walk.ts';
import type { Failure, FileStatus, Files } from './world.ts';

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
  const links = new Set(
    changes.filter(({ mode, blob }) => mode === LINK && blob !== null).map(({ path }) => path),
  );
  const way = new Set(linksOnTheWay(directory.path));
  const elsewhere = changes.find(({ path }) => way.has(path));
  if (elsewhere !== undefined)
    return `${elsewhere.path} leads to the directory: where to cannot be told beforehand`;
  // The directory itself may become one, or what it lies in.
  for (const path of links) {
    if (!isBelow(directory.real, path) && !isBelow(path, directory.real) && path !== directory.real) continue;
    return `${path} is a symbolic link: what it says cannot be checked beforehand`;
  }
  const instead = changes.find(
    ({ path, blob }) => blob !== null && (path === directory.real || isBelow(path, directory.real)),
  );
  if (instead !== undefined)
    return `${instead.path} is no directory any more: the service files are gone with it`;
  // What counts comes first, should not all of it fit.
  const blobs = new Map([...concerned, ...changes].map(({ path, blob }) => [path, blob]));
  const wanted = [...new Set([...blobs.values()].filter((blob) => blob !== null))];
  const contents = await textsOf(checkout, wanted, MOST_BYTES);
  const texts = new Map<string, Content>();
  for (const [path, blob] of blobs) {
    const text = blob === null ? null : contents.get(blob);
    if (text === undefined && isBelow(directory.real, path)) return `${path} cannot be read from the commit`;
    // Whoever needs it finds that it cannot be told, not what stands there now.
    texts.set(
      path,
      links.has(path) ? { failed: 'ELOOP' } : (text ?? (blob === null ? null : { failed: 'EFBIG' })),
    );
  }
  // Service files are asked for by the configured path; or else it is a link that is there already which leads here.
  const asked = (path: string) =>
    isBelow(directory.real, path) ? [path, join(directory.path, relative(directory.real, path))] : [path];
  return overlaid(
    files,
    new Map([...texts].flatMap(([path, text]) => asked(path).map((each) => [each, text] as const))),
    new Map([...blobs].flatMap(([path, blob]) => asked(path).map((each) => [each, blob] as const))),
  );
}

/** Where the symbolic links are that one comes by on the way to a path. */
function linksOnTheWay(path: string): readonly string[] {
  const links: string[] = [];
  const todo = path.split('/');
  for (let at = '/'; todo.length > 0 && links.length < LINKS; ) {
    const here = join(at, todo.shift() ?? '');
    const isLink = fs.lstatSync(here, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    if (isLink) links.push(here);
    const target = isLink ? fs.readlinkSync(here) : undefined;
    if (target !== undefined) todo.unshift(...target.split('/'));
    if (target === undefined) at = here;
    else if (target.startsWith('/')) at = '/';
  }
  return links;
}

/** What a file says; null: there is none. */
type Content = string | null | Failure;

function overlaid(
  files: Files,
  texts: ReadonlyMap<string, Content>,
  blobs: ReadonlyMap<string, string | null>,
): Files {
  const contentOf = (path: string) => (texts.has(path) ? texts.get(path) : texts.get(realPath(path)));
  // Also the directory may be missing still.
  const statusAround = (path: string): FileStatus | Failure => {
    const found = files.status(path);
    const isMissing = 'failed' in found && found.failed === 'ENOENT' && path !== dirname(path);
    return isMissing ? statusAround(dirname(path)) : found;
  };
  const comesInto = (path: string) => [...texts].some(([each, text]) => text !== null && isBelow(path, each));
  return {
    ...files,
    read: (path, limit) => {
      const text = contentOf(path);
      if (text === undefined) return files.read(path, limit);
      if (text === null) return { failed: 'ENOENT' };
      if (typeof text !== 'string') return text;
      return Buffer.byteLength(text) > limit ? { failed: 'EFBIG' } : text;
    },
    status: (path) => {
      const text = contentOf(path);
      if (text === undefined) {
        const found = files.status(path);
        return 'failed' in found && comesInto(path) ? statusAround(path) : found;
      }
      if (text === null) return comesInto(path) ? statusAround(dirname(path)) : { failed: 'ENOENT' };
      if (typeof text !== 'string') return text;
      // Git keeps neither owner nor mode: a checkout makes them as the directory and the umask say.
      const beside = statusAround(dirname(path));
      if ('failed' in beside) return beside;
      const status: FileStatus = {
        ...beside,
        kind: 'file',
        size: Buffer.byteLength(text),
        mode: beside.mode & 0o666,
        version: blobs.get(path) ?? blobs.get(realPath(path)) ?? '',
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

function realPath(path: string): string {
  try {
    return fs.realpathSync.native(path);
  } catch {
    return path;
  }
}

function isBelow(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '' && way !== '..' && !way.startsWith('../');
}
