/** Which lines were added to a file since the last look, across rotation and truncation? */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

export interface TailOptions {
  /** How many of the last lines the first look gives; null: all from the beginning. */
  readonly lines: number | null;
  /** Whether the path itself may be a symbolic link. */
  readonly links: boolean;
}

const CHUNK = 65_536;
/** Bytes looked back for the last lines, and the length at which a line without an end is given all the same. */
const FAR_BACK = 16 * 1024 * 1024;
const LONG_LINE = 1024 * 1024;

/**
 * Never blocks: a fifo, device or directory is refused. A file that is not there yet is waited for, a new file of
 * the same name is read from its beginning after the rest of the old one, and so is one that became shorter.
 */
export class Tail {
  /** Why the file cannot be read; undefined while it can, or is not there yet. */
  trouble: string | undefined;
  readonly #path: string;
  readonly #links: boolean;
  #lines: number | null;
  #open: { readonly fd: number; readonly inode: string; offset: number } | undefined;
  #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(path: string, options: TailOptions) {
    this.#path = path;
    this.#links = options.links;
    this.#lines = options.lines;
  }

  /** The lines that were completed since the last call. */
  read(): readonly string[] {
    const lines: string[] = [];
    if (this.#open === undefined) this.#begin();
    this.#readOn(lines);
    if (this.#open !== undefined && this.#isReplaced(this.#open.inode)) {
      this.#readOn(lines);
      this.close();
      if (this.#rest !== '') lines.push(this.#rest);
      this.#forget();
      this.#begin();
      this.#readOn(lines);
    }
    return lines;
  }

  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #begin(): void {
    const lines = this.#lines;
    try {
      const flags = constants.O_RDONLY | constants.O_NONBLOCK | (this.#links ? 0 : constants.O_NOFOLLOW);
      const fd = openSync(this.#path, flags);
      const status = fstatSync(fd, { bigint: true });
      if (!status.isFile()) {
        closeSync(fd);
        this.trouble = 'it is no regular file';
        return;
      }
      const inode = `${status.dev}:${status.ino}`;
      const offset = lines === null ? 0 : startOfLast(fd, Number(status.size), lines);
      this.#open = { fd, inode, offset };
      this.trouble = undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ELOOP') this.trouble = 'it is a symbolic link';
      else if (code !== 'ENOENT') this.trouble = code ?? String(error);
    }
    // Whatever takes the place of this file later is new from its first line on.
    this.#lines = null;
  }

  #readOn(lines: string[]): void {
    const open = this.#open;
    if (open === undefined) return;
    if (fstatSync(open.fd).size < open.offset) {
      open.offset = 0;
      this.#forget();
    }
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const size = readSync(open.fd, buffer, 0, CHUNK, open.offset);
      if (size === 0) return;
      open.offset += size;
      const parts = (this.#rest + this.#decoder.write(buffer.subarray(0, size))).split('\n');
      this.#rest = parts.pop() ?? '';
      lines.push(...parts);
      if (this.#rest.length > LONG_LINE) {
        lines.push(this.#rest);
        this.#rest = '';
      }
    }
  }

  /** False while the name is missing: the writer may still have the old file open. */
  #isReplaced(inode: string): boolean {
    try {
      const { dev, ino } = statSync(this.#path, { bigint: true });
      return `${dev}:${ino}` !== inode;
    } catch {
      return false;
    }
  }

  #forget(): void {
    this.#decoder = new StringDecoder('utf8');
    this.#rest = '';
  }
}

/** Where the last `lines` lines begin; a last line without its end counts as one. */
function startOfLast(fd: number, size: number, lines: number): number {
  if (lines === 0) return size;
  const buffer = Buffer.allocUnsafe(CHUNK);
  const farthest = Math.max(0, size - FAR_BACK);
  let seen = 0;
  for (let end = size; end > farthest; ) {
    const start = Math.max(farthest, end - CHUNK);
    const got = readSync(fd, buffer, 0, end - start, start);
    for (let index = got - 1; index >= 0; index--) {
      if (buffer[index] !== 0x0a || start + index === size - 1) continue;
      seen++;
      if (seen === lines) return start + index + 1;
    }
    end = start;
  }
  return farthest;
}
