// Fetches the Debian kernel that the tests boot into the cache, unpacked and not installed. Prints where it is.
// With --if-missing it asks nobody when one is there already.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { kernelCache } from './vm-cache.mjs';

const PACKAGE = 'linux-image-cloud-amd64';
/** Enough for disks, a channel to the test and swap; what they need in turn is in the same directories. */
const MODULES = [
  'drivers/virtio',
  'drivers/block',
  'drivers/char',
  'fs/ext4',
  'fs/jbd2',
  'fs',
  'lib',
  'crypto',
];

const cache = kernelCache();
if (!process.argv.includes('--if-missing') || !kept()) {
  try {
    try {
      fetchKernel();
    } catch (error) {
      if (process.getuid() !== 0) throw error;
      // A fresh host has no lists of packages yet.
      execFileSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2] });
      fetchKernel();
    }
  } catch (error) {
    process.stderr.write(`no kernel for the machine of test/vm: ${error.message}\n`);
    process.exit(1);
  }
}
process.stdout.write(`${kept()}\n`);

function kept() {
  const found = existsSync(cache) ? readdirSync(cache).sort() : [];
  return found.length === 0 ? undefined : join(cache, found[found.length - 1]);
}

function fetchKernel() {
  const name = realPackage();
  mkdirSync(dirname(cache), { recursive: true, mode: 0o700 });
  const place = mkdtempSync(join(dirname(cache), 'fetch-'));
  try {
    // Its own user could not write here, which it would complain about.
    const options = process.getuid() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
    execFileSync('apt-get', ['download', '-qq', ...options, name], { cwd: place, stdio: ['ignore', 2, 2] });
    const archive = readdirSync(place).find((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get download ${name} brought nothing`);
    execFileSync('dpkg-deb', ['-x', archive, 'unpacked'], { cwd: place });
    const target = join(cache, basename(archive, '.deb'));
    if (existsSync(target)) return;
    const chosen = join(place, 'chosen');
    choose(join(place, 'unpacked'), chosen);
    mkdirSync(cache, { recursive: true });
    renameSync(chosen, target);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** The package that the one without a number stands for. */
function realPackage() {
  const ask = () =>
    execFileSync('apt-cache', ['depends', PACKAGE], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).match(/Depends: (linux-image-\S+)/)?.[1];
  let name;
  try {
    name = ask();
  } catch {
    // A bare image of Debian comes without lists of packages.
  }
  if (name === undefined && process.getuid() === 0) {
    execFileSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2] });
    name = ask();
  }
  if (name === undefined)
    throw new Error(`apt-cache knows no ${PACKAGE}; this needs the packages of Debian on amd64`);
  return name;
}

function choose(unpacked, chosen) {
  mkdirSync(join(chosen, 'modules'), { recursive: true });
  const boot = join(unpacked, 'boot');
  const kernel = readdirSync(boot).find((file) => file.startsWith('vmlinuz-'));
  copyFileSync(join(boot, kernel), join(chosen, 'vmlinuz'));
  const lib = existsSync(join(unpacked, 'lib/modules')) ? 'lib/modules' : 'usr/lib/modules';
  const [version] = readdirSync(join(unpacked, lib));
  for (const directory of MODULES) {
    const from = join(unpacked, lib, version, 'kernel', directory);
    if (!existsSync(from)) continue;
    for (const file of readdirSync(from)) {
      if (/\.ko(\.xz)?$/.test(file)) copyFileSync(join(from, file), join(chosen, 'modules', file));
    }
  }
}
