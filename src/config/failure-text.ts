/** How is a failed system call told to the person whose file it was about? */
import { passing } from '../world/errno.ts';
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

/** The same of the configuration directory, and what is to be done about it. */
export function directoryTrouble({ failed }: Failure): { readonly says: string; readonly hint: string } {
  const says = failed === 'ENOTDIR' ? `is no directory (${failed})` : failureText({ failed });
  if (failed === 'ENOENT') return { says, hint: 'set config_directory, or make it' };
  const mend = MENDS[failed] ?? 'mend what keeps it from being read';
  const again = 'it is read again by itself';
  return {
    says,
    hint: 'passing' in passing(failed) ? `${mend}; ${again}` : `${mend}, or set config_directory`,
  };
}

const SHORT = 'the host is short of descriptors or memory';

const MENDS: Readonly<Record<string, string>> = {
  ENOTDIR: 'put a directory in its place',
  EACCES: 'let the user of the daemon read it',
  EPERM: 'let the user of the daemon read it',
  EMFILE: SHORT,
  ENFILE: SHORT,
  ENOMEM: SHORT,
};
