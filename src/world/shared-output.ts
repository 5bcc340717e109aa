/** How are lines written to a standard output that the services write to as well? */
import fs from 'node:fs';
import { codeOf } from './errno.ts';
import { blockFor } from './pause.ts';

/** Lines that nobody takes are kept up to so many characters; what comes then is dropped. */
const MOST_WAITING = 1_048_576;

/** A reader that is slow is tried again after so many milliseconds. */
const PAUSE = 20;

/** At the end, a slow reader gets so many more pauses. */
const LAST_PAUSES = 25;

export interface SharedOutput {
  /** One line; a reader that is slow or gone is no error. */
  readonly print: (line: string) => void;
  /** At the end of the program: waits a moment for a slow reader. */
  readonly drain: () => void;
}

/**
 * `process.stdout` would make a pipe non-blocking, for everybody who writes to the same open file: a service that
 * writes faster than its reader reads would then lose lines. So a pipe is opened a second time, for us alone. A socket
 * or a terminal cannot be: there a reader that has stopped holds us up as well as the services.
 */
export function sharedOutput(fd: number): SharedOutput {
  const own = ownDescription(fd);
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  const write = (): void => {
    if (own === undefined) waiting = '';
    while (own !== undefined && waiting !== '') {
      try {
        const bytes = Buffer.from(waiting);
        waiting = bytes.subarray(fs.writeSync(own, bytes)).toString();
      } catch (error) {
        // EAGAIN: the reader is slow. Everything else: there is none any more.
        if (codeOf(error) === 'EAGAIN') return;
        waiting = '';
      }
    }
  };
  const writeSoon = (): void => {
    timer = undefined;
    write();
    if (waiting !== '') timer = setTimeout(writeSoon, PAUSE).unref();
  };
  return {
    print: (line) => {
      if (waiting.length + line.length < MOST_WAITING) waiting += `${line}\n`;
      if (timer === undefined) writeSoon();
    },
    drain: () => {
      write();
      for (let count = 0; waiting !== '' && count < LAST_PAUSES; count++) {
        blockFor(PAUSE);
        write();
      }
    },
  };
}

/** undefined: nobody reads it any more. */
function ownDescription(fd: number): number | undefined {
  try {
    if (!fs.fstatSync(fd).isFIFO()) return fd;
    return fs.openSync(`/proc/self/fd/${fd}`, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    // ENXIO: a pipe without a reader (fifo(7)); EBADF: the descriptor is closed.
    return ['ENXIO', 'EBADF'].includes(codeOf(error)) ? undefined : fd;
  }
}
