// Makes a fresh clone ready: installs what is missing and builds what is out of date.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

if (newest('package-lock.json') > newest('node_modules/.package-lock.json')) {
  run('npm', ['ci', '--no-audit', '--no-fund']);
}
const sources = newest('src', 'schemas', 'scripts', 'package.json');
if (sources > newest('dist/processmaster.js') || builtWith() !== process.version) {
  run(process.execPath, ['scripts/build.mjs']);
}

/** The newest modification time below the paths, in milliseconds; 0 when nothing is there. */
function newest(...paths) {
  let time = 0;
  for (const path of paths) {
    const full = join(root, path);
    if (!existsSync(full)) continue;
    const status = statSync(full);
    if (status.isDirectory()) {
      for (const name of readdirSync(full)) time = Math.max(time, newest(join(path, name)));
    } else time = Math.max(time, status.mtimeMs);
  }
  return time;
}

/** The node that compiled what is in dist/: another one would have to compile it at every start. */
function builtWith() {
  try {
    return JSON.parse(readFileSync(join(root, 'dist/package.json'), 'utf8')).builtWith;
  } catch {
    return undefined;
  }
}

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
