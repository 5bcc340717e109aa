// Makes a fresh clone ready: installs what is missing and builds what is out of date.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

if (newest('package-lock.json') > newest('node_modules/.package-lock.json')) {
  run('npm', ['ci', '--no-audit', '--no-fund']);
}
if (newest('src', 'schemas', 'scripts', 'package.json') > newest('dist/processmaster.js')) {
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

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
