/** What is the file that was opened just now? Whoever cannot be told does not keep it open either. */
import fs from 'node:fs';

/** @throws the error of fstat(2); the descriptor is closed then */
export function statusOrClose(fd: number): fs.Stats {
  try {
    return fs.fstatSync(fd);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}
