/** How does one walk a path, component by component, so that nobody can exchange what was already judged? */
import fs from 'node:fs';
import type { Credentials } from '../model/spec.ts';
import { codeOf } from './errno.ts';

const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY } = fs.constants;

/** Not among node's constants: the same bit on every architecture that node runs on (open(2)). */
export const O_PATH = 0o10000000;

/** As many as the kernel follows in one path (path_resolution(7)). */
export const LINKS = 40;
const NEW_DIRECTORY = 0o750;

/** The path leads through something that must not be trusted; the message says what. */
export class Refused extends Error {}

/**
 * Opens `path`. Each step starts at the open descriptor of the directory before it (`/proc/self/fd/<n>/<name>`, what
 * openat(2) does elsewhere), so renaming and linking around underneath changes nothing.
 * @param owner missing directories are made for this user; null: none are made
 * @param open is given the last component as a path that only it can follow; must not follow links itself
 * @param planted is told whose link is followed out of a directory that others may write; without it that is Refused
 */
export function walkTo(
  path: string,
  owner: Credentials | null,
  open: (place: string) => number,
  planted?: (uid: number) => void,
): number {
  const todo = componentsOf(path);
  let links = 0;
  let directory = fs.openSync('/', O_RDONLY | O_DIRECTORY | O_PATH);
  const enter = (next: number) => {
    fs.closeSync(directory);
    directory = next;
  };
  try {
    for (;;) {
      const name = todo.shift();
      if (name === undefined) throw new Refused('it is a directory');
      const place = `/proc/self/fd/${directory}/${name}`;
      const target = todo.length === 0 ? linkAt(place) : enterOrLink(place, owner, enter);
      if (target === undefined) {
        if (todo.length > 0) continue;
        return open(place);
      }
      links += 1;
      if (links > LINKS) throw new Refused('too many symbolic links');
      if (!isTrusted(directory)) {
        if (planted === undefined) throw new Refused(untrusted(name));
        planted(ownerOfLink(place, name, target));
      }
      todo.unshift(...componentsOf(target));
      if (target.startsWith('/')) enter(fs.openSync('/', O_RDONLY | O_DIRECTORY | O_PATH));
    }
  } finally {
    fs.closeSync(directory);
  }
}

/** True for a failed system call with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return codeOf(error) === code;
}

function componentsOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** Where the link points to; undefined for anything that is no link. */
export function linkAt(place: string): string | undefined {
  try {
    return fs.readlinkSync(place);
  } catch (error) {
    if (hasCode(error, 'EINVAL') || hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Goes into the directory, making it if it may be made; answers the target of a link instead. */
function enterOrLink(
  place: string,
  owner: Credentials | null,
  enter: (fd: number) => void,
): string | undefined {
  try {
    enter(openDirectory(place));
    return undefined;
  } catch (error) {
    // A link answers ENOTDIR here, because the link itself is what would be opened.
    if (hasCode(error, 'ENOTDIR') || hasCode(error, 'ELOOP')) {
      const target = linkAt(place);
      if (target !== undefined) return target;
    }
    if (!hasCode(error, 'ENOENT') || owner === null) throw error;
  }
  enter(makeDirectory(place, owner));
  return undefined;
}

function openDirectory(place: string): number {
  return fs.openSync(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_PATH);
}

/**
 * Between making and opening it the user may have put another directory in its place: only one that is empty and
 * still the daemon's is given to him.
 */
function makeDirectory(place: string, owner: Credentials): number {
  fs.mkdirSync(place, { mode: NEW_DIRECTORY });
  const fd = fs.openSync(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (fs.fstatSync(fd).uid !== process.geteuid?.() || fs.readdirSync(`/proc/self/fd/${fd}`).length > 0) {
      throw new Refused('a directory on the way was exchanged while it was made');
    }
    fs.fchownSync(fd, owner.uid, owner.gid);
    fs.fchmodSync(fd, NEW_DIRECTORY);
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** Only root and the daemon's user can have put a name into this directory. */
export function isTrusted(directory: number): boolean {
  const found = fs.fstatSync(directory);
  const own = found.uid === 0 || found.uid === process.geteuid?.();
  return own && (found.mode & 0o022) === 0;
}

/** Who put another link in its place meanwhile, and the first one back, has changed the time of that one. */
function ownerOfLink(place: string, name: string, target: string): number {
  const before = fs.lstatSync(place, { bigint: true });
  const now = linkAt(place);
  const after = fs.lstatSync(place, { bigint: true });
  const isSame = before.ino === after.ino && before.ctimeNs === after.ctimeNs;
  if (now !== target || !isSame) throw new Refused(untrusted(name));
  return Number(before.uid);
}

function untrusted(name: string): string {
  return `${name} is a symbolic link in a directory that others than root may write`;
}
