/** How does root read a file on a path that somebody else may have bent? */
import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isTrusted, O_PATH, Refused, walkTo } from './safe-walk.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_DIRECTORY } = fs.constants;

/** Whoever is not root opens at once; a fifo without a writer would hold him up. */
const FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY;

/**
 * A dotenv file, a secret or a certificate often lies in a directory of the user who needs it, and root reads it for
 * him. A link that he planted there must not make root read for him what he may not read: out of a directory that
 * others may write, a symbolic link is followed only to a file of the one who made it, or if root or the user of the
 * daemon made it; and a second name of a file (link(2)) counts as his only if the file is.
 *
 * Only files are opened at all, and directories: to open a device may set something off, like a watchdog or a tape, and to
 * open a fifo lets its writer go on. Whoever is not root can only read what he may read anyway.
 * @returns the descriptor, which the caller closes
 * @throws Refused, the error of the system call, or one with the code ENOTREG
 */
export function openUnbent(path: string): number {
  if (process.geteuid?.() !== 0) return fs.openSync(path, FLAGS);
  const whole = resolve(path);
  const found = fs.openSync(path, O_PATH);
  try {
    const status = fs.fstatSync(found);
    // The kernel tells under which name it was found: what no link has bent needs no walk.
    const isUnbent = fs.readlinkSync(`/proc/self/fd/${found}`) === whole;
    if (isUnbent && !hasSecondName(status)) return opened(found, status);
  } finally {
    fs.closeSync(found);
  }
  return walked(whole);
}

function walked(path: string): number {
  const makers: number[] = [];
  return walkTo(
    path,
    null,
    (place) => {
      const found = fs.openSync(place, O_PATH | O_NOFOLLOW);
      try {
        const status = fs.fstatSync(found);
        if (makers.some((maker) => maker !== 0 && maker !== status.uid)) {
          throw new Refused('a symbolic link leads there that somebody else has made');
        }
        if (hasSecondName(status)) judgeName(status, dirname(place));
        return opened(found, status);
      } finally {
        fs.closeSync(found);
      }
    },
    (maker) => void makers.push(maker),
  );
}

/** The very thing that was looked at, whatever stands at its path by now. */
function opened(found: number, status: fs.Stats): number {
  if (status.isFile() || status.isDirectory()) return fs.openSync(`/proc/self/fd/${found}`, FLAGS);
  throw Object.assign(new Error('it is no regular file'), { code: 'ENOTREG' });
}

function hasSecondName(status: fs.Stats): boolean {
  return status.isFile() && status.nlink > 1;
}

/** Throws unless nobody else can have given the file its name in this directory. */
function judgeName(status: fs.Stats, directory: string): void {
  const place = fs.openSync(directory, O_RDONLY | O_DIRECTORY);
  try {
    if (isTrusted(place) || fs.fstatSync(place).uid === status.uid) return;
    throw new Refused('it has a second name and belongs to somebody else');
  } finally {
    fs.closeSync(place);
  }
}
