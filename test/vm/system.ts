/**
 * What is in the machine? A root file system in memory: busybox, node with its libraries, the small programs that a launch
 * passes through as this host has them, the modules for disks and channel, and the programs under test. Kept by the
 * digest of all of it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { vmCache } from '../../scripts/vm-cache.mjs';
import { type Entry, writeCpio } from './cpio.ts';
import { withDependencies } from './modules.ts';
import { kernel, neededProgram } from './tools.ts';

/** Where the programs under test are in the machine. */
export const PRODUCT = '/opt/processmaster';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The programs under test. */
const DIST = process.env['PROCESSMASTER_DIST'] ?? join(ROOT, 'dist');
const GUEST = fileURLToPath(new URL('guest', import.meta.url));

/** What busybox has under these names as well, but differently. */
const HOST_PROGRAMS = ['dash', 'env', 'nice', 'prlimit', 'setpriv', 'flock', 'mkfifo', 'getent', 'setsid'];

const MODULES = ['virtio_pci', 'virtio_blk', 'virtio_console'];

/** Name, uid and gid. `keeper` is to whom a part of the tree of cgroups is given. */
const USERS = [
  ['root', 0],
  ['keeper', 1000],
  ['nobody', 65534],
] as const;

export interface System {
  readonly kernel: string;
  readonly initramfs: string;
}

/** Builds it, or finds it built. */
export function system(): System {
  const found = kernel();
  if (found === undefined) throw new Error('there is no kernel');
  const entries = everything(found.modules);
  const directory = join(vmCache(), 'systems');
  const path = join(directory, `${digestOf(entries)}.cpio`);
  if (!fs.existsSync(path)) {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    forgetOlder(directory);
    writeCpio(`${path}.${process.pid}`, entries);
    fs.renameSync(`${path}.${process.pid}`, path);
  }
  return { kernel: found.image, initramfs: path };
}

const SYSTEMS_KEPT = 3;

/** Each is as large as node; several checkouts may take turns. */
function forgetOlder(directory: string): void {
  const byAge = fs
    .readdirSync(directory)
    .map((name) => ({ path: join(directory, name), at: fs.statSync(join(directory, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of byAge.slice(SYSTEMS_KEPT - 1)) fs.rmSync(path, { force: true });
}

function everything(modulesDirectory: string): readonly Entry[] {
  const modules = withDependencies(modulesDirectory, MODULES);
  const programs = new Map<string, string>([
    ['busybox', neededProgram('busybox')],
    ...HOST_PROGRAMS.map((name) => [name, neededProgram(name)] as const),
    ['node', process.execPath],
  ]);
  const directories = [
    'dev',
    'proc',
    'sys',
    'tmp',
    'run',
    'root',
    'etc',
    'var/lib',
    'disk',
    'machine',
    'modules',
  ];
  return [
    ...parents([...directories, 'usr/bin', 'usr/sbin', 'usr/lib64', 'usr/lib']),
    { kind: 'directory', path: 'home', mode: 0o755 },
    { kind: 'directory', path: 'home/keeper', mode: 0o755, owner: 1000 },
    ...['bin', 'sbin', 'lib', 'lib64'].map((path): Entry => ({ kind: 'link', path, target: `usr/${path}` })),
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'link', path: 'usr/bin/sh', target: 'dash' },
    ...[...programs].map(
      ([name, from]): Entry => ({ kind: 'file', path: `usr/bin/${name}`, mode: 0o755, from }),
    ),
    ...applets(new Set([...programs.keys(), 'sh'])),
    ...libraries([...programs.values()]),
    ...userDatabase(),
    ...modules.map((from): Entry => ({ kind: 'file', path: `modules/${basename(from)}`, mode: 0o644, from })),
    {
      kind: 'text',
      path: 'modules/order',
      mode: 0o644,
      text: `${modules.map((path) => basename(path)).join('\n')}\n`,
    },
    { kind: 'file', path: 'init', mode: 0o755, from: join(GUEST, 'init') },
    { kind: 'text', path: 'etc/inittab', mode: 0o644, text: 'null::ctrlaltdel:reboot\n' },
    { kind: 'text', path: 'machine/agent.cjs', mode: 0o644, text: agent() },
    ...tree(join(ROOT, 'bin'), `${PRODUCT.slice(1)}/bin`),
    ...tree(DIST, `${PRODUCT.slice(1)}/dist`),
  ];
}

/** The directories with all above them, each once. */
function parents(paths: readonly string[]): readonly Entry[] {
  const all = paths.flatMap((path) => {
    const parts = path.split('/');
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  });
  return [...new Set(all)].map((path) => ({ kind: 'directory', path, mode: 0o755 }));
}

function applets(taken: ReadonlySet<string>): readonly Entry[] {
  const list = execFileSync(neededProgram('busybox'), ['--list'], { encoding: 'utf8' }).trim().split('\n');
  return list
    .filter((name) => !taken.has(name))
    .map((name) => ({ kind: 'link', path: `usr/bin/${name}`, target: 'busybox' }));
}

/** What the dynamic linker would load, in the same places. */
function libraries(programs: readonly string[]): readonly Entry[] {
  const found = new Map<string, string>();
  for (const program of programs) {
    for (const path of linkedTo(program))
      found.set(path.replace(/^\/(lib|lib64)\//, '/usr/$1/').slice(1), path);
  }
  const files = [...found].map(
    ([path, from]): Entry => ({ kind: 'file', path, mode: 0o755, from: fs.realpathSync(from) }),
  );
  const known = new Set(['usr', 'usr/lib', 'usr/lib64']);
  const directories = parents([...found.keys()].map((path) => path.slice(0, path.lastIndexOf('/'))));
  return [...directories.filter(({ path }) => !known.has(path)), ...files];
}

function linkedTo(program: string): readonly string[] {
  let text = '';
  try {
    text = execFileSync(neededProgram('ldd'), [program], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    // Linked statically.
  }
  return [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path);
}

function userDatabase(): readonly Entry[] {
  const passwd = USERS.map(
    ([name, id]) => `${name}:x:${id}:${id}::${id === 0 ? '/root' : `/home/${name}`}:/bin/sh\n`,
  );
  const group = USERS.map(([name, id]) => `${name}:x:${id}:\n`);
  const text = (path: string, lines: readonly string[]): Entry => ({
    ...{ kind: 'text', path, mode: 0o644 },
    text: lines.join(''),
  });
  return [
    text('etc/passwd', passwd),
    text('etc/group', group),
    text('etc/nsswitch.conf', ['passwd: files\n', 'group: files\n']),
  ];
}

function agent(): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(GUEST, 'agent.ts')],
    ...{ bundle: true, platform: 'node', format: 'cjs', write: false, logLevel: 'error' },
  });
  return outputFiles[0]?.text ?? '';
}

function tree(from: string, to: string): readonly Entry[] {
  const entries = fs.readdirSync(from, { withFileTypes: true }).map((entry): readonly Entry[] => {
    const source = join(from, entry.name);
    const path = `${to}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'library' ? [] : tree(source, path);
    return [{ kind: 'file', path, mode: fs.statSync(source).mode & 0o777, from: source }];
  });
  return [...parents([to]).filter(({ path }) => path.startsWith('opt')), ...entries.flat()];
}

/** Of files the name, size and time of the last change stand for what is in them. */
function digestOf(entries: readonly Entry[]): string {
  const hash = createHash('sha256');
  for (const entry of entries) {
    hash.update(`${JSON.stringify(entry)}\n`);
    if (entry.kind !== 'file') continue;
    const { size, mtimeMs } = fs.statSync(entry.from);
    hash.update(`${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
