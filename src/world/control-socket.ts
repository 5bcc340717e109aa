/** How is a unix socket opened so that its owner and mode are right from the first instant? */
import { chmodSync, chownSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { makeDirectories } from './make-directories.ts';

export interface SocketPlace {
  /** Absolute. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number | null;
  readonly gid: number | null;
  /** A directory that is the daemon's alone, absolute: should it be gone, it is made again for nobody else. */
  readonly own: string;
}

/** sun_path holds 108 bytes with the closing zero (unix(7)); the temporary name is a little longer than the path. */
const LONGEST_PATH = 107 - '.123456789'.length;

/**
 * Binds under a temporary name in the same directory, gives the socket its owner and mode, and renames it into place.
 * A regular file, or a socket on which somebody listens, is never removed.
 * @param server must be closed by the caller where it was refused: it may listen all the same, where nobody finds it
 * @returns undefined when it listens, otherwise one sentence why not
 */
export async function listenOn(server: Server, place: SocketPlace, pid: number): Promise<string | undefined> {
  const { path, mode, uid, gid, own } = place;
  const taken = await whyNotFree(path);
  if (taken !== undefined) return taken;
  const temporary = `${path}.${pid}`;
  try {
    makeDirectories(dirname(path), path.startsWith(`${own}/`) ? 0o700 : 0o755);
    rmSync(temporary, { force: true });
    await bind(server, temporary);
    if (uid !== null || gid !== null) chownSync(temporary, uid ?? -1, gid ?? -1);
    chmodSync(temporary, mode);
    renameSync(temporary, path);
    return undefined;
  } catch (error) {
    removeIfPossible(temporary);
    return `the socket ${path} cannot be opened: ${(error as Error).message}`;
  }
}

/** Why the socket could not be made is often why nothing can be removed there, and is what has to be told. */
function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next attempt begins by removing it.
  }
}

function bind(server: Server, path: string): Promise<void> {
  // Node binds within the call: nothing else that is made meanwhile gets this mask.
  const before = process.umask(0o177);
  try {
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } finally {
    process.umask(before);
  }
}

/** Removes the socket at the end, if it is still the one that was made: another daemon may have taken the place. */
export function removeSocket(path: string, identity: string | undefined): void {
  if (identity !== undefined && identityOf(path) === identity) rmSync(path, { force: true });
}

/** Of the file itself, which nobody else gets as long as a socket is bound to it; undefined: there is none. */
export function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = lstatSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** Why a socket must not be made there; undefined when the path is free or that of a socket that nobody listens on. */
export async function whyNotFree(path: string): Promise<string | undefined> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    return `the socket path ${path} is longer than ${LONGEST_PATH} bytes`;
  }
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? undefined
      : `${path}: ${(error as Error).message}`;
  }
  if (!isSocket) return `${path} exists and is no socket; it is left alone`;
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(`another process listens on ${path}`);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNREFUSED' ? undefined : `${path}: ${error.message}`);
    });
  });
}
