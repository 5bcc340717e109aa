/** How do bytes get from a log that is being written into its copy? Each byte keeps its position. */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { codeOf } from './errno.ts';
import { NoRoom } from './log-room.ts';

const read = promisify(fs.read);
const write = promisify(fs.write);

/** Bytes at a time. */
const BLOCK = 1 << 20;

const copyFile = promisify(fs.copyFile);
const dataSync = promisify(fs.fdatasync);

/** File systems whose files can share blocks, by their numbers in statfs(2): Btrfs, XFS, bcachefs. */
const SHARING: ReadonlySet<number> = new Set([0x9123683e, 0x58465342, 0xca451a4e]);

/** Devices that cannot all the same: it is chosen when the file system is made. */
const UNSHARED = new Set<bigint>();

/** What ioctl_ficlone(2) and Node say where that is so. */
const NEVER: ReadonlySet<string> = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'EXDEV', 'ENOSYS', 'ENOTTY']);

/** @param directory in which the log lies, on this device */
export function mayShare(directory: string, device: bigint): boolean {
  if (UNSHARED.has(device)) return false;
  try {
    return SHARING.has(fs.statfsSync(directory).type);
  } catch {
    return false;
  }
}

/**
 * Lets the empty file have the blocks of the log (ioctl_ficlone(2)): that takes neither time nor room, whatever the size.
 * @returns how many bytes it has then; 0: it cannot be done
 */
export async function shareBlocks(from: number, to: number, device: bigint): Promise<number> {
  try {
    // Whoever writes would have to wait while the kernel brings to the disk what is still in memory.
    await dataSync(from);
    await copyFile(`/proc/self/fd/${from}`, `/proc/self/fd/${to}`, fs.constants.COPYFILE_FICLONE_FORCE);
    return fs.fstatSync(to).size;
  } catch (error) {
    if (NEVER.has(codeOf(error))) UNSHARED.add(device);
    return 0;
  }
}

/**
 * While the writer runs, without holding up this process; answers how far it came: at least to the end as it was.
 * @param isRoomFor so many bytes more
 * @throws NoRoom before the disk is full
 */
export async function copyAhead(
  from: number,
  to: number,
  start: number,
  isRoomFor: (bytes: number) => boolean,
): Promise<number> {
  const end = fs.fstatSync(from).size;
  const block = Buffer.allocUnsafe(Math.min(BLOCK, Math.max(1, end - start)));
  let at = start;
  while (at < end) {
    const { bytesRead } = await read(from, block, 0, block.length, at);
    // Somebody has truncated the file.
    if (bytesRead === 0) return at;
    if (!isRoomFor(bytesRead)) throw new NoRoom();
    for (let done = 0; done < bytesRead; ) {
      done += (await write(to, block, done, bytesRead - done, at + done)).bytesWritten;
    }
    at += bytesRead;
  }
  return at;
}

/**
 * At once, up to `end` or until the time is up; answers how far it came.
 * @param until a reading of performance.now
 */
export function copyNow(from: number, to: number, start: number, end: number, until: number): number {
  const block = Buffer.allocUnsafe(Math.min(BLOCK, Math.max(1, end - start)));
  let at = start;
  while (at < end && performance.now() < until) {
    const count = fs.readSync(from, block, 0, Math.min(block.length, end - at), at);
    if (count === 0) return at;
    for (let done = 0; done < count; ) done += fs.writeSync(to, block, done, count - done, at + done);
    at += count;
  }
  return at;
}

/** The bytes from `start` to `end`. */
export function bytesOf(fd: number, start: number, end: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, end - start));
  let done = 0;
  while (done < bytes.length) {
    const count = fs.readSync(fd, bytes, done, bytes.length - done, start + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}
