/** May this user execute this file? */
import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Credentials } from '../model/spec.ts';
import { groupsOf } from './users.ts';

/**
 * By the permission bits of the file and of every directory above it. Access control lists are not read: the
 * launcher asks the kernel once more, as the user itself, before the program is executed.
 * @param credentials null: the user of this daemon
 */
export function mayExecute(path: string, credentials: Credentials | null): boolean {
  try {
    const found = fs.statSync(path);
    if (!found.isFile()) return false;
    if (credentials === null || credentials.uid === process.geteuid?.()) {
      fs.accessSync(path, fs.constants.X_OK);
      return true;
    }
    if (!executableBy(found, credentials)) return false;
    for (let directory = dirname(resolve(path)); ; directory = dirname(directory)) {
      if (!executableBy(fs.statSync(directory), credentials)) return false;
      if (directory === '/') return true;
    }
  } catch {
    return false;
  }
}

/** The order of path_resolution(7): the first class that fits decides, even if a later one would allow more. */
function executableBy(found: fs.Stats, credentials: Credentials): boolean {
  if (credentials.uid === 0) return found.isDirectory() || (found.mode & 0o111) !== 0;
  if (found.uid === credentials.uid) return (found.mode & 0o100) !== 0;
  const member =
    found.gid === credentials.gid || (credentials.groups ?? groupsOf(credentials.user)).includes(found.gid);
  return (found.mode & (member ? 0o010 : 0o001)) !== 0;
}
