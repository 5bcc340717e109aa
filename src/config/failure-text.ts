/** How is a failed system call told to the person whose file it was about? */
import type { Failure } from '../world/world.ts';

const SENTENCES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read',
  EPERM: 'may not be read',
  EISDIR: 'is a directory',
  ENOTREG: 'is no regular file',
  ELOOP: 'is a symbolic link that leads to itself',
  EFBIG: 'is too large',
  EBENT: 'is reached by a link of somebody who does not own the file',
};

/** The rest of a sentence that begins with the path: `may not be read (EACCES)`. */
export function failureText({ failed }: Failure): string {
  return `${SENTENCES[failed] ?? 'cannot be read'} (${failed})`;
}
