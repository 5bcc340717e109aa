/** Where does a path lead when there may be nothing at its end? */
import fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf } from './errno.ts';

/** As many as the kernel follows in one path (path_resolution(7)). */
const MOST_LINKS = 40;

/** Throws as realpath(3) does, unless what it leads to is only missing. */
export function pathBehind(path: string, links = MOST_LINKS): string {
  try {
    return fs.realpathSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || links === 0 || dirname(path) === path) throw error;
    const isLink = fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    const above = pathBehind(dirname(path), links - 1);
    return isLink
      ? pathBehind(resolve(above, fs.readlinkSync(path)), links - 1)
      : join(above, basename(path));
  }
}
