// Makes a fresh clone ready: installs what is missing and builds what is out of date.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

if (!isInstalled()) {
  // `npm ci` would empty what the link leads to, as the modules of another checkout.
  if (isLink('node_modules')) {
    console.error(
      'prepare: node_modules is a symbolic link and is left alone; package-lock.json says otherwise',
    );
  } else run('npm', ['ci', '--no-audit', '--no-fund']);
}
const sources = newest('src', 'schemas', 'scripts', 'package.json');
if (sources > newest('dist/processmaster.js') || builtWith() !== process.version) {
  run(process.execPath, ['scripts/build.mjs']);
}

/** Is there what the lock says, and nothing else? What is optional may be missing, as for another platform. */
function isInstalled() {
  const [wanted, there] = [packagesOf('package-lock.json'), packagesOf('node_modules/.package-lock.json')];
  if (there === undefined) return false;
  return [...new Set([...Object.keys(wanted ?? {}), ...Object.keys(there)])].every((path) => {
    const [want, is] = [wanted?.[path], there[path]];
    if (path === '') return true;
    if (is === undefined) return want?.optional === true;
    return want?.version === is.version && want?.integrity === is.integrity;
  });
}

/** By path; of node_modules it is npm that writes down what it has installed. */
function packagesOf(lock) {
  try {
    return JSON.parse(readFileSync(join(root, lock), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function isLink(path) {
  return lstatSync(join(root, path), { throwIfNoEntry: false })?.isSymbolicLink() === true;
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
