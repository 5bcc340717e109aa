/** What can a process write into so that this program hears it? node makes pipes only for processes of its own. */
import fs from 'node:fs';
import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Libc } from './libc.ts';

export interface Pipe {
  /** To be handed to the process. */
  readonly mouth: number;
  /** Once the process has it: it is over when nobody has the mouth any more. */
  readonly listen: () => net.Socket;
  /** Where there is no process. */
  readonly close: () => void;
}

/** O_CLOEXEC of <fcntl.h>, the same for x86 and arm64; node names no such constant. */
const CLOSE_ON_EXEC = 0o2000000;

const ends = Buffer.alloc(8);

/** @returns the code of an error of the kernel */
export function openPipe(libc: Libc): Pipe | string {
  if (libc.pipe2(ends, CLOSE_ON_EXEC) !== 0) return getSystemErrorName(-libc.errno());
  const ear = ends.readInt32LE(0);
  const mouth = ends.readInt32LE(4);
  return {
    mouth,
    listen: () => {
      fs.closeSync(mouth);
      return new net.Socket({ fd: ear, readable: true, writable: false });
    },
    close: () => {
      fs.closeSync(mouth);
      fs.closeSync(ear);
    },
  };
}
