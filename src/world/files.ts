/** What do files say, and how are they replaced as a whole? */
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from './errno.ts';
import { makeDirectories } from './make-directories.ts';
import { mayExecute } from './permission.ts';
import { Refused } from './safe-walk.ts';
import { isFull, keepRoom, replaceBySpare } from './spare-file.ts';
import { openUnbent } from './unbent-open.ts';
import type { Failure, FileMaking, FileStatus, Files, Replacement } from './world.ts';

/** The files of this host. */
export function systemFiles(): Files & FileMaking {
  return {
    status,
    list,
    read,
    replace,
    keepRoom,
    settle,
    remove,
    executable: mayExecute,
    create,
    linkTarget,
  };
}

function status(path: string): FileStatus | Failure {
  return attempt(() => {
    const found = fs.statSync(path, { bigint: true });
    return {
      kind: found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other',
      size: Number(found.size),
      mode: Number(found.mode & 0o7777n),
      uid: Number(found.uid),
      gid: Number(found.gid),
      version: [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join('.'),
    };
  });
}

function list(directory: string): readonly string[] | Failure {
  return attempt(() => fs.readdirSync(directory).sort());
}

function read(path: string, limit: number): string | Failure {
  return attempt(() => {
    const fd = openUnbent(path);
    try {
      const found = fs.fstatSync(fd);
      if (found.isDirectory()) return { failed: 'EISDIR' };
      if (!found.isFile()) return { failed: 'ENOTREG' };
      if (found.size > limit) return { failed: 'EFBIG' };
      return readAtMost(fd, limit, found.size);
    } finally {
      fs.closeSync(fd);
    }
  });
}

/**
 * The size told by fstat may be outdated, or 0 as in /proc: read until the end, but never past the limit.
 * @param expected that size: most files are read with one small buffer
 */
function readAtMost(fd: number, limit: number, expected: number): string | Failure {
  const parts: Buffer[] = [];
  let total = 0;
  for (;;) {
    const part = Buffer.allocUnsafe(
      Math.min(65_536, limit + 1 - total, Math.max(4096, expected + 1 - total)),
    );
    const got = fs.readSync(fd, part, 0, part.length, null);
    if (got === 0) return Buffer.concat(parts, total).toString('utf8');
    total += got;
    if (total > limit) return { failed: 'EFBIG' };
    parts.push(part.subarray(0, got));
  }
}

let temporaries = 0;

function replace(path: string, text: string, options: Replacement): Failure | undefined {
  const failure = put(path, text, options, fs.renameSync);
  if (options.spare !== true) return failure;
  if (failure === undefined) {
    keepRoom(path);
    return undefined;
  }
  if (!isFull(failure.failed)) return failure;
  const again = attempt(() => {
    replaceBySpare(path, text, options.mode);
    syncDirectory(dirname(path));
    keepRoom(path);
    return undefined;
  });
  // That there is no room is what a person has to know.
  return again && failure;
}

/** link(2) makes the name or fails: unlike rename(2) it takes nobody's place. */
function create(path: string, text: string, options: Replacement): Failure | undefined {
  return put(path, text, options, (temporary) => {
    fs.linkSync(temporary, path);
    leftBehind.add(temporary);
  });
}

function linkTarget(path: string): string | undefined | Failure {
  const target = attempt(() => fs.readlinkSync(path));
  // readlink(2): EINVAL, it is no symbolic link.
  return typeof target === 'object' && target.failed === 'EINVAL' ? undefined : target;
}

/**
 * So many at a time; the file system puts together what is asked for at once. libuv has four threads for all that waits:
 * a disk that takes seconds must not have them all, as names of hosts are looked up by the others.
 */
const SETTLED_AT_ONCE = 2;

async function settle(paths: readonly string[]): Promise<void> {
  for (let from = 0; from < paths.length; from += SETTLED_AT_ONCE) {
    await Promise.all(paths.slice(from, from + SETTLED_AT_ONCE).map(settleOne));
  }
}

async function settleOne(path: string): Promise<void> {
  try {
    const file = await fs.promises.open(path, 'r');
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch {
    // It is gone already, or the disk cannot: whoever reads it finds out.
  }
}

/** @param place gives the finished temporary file its name */
function put(
  path: string,
  text: string,
  options: Replacement,
  place: (temporary: string, path: string) => void,
): Failure | undefined {
  const directory = dirname(path);
  const temporary = join(directory, `.${process.pid}.${temporaries++}.${Date.now().toString(36)}.tmp`);
  let made = false;
  return attempt(() => {
    try {
      // Until it has its owner, nobody else reads what the text says.
      const fd = openNew(temporary, options.owner === undefined ? options.mode : 0o600);
      made = true;
      try {
        if (options.owner !== undefined) giveTo(fd, options.owner);
        // The umask took bits away at open, and chown(2) takes those that run it as its owner.
        fs.fchmodSync(fd, options.mode);
        fs.writeFileSync(fd, text);
        if (options.durable !== false) fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
      place(temporary, path);
      made = false;
      if (options.durable === true) syncDirectory(directory);
      return undefined;
    } finally {
      if (made) leftBehind.add(temporary);
      clearAway();
    }
  });
}

/** What is theirs already is not given: chown(2) may be refused even then. */
function giveTo(fd: number, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  const now = fs.fstatSync(fd);
  if (now.uid !== uid || now.gid !== gid) fs.fchownSync(fd, uid, gid);
}

/** Temporary files of writes that failed; a disk that could not take the one may not let the other go either. */
const leftBehind = new Set<string>();

function clearAway(): void {
  for (const path of leftBehind) {
    try {
      fs.rmSync(path, { force: true });
      leftBehind.delete(path);
    } catch {
      // With the next write it is tried again.
    }
  }
}

/** The directory is nearly always there. */
function openNew(path: string, mode: number): number {
  try {
    return fs.openSync(path, 'wx', mode);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    makeDirectories(dirname(path), 0o700);
    return fs.openSync(path, 'wx', mode);
  }
}

/** Without it the name may be lost at a power cut although the content is on disk (fsync(2), NOTES). */
export function syncDirectory(directory: string): void {
  const fd = fs.openSync(directory, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Removing what is not there is no failure. */
function remove(path: string): Failure | undefined {
  const failure = attempt(() => {
    fs.unlinkSync(path);
    return undefined;
  });
  return failure?.failed === 'ENOENT' ? undefined : failure;
}

function attempt<Answer>(action: () => Answer): Answer | Failure {
  try {
    return action();
  } catch (error) {
    return { failed: error instanceof Refused ? 'EBENT' : codeOf(error) };
  }
}
