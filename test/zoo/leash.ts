/**
 * Does anything of an animal live? Whoever forks without rest is gone before it can be looked up by its number, but all
 * of it holds one end of a pipe, and the other end tells when nobody does any more.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';

export class Leash {
  readonly #fd: number;

  /** @param directory of the animal, which opens `leash` there for writing */
  constructor(directory: string) {
    const path = join(directory, 'leash');
    spawnSync('mkfifo', ['-m', '666', path]);
    this.#fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  }

  /** A pipe without a writer is at its end, one with a writer has nothing to read yet (pipe(7)). */
  get isHeld(): boolean {
    try {
      return fs.readSync(this.#fd, Buffer.alloc(16)) > 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return true;
      throw error;
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}
