/** Can everybody of this host decide what the daemon runs? */
import { dirname } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { type Files, isFailure } from '../world/world.ts';
import type { ServiceFile } from './service-files.ts';

/**
 * Only what is open to all is told: a group that may write the files is trusted with what the daemon may do, and whether
 * that is meant nobody can see.
 * @param masterFile null: there is none
 */
export function exposedFiles(
  { config_directory }: { readonly config_directory: string },
  masterFile: string | null,
  files: Pick<Files, 'status'>,
): readonly Problem[] {
  const paths = [config_directory, ...(masterFile === null ? [] : [masterFile, dirname(masterFile)])];
  return [...new Set(paths)].flatMap((path): Problem[] => {
    const status = files.status(path);
    // What anybody may write; in a directory with the sticky bit nobody takes the place of another's file.
    if (isFailure(status) || (status.mode & 0o002) === 0) return [];
    if (path !== config_directory && (status.mode & 0o1000) !== 0) return [];
    const message = `${path} can be written by every user of the host, who decides by it what the daemon runs`;
    return [{ code: 'config-exposed', severity: 'warning', message, hint: `chmod o-w ${path}` }];
  });
}

/** The same of single service files, also where the directory is closed to others. */
export function exposedServices(found: readonly ServiceFile[]): readonly Problem[] {
  return found.flatMap(({ shown, content }): Problem[] => {
    if (content.is !== 'text' || content.isOpenToAll !== true) return [];
    const message =
      'this file can be written by every user of the host, who decides by it what the daemon runs';
    return [
      { code: 'config-exposed', severity: 'warning', message, file: shown, hint: `chmod o-w ${shown}` },
    ];
  });
}
