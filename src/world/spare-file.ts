/** How is a file replaced on a disk that is full? By a spare one that was kept beside it, with the room that it has. */
import fs from 'node:fs';
import { codeOf } from './errno.ts';

export function spareOf(path: string): string {
  return `${path}.spare`;
}

/** What write(2) answers where the file system, or the share of the user, has no room left. */
export function isFull(code: string): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** What people ask for of some hundred services. Bytes. */
const LEAST = 65_536;

/**
 * Keeps room beside the file that nobody else gets, as much as there is. Best effort: without it the file cannot be
 * replaced on a full disk.
 */
export function keepRoom(path: string): void {
  const spare = spareOf(path);
  const growing = `${spare}.tmp`;
  try {
    // More may have to be said then than was said before.
    const size = Math.max(LEAST, 2 * sizeOf(path));
    const before = sizeOf(spare);
    if (before >= size) return;
    fs.rmSync(growing, { force: true });
    if (filled(growing, size) > before) fs.renameSync(growing, spare);
    else giveUp(growing);
  } catch {
    giveUp(growing);
  }
}

/** Only what is written has room on the disk: a hole has none. Answers how many bytes there were. */
function filled(path: string, size: number): number {
  const block = Buffer.alloc(4096);
  const fd = fs.openSync(path, 'wx', 0o600);
  let done = 0;
  try {
    while (done < size) done += fs.writeSync(fd, block, 0, Math.min(block.length, size - done));
  } catch (error) {
    if (!isFull(codeOf(error))) throw error;
  } finally {
    fs.closeSync(fd);
  }
  return done;
}

/**
 * Replaces the file as a whole, and keeps what was there before as the next spare. The text is on disk when it returns,
 * its name may not be yet. Throws like node:fs: then the file says what it said before.
 */
export function replaceBySpare(path: string, text: string, mode: number): void {
  const [spare, before] = [spareOf(path), `${path}.before`];
  const fd = fs.openSync(spare, fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  try {
    const { nlink } = fs.fstatSync(fd);
    // A second name may be that of the file itself, whose text would change in its place.
    if (nlink !== 1) throw Object.assign(new Error(spare), { code: 'EMLINK' });
    fs.fchmodSync(fd, mode);
    fs.writeFileSync(fd, text);
    fs.ftruncateSync(fd, Buffer.byteLength(text));
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  const isKept = isNamed(path, before);
  fs.renameSync(spare, path);
  if (isKept) hand(before, spare);
}

/** The blocks of what is replaced are all that is left of the room. */
function isNamed(path: string, name: string): boolean {
  try {
    fs.rmSync(name, { force: true });
    fs.linkSync(path, name);
    return true;
  } catch {
    // There was none before, or the file system has no second names.
    return false;
  }
}

function hand(before: string, spare: string): void {
  try {
    fs.renameSync(before, spare);
  } catch {
    giveUp(before);
  }
}

function giveUp(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // The next time it is removed first.
  }
}

function sizeOf(path: string): number {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.nlink === 1 ? found.size : 0;
}
