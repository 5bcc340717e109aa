/** Where does a path lead when there may be nothing at its end? */
import fs from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { codeOf } from './errno.ts';
import { LINKS } from './safe-walk.ts';

/** Throws as realpath(3) does, unless what it leads to is only missing. */
export function pathBehind(path: string, links = LINKS): string {
  try {
    return fs.realpathSync.native(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || links === 0 || dirname(path) === path) throw error;
    const isLink = fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    const above = pathBehind(dirname(path), links - 1);
    if (!isLink) return join(above, basename(path));
    const target = fs.readlinkSync(path);
    // Not made shorter by its words: `..` after a link is not what it was before it.
    return pathBehind(isAbsolute(target) ? target : `${above}/${target}`, links - 1);
  }
}
