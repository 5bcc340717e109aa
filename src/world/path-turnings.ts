/** In which directories may an entry change so that a path leads elsewhere? */
import { lstatSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';

export interface Turning {
  /** A directory without symbolic links on the way. */
  readonly parent: string;
  /** The entries of it that matter. */
  readonly names: ReadonlySet<string>;
}

/** As many symbolic links as the kernel follows: path_resolution(7). */
const MOST_LINKS = 40;

/**
 * Where each symbolic link on the way stands, and the last entry itself. When an entry is missing, it is the last one
 * that can be seen.
 * @param path absolute
 */
export function turningsOf(path: string): readonly Turning[] {
  const found = new Map<string, Set<string>>();
  let here = '/';
  let ahead = namesOf(path);
  for (let links = 0; ; ) {
    const [name, ...rest] = ahead;
    if (name === undefined) break;
    ahead = rest;
    if (name === '..') {
      here = posix.dirname(here);
      continue;
    }
    const next = posix.join(here, name);
    const target = linkTarget(next);
    if (target !== 'none' || rest.length === 0) found.set(here, (found.get(here) ?? new Set()).add(name));
    if (target === 'missing') break;
    if (target === 'none') {
      here = next;
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) break;
    if (target.to.startsWith('/')) here = '/';
    ahead = [...namesOf(target.to), ...rest];
  }
  return [...found].map(([parent, names]) => ({ parent, names }));
}

function namesOf(path: string): readonly string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function linkTarget(path: string): { readonly to: string } | 'none' | 'missing' {
  try {
    return lstatSync(path).isSymbolicLink() ? { to: readlinkSync(path) } : 'none';
  } catch {
    return 'missing';
  }
}
