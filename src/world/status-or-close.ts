/** What is the file that was opened just now? Whoever cannot be told does not keep it open either. */
import fs from 'node:fs';

/** @throws the error of fstat(2); the descriptor is closed then */
export function statusOrClose(fd: number): fs.Stats {
  return answerOrClose(fd, () => fs.fstatSync(fd));
}

/** Device and inode as `dev.ino`; throws as above. */
export function identityOrClose(fd: number): string {
  const { dev, ino } = answerOrClose(fd, () => fs.fstatSync(fd, { bigint: true }));
  return `${dev}.${ino}`;
}

function answerOrClose<Answer>(fd: number, ask: () => Answer): Answer {
  try {
    return ask();
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}
