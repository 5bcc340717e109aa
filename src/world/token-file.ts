/** How are secrets drawn, and lines of a file that must stay private added and taken away? */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './errno.ts';
import { syncDirectory } from './files.ts';
import { makeDirectories } from './make-directories.ts';
import type { Failure } from './world.ts';

/** 256 random bits (getrandom(2)), as 43 characters that need no quoting anywhere. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * Adds a line at the end, on disk when it answers undefined. A new file is 0600; one that is there keeps owner and mode,
 * so that a daemon of another user can go on reading it. One write(2) with O_APPEND: lines that two add at the same time
 * are both there. What a full disk takes of a line is taken back.
 */
export function appendLine(path: string, line: string): Failure | undefined {
  try {
    makeDirectories(dirname(path), 0o700);
    const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    const fd = fs.openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      const { size } = fs.fstatSync(fd);
      const last = Buffer.alloc(1);
      if (size > 0) fs.readSync(fd, last, 0, 1, size - 1);
      // Somebody's editor may have left the last line open.
      const open = size > 0 && last.toString() !== '\n';
      const added = Buffer.from(`${open ? '\n' : ''}${line}`);
      const written = fs.writeSync(fd, added);
      if (written < added.length) {
        // What somebody else has added since must stay; then a torn line does, which gives nobody access.
        if (fs.fstatSync(fd).size === size + written) fs.ftruncateSync(fd, size);
        return { failed: 'ENOSPC' };
      }
      fs.fsyncSync(fd);
      if (size === 0) syncDirectory(dirname(path));
      return undefined;
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    return { failed: codeOf(error) };
  }
}

/** Replaces the file as a whole, with the owner and mode that it has; a power cut does not bring the old one back. */
export function rewrite(path: string, text: string): Failure | undefined {
  const temporary = `${path}.${process.pid}.tmp`;
  let made = false;
  try {
    const { uid, gid, mode } = fs.statSync(path);
    const fd = fs.openSync(temporary, 'wx', 0o600);
    made = true;
    try {
      fs.writeFileSync(fd, text);
      if (uid !== process.geteuid?.() || gid !== process.getegid?.()) fs.fchownSync(fd, uid, gid);
      fs.fchmodSync(fd, mode & 0o7777);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, path);
    made = false;
    syncDirectory(dirname(path));
    return undefined;
  } catch (error) {
    if (made) fs.rmSync(temporary, { force: true });
    return { failed: codeOf(error) };
  }
}
