/** How do bytes get from a log that is being written into its copy? Each byte keeps its position. */
import fs from 'node:fs';
import { promisify } from 'node:util';

const read = promisify(fs.read);
const write = promisify(fs.write);

/** Bytes at a time. */
const BLOCK = 1 << 20;

/** While the writer runs, without holding up this process; answers how far it came: at least to the end as it was. */
export async function copyAhead(from: number, to: number, start: number): Promise<number> {
  const end = fs.fstatSync(from).size;
  const block = Buffer.allocUnsafe(Math.min(BLOCK, Math.max(1, end - start)));
  let at = start;
  while (at < end) {
    const { bytesRead } = await read(from, block, 0, block.length, at);
    // Somebody has truncated the file.
    if (bytesRead === 0) return at;
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
