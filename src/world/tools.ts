/** Where are the small programs of the base system that a launch passes through? */
import fs from 'node:fs';

/** Fixed, so that neither the PATH of the daemon nor that of a service can put another program in their place. */
const DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

export type Tool = 'sh' | 'env' | 'nice' | 'prlimit' | 'setpriv' | 'flock' | 'mkfifo';

const found = new Map<Tool, string>();

/** The absolute path; undefined when this host does not have it. */
export function toolPath(tool: Tool): string | undefined {
  const known = found.get(tool);
  if (known !== undefined) return known;
  const path = DIRECTORIES.map((directory) => `${directory}/${tool}`).find((candidate) =>
    fs.existsSync(candidate),
  );
  if (path !== undefined) found.set(tool, path);
  return path;
}
