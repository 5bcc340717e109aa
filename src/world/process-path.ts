/** Does a path name another file, or none, in each process that opens it? */
import { normalize } from 'node:path';

/** Links of proc(5) behind which each process finds its own descriptors, and the terminal of each (tty(4)). */
const OF_PROCESS = /^\/(?:dev\/(?:std(?:in|out|err)|tty|fd(?:\/.*)?)|proc\/(?:thread-)?self(?:\/.*)?)$/s;

/** @param path absolute */
export function isOfProcess(path: string): boolean {
  return OF_PROCESS.test(normalize(path));
}
