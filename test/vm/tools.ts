/** Has this host what a machine of its own needs? Everything is a Debian package; nothing of it runs as root. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { kernelCache } from '../../scripts/vm-cache.mjs';

const DIRECTORIES = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];

/** Program and package. */
const PROGRAMS = [
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['busybox', 'busybox-static'],
  ['mkfs.ext4', 'e2fsprogs'],
  ['ldd', 'libc-bin'],
] as const;

/** Absolute; undefined where there is none. */
export function programPath(name: string): string | undefined {
  return DIRECTORIES.map((directory) => join(directory, name)).find((path) => fs.existsSync(path));
}

/** As {@link programPath}, of a program that has to be there. */
export function neededProgram(name: string): string {
  const path = programPath(name);
  if (path === undefined) throw new Error(`${name} is not on this host`);
  return path;
}

export interface Kernel {
  /** Absolute paths: the file to boot, the directory of its modules. */
  readonly image: string;
  readonly modules: string;
  /** The version of its package. */
  readonly version: string;
}

/** The newest that `scripts/vm-kernel.mjs` has fetched. */
export function kernel(): Kernel | undefined {
  const cache = kernelCache();
  const version = fs.existsSync(cache) ? fs.readdirSync(cache).sort().at(-1) : undefined;
  if (version === undefined) return undefined;
  return { image: join(cache, version, 'vmlinuz'), modules: join(cache, version, 'modules'), version };
}

/** Each start of a daemon takes some seconds in an emulated machine, so what differs least from the rest is for `VM=long`. */
export const isLong: boolean = process.env['VM'] === 'long';

/** A CI must be able to boot a machine; elsewhere it is a skip that says what is missing. */
export const machineMissing: boolean = (() => {
  const why = missing();
  if (why === undefined) return false;
  const sentence = `these tests boot a machine of their own: ${why}`;
  if (process.env['CI'] !== undefined) throw new Error(sentence);
  console.warn(`skipped: ${sentence}`);
  return true;
})();

function missing(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'that takes Linux on x86-64';
  const absent = PROGRAMS.filter(([program]) => programPath(program) === undefined);
  if (absent.length > 0) return `install ${absent.map(([, name]) => name).join(', ')}`;
  const busybox = spawnSync(neededProgram('ldd'), [neededProgram('busybox')], { encoding: 'utf8' });
  if (busybox.status === 0) return 'install busybox-static: this busybox needs libraries';
  if (kernel() === undefined) return 'node scripts/vm-kernel.mjs fetches its kernel';
  return undefined;
}
