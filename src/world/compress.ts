/** How is a rotated file compressed while rotation goes on, and nobody else is disturbed? */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { promisify } from 'node:util';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { late } from './late-modules.ts';
import { createBeside, type LogPlace, openPlace, rotationTrouble, syncNamesSoon } from './log-place.ts';
import { hasRoom, LEFT_FREE } from './log-room.ts';
import { hasCode, Refused } from './safe-walk.ts';
import { foreignSecondName } from './second-name.ts';
import { statusOrClose } from './status-or-close.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
const gzip = (bytes: Uint8Array): Promise<Buffer> => promisify(late.zlib.gzip)(bytes);
const read = promisify(fs.read);
const sync = promisify(fs.fsync);

/** Each block is a member of its own, which gzip(1) and zlib read as one file (RFC 1952, section 2.2); bytes. */
const BLOCK = 1 << 20;

const LEFTOVER = /^\.pm-[0-9a-f]{12}\.gz\.tmp$/;

export type Compressed =
  /** `name`: of the compressed file. */
  | { readonly kind: 'compressed'; readonly name: string }
  /** It was removed meanwhile, or is no regular file, or the compressor was closed. */
  | { readonly kind: 'nothing' }
  /** Nothing is left of what was begun. `bytes`: with so many free it is worth another try. */
  | { readonly kind: 'no-room'; readonly bytes: number };

/** One file at a time in the whole process, with at most half of one CPU. */
export class Compressor {
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /**
   * The rotated file may be renamed while it is compressed: it is known by its inode, and the compressed one takes the
   * name that it has in the end. Both are there for a moment, the plain one never after the compressed one.
   * @param path of the active log, absolute
   * @param name of the rotated file beside it
   * @param isRotated which names beside the log rotation gives: one of another kind is not touched, if it is the same
   *   file a hundred times (link(2))
   */
  compress(
    path: string,
    credentials: Credentials | null,
    name: string,
    isRotated: (base: string, name: string) => boolean,
  ): Promise<Compressed | Problem> {
    const job = this.#last.then(async () => {
      try {
        const rules = { isRotated, isStopped: () => this.#isClosed };
        return await compressOne(path, credentials, name, rules);
      } catch (error) {
        return rotationTrouble(path, error);
      }
    });
    this.#last = job.catch(() => undefined);
    return job;
  }

  /** Fulfilled when nothing is open any more; what is not done is left as it was. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
  }
}

async function compressOne(
  path: string,
  credentials: Credentials | null,
  name: string,
  rules: {
    readonly isRotated: (base: string, name: string) => boolean;
    readonly isStopped: () => boolean;
  },
): Promise<Compressed> {
  const { isRotated, isStopped } = rules;
  if (isStopped()) return { kind: 'nothing' };
  const place = openPlace(path, credentials);
  const source = openSource(place, name, credentials);
  const temporary = `.pm-${randomBytes(6).toString('hex')}.gz.tmp`;
  let copy: number | undefined;
  try {
    if (source === undefined) return { kind: 'nothing' };
    // Only this class makes them, one at a time: these are of a process that died.
    for (const each of place.names()) if (LEFTOVER.test(each)) fs.rmSync(place.at(each), { force: true });
    const like = fs.fstatSync(source);
    const isRoomFor = (bytes: number) => hasRoom(place.at('.'), bytes);
    const expected = await expectedSize(source, like.size);
    if (!isRoomFor(expected)) return noRoom(expected);
    copy = createBeside(place, temporary, like);
    const squeezed = await squeeze(source, copy, { isStopped, isRoomFor });
    if (squeezed === 'stopped') return { kind: 'nothing' };
    // The beginning has promised too much, or others have taken the room.
    if (squeezed === 'no room') return noRoom(like.size);
    // A Date has whole milliseconds; readers know the file by its time.
    fs.futimesSync(copy, like.atimeMs / 1000, like.mtimeMs / 1000);
    await sync(copy);
    const isName = (each: string) => isRotated(place.base, each);
    const given = replaceSource(place, source, temporary, isName);
    if (given === undefined) return { kind: 'nothing' };
    await syncNamesSoon(place);
    return { kind: 'compressed', name: given };
  } finally {
    if (copy !== undefined) {
      fs.closeSync(copy);
      fs.rmSync(place.at(temporary), { force: true });
    }
    if (source !== undefined) fs.closeSync(source);
    place.close();
  }
}

/** The compressed file has one name, whoever gave the source another one: nobody could tell later what it was made of. */
function openSource(place: LogPlace, name: string, credentials: Credentials | null): number | undefined {
  try {
    const fd = fs.openSync(place.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const found = statusOrClose(fd);
    const foreign = foreignSecondName(found, credentials);
    if (found.isFile() && foreign === undefined) return fd;
    fs.closeSync(fd);
    if (foreign === undefined) return undefined;
    throw new Refused(`${name} ${foreign}`);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ELOOP')) return undefined;
    place.close();
    throw error;
  }
}

/** As the first block tells, and a quarter more; never more than the whole. Bytes. */
async function expectedSize(source: number, size: number): Promise<number> {
  const block = Buffer.allocUnsafe(Math.max(1, Math.min(BLOCK, size)));
  const { bytesRead } = await read(source, block, 0, block.length, 0);
  if (bytesRead === 0) return 0;
  const { length } = await gzip(block.subarray(0, bytesRead));
  return Math.min(size, Math.ceil(1.25 * size * (length / bytesRead)));
}

function noRoom(bytes: number): Compressed {
  return { kind: 'no-room', bytes: bytes + LEFT_FREE };
}

/** Rests after each block for as long as that took. */
async function squeeze(
  source: number,
  copy: number,
  rules: { readonly isStopped: () => boolean; readonly isRoomFor: (bytes: number) => boolean },
): Promise<'done' | 'stopped' | 'no room'> {
  const block = Buffer.allocUnsafe(BLOCK);
  for (let at = 0; ; ) {
    const began = performance.now();
    const { bytesRead } = await read(source, block, 0, BLOCK, at);
    if (bytesRead === 0) return 'done';
    const member = await gzip(block.subarray(0, bytesRead));
    if (!rules.isRoomFor(member.length)) return 'no room';
    for (let done = 0; done < member.length; ) done += fs.writeSync(copy, member, done);
    at += bytesRead;
    if (rules.isStopped()) return 'stopped';
    const busy = performance.now() - began;
    await new Promise((resolve) => setTimeout(resolve, busy));
  }
}

/** Without yielding, so that no rotation renames in between. undefined: the source was removed meanwhile. */
function replaceSource(
  place: LogPlace,
  source: number,
  temporary: string,
  isName: (name: string) => boolean,
): string | undefined {
  const { dev, ino } = fs.fstatSync(source);
  const name = place.names().find((each) => {
    if (!isName(each)) return false;
    const found = fs.lstatSync(place.at(each), { throwIfNoEntry: false });
    return found?.ino === ino && found.dev === dev;
  });
  if (name === undefined) return undefined;
  fs.renameSync(place.at(temporary), place.at(`${name}.gz`));
  fs.unlinkSync(place.at(name));
  return `${name}.gz`;
}
