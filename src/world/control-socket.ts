/** How is a unix socket opened so that its owner and mode are right from the first instant? */
import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';

export interface SocketPlace {
  /** Absolute. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number | null;
  readonly gid: number | null;
}

/** sun_path holds 108 bytes with the closing zero (unix(7)); the temporary name is a little longer than the path. */
const LONGEST_PATH = 107 - '.123456789'.length;

/**
 * Binds under a temporary name in the same directory, gives the socket its owner and mode, and renames it into place.
 * A regular file, or a socket on which somebody listens, is never removed.
 * @returns undefined when it listens, otherwise one sentence why not
 */
export async function listenOn(server: Server, place: SocketPlace, pid: number): Promise<string | undefined> {
  const { path, mode, uid, gid } = place;
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    return `the socket path ${path} is longer than ${LONGEST_PATH} bytes`;
  }
  const taken = await occupied(path);
  if (taken !== undefined) return taken;
  const temporary = `${path}.${pid}`;
  const before = process.umask(0o177);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    rmSync(temporary, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(temporary, () => {
        server.off('error', reject);
        resolve();
      });
    });
    if (uid !== null || gid !== null) chownSync(temporary, uid ?? -1, gid ?? -1);
    chmodSync(temporary, mode);
    renameSync(temporary, path);
    return undefined;
  } catch (error) {
    rmSync(temporary, { force: true });
    return `the socket ${path} cannot be opened: ${(error as Error).message}`;
  } finally {
    process.umask(before);
  }
}

/** Removes the socket at the end, if it is still the one that was made: another daemon may have taken the place. */
export function removeSocket(path: string, inode: number | undefined): void {
  if (inode !== undefined && inodeOf(path) === inode) rmSync(path, { force: true });
}

export function inodeOf(path: string): number | undefined {
  try {
    return lstatSync(path).ino;
  } catch {
    return undefined;
  }
}

/** Why the path must not be replaced; undefined when it is free or a socket that nobody listens on. */
async function occupied(path: string): Promise<string | undefined> {
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
