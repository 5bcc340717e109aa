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

/** Bytes that may still be written (statfs(2)). */
export interface Room {
  /** By others than root. */
  readonly free: number;
  /** By root, for whom some file systems keep blocks of their own (mke2fs(8), -m). */
  readonly freeForRoot: number;
}

/** undefined when that cannot be told. */
export function roomIn(directory: string): Room | undefined {
  try {
    const { blocks, bavail, bfree, bsize } = fs.statfsSync(directory);
    // What is not kept in blocks, or on another host, may tell nothing.
    return blocks === 0 ? undefined : { free: bavail * bsize, freeForRoot: bfree * bsize };
  } catch {
    return undefined;
  }
}

/** False: after so many bytes more in this directory, too little would be left for others. */
export function hasRoom(directory: string, bytes: number): boolean {
  const room = roomIn(directory);
  return room === undefined || room.free >= bytes + LEFT_FREE;
}
