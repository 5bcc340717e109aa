/** Who may read the daemon's own log, which repeats what services wrote? */
import fs from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes the file, if it is not there, so that others than its owner and group cannot read it: whoever opens it later to
 * append keeps that. What cannot be made is told by that one.
 */
export function makeOwnLog(path: string): void {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = fs.constants;
  try {
    fs.mkdirSync(dirname(path), { recursive: true });
    // A fifo without a reader must not hold the start up.
    fs.closeSync(fs.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0o640));
  } catch {
    // The log says it as well.
  }
}
