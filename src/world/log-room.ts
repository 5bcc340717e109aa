/** Is there room for what is to be written beside a log? */
import fs from 'node:fs';

/** Services write on meanwhile: so much of their file system is not taken for copies. Bytes. */
export const LEFT_FREE = 1 << 19;

/** Too little room: like ENOSPC of write(2), but before anything is written. */
export class NoRoom extends Error {
  readonly code = 'ENOSPC';
  readonly syscall = 'write';

  constructor() {
    super('no space left');
  }
}

/** Bytes that others than root may still write (statfs(2)); undefined when that cannot be told. */
export function freeBytes(directory: string): number | undefined {
  try {
    const { blocks, bavail, bsize } = fs.statfsSync(directory);
    // What is not kept in blocks, or on another host, may tell nothing.
    return blocks === 0 ? undefined : bavail * bsize;
  } catch {
    return undefined;
  }
}

/** False: after so many bytes more in this directory, too little would be left for others. */
export function hasRoom(directory: string, bytes: number): boolean {
  const free = freeBytes(directory);
  return free === undefined || free >= bytes + LEFT_FREE;
}
