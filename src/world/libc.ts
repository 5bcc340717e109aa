/** Which functions of the C library does this program call by itself, where that is possible? */
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';

type Words = readonly (string | null)[];

/** Memory is handed over as buffers. Whoever answers an `int` answers as the manual page says, with nothing thrown. */
export interface Libc {
  /** posix_spawn(3). @returns 0 or an errno; the pid is in the first four bytes of `pid` */
  readonly posix_spawn: (
    pid: Buffer,
    path: string,
    actions: Buffer,
    attributes: Buffer,
    argv: Words,
    environment: Words,
  ) => number;
  readonly posix_spawn_file_actions_init: (actions: Buffer) => number;
  readonly posix_spawn_file_actions_destroy: (actions: Buffer) => number;
  readonly posix_spawn_file_actions_adddup2: (actions: Buffer, fd: number, to: number) => number;
  readonly posix_spawn_file_actions_addopen: (
    actions: Buffer,
    fd: number,
    path: string,
    flags: number,
    mode: number,
  ) => number;
  readonly posix_spawn_file_actions_addchdir_np: (actions: Buffer, path: string) => number;
  readonly posix_spawnattr_init: (attributes: Buffer) => number;
  readonly posix_spawnattr_setflags: (attributes: Buffer, flags: number) => number;
  readonly posix_spawnattr_setsigdefault: (attributes: Buffer, signals: Buffer) => number;
  readonly posix_spawnattr_setsigmask: (attributes: Buffer, signals: Buffer) => number;
  /** fcntl(2) with a number. @returns what was asked for, or -1 */
  readonly fcntl: (fd: number, command: number, value: number) => number;
  /** flock(2). @returns 0, or -1 */
  readonly flock: (fd: number, operation: number) => number;
  /** pipe2(2). @returns 0, or -1; two descriptors of four bytes each are in `ends` */
  readonly pipe2: (ends: Buffer, flags: number) => number;
  /** waitid(2). @returns 0, or -1 */
  readonly waitid: (type: number, id: number, info: Buffer, options: number) => number;
  /** errno(3), as the last call left it that answered -1. */
  readonly errno: () => number;
}

const DECLARATIONS: Readonly<Record<Exclude<keyof Libc, 'errno'>, string>> = {
  posix_spawn:
    'int posix_spawn(void *pid, const char *path, void *actions, void *attributes, const char **argv, const char **environment)',
  posix_spawn_file_actions_init: 'int posix_spawn_file_actions_init(void *actions)',
  posix_spawn_file_actions_destroy: 'int posix_spawn_file_actions_destroy(void *actions)',
  posix_spawn_file_actions_adddup2: 'int posix_spawn_file_actions_adddup2(void *actions, int fd, int to)',
  posix_spawn_file_actions_addopen:
    'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, unsigned int mode)',
  posix_spawn_file_actions_addchdir_np:
    'int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)',
  posix_spawnattr_init: 'int posix_spawnattr_init(void *attributes)',
  posix_spawnattr_setflags: 'int posix_spawnattr_setflags(void *attributes, short flags)',
  posix_spawnattr_setsigdefault: 'int posix_spawnattr_setsigdefault(void *attributes, void *signals)',
  posix_spawnattr_setsigmask: 'int posix_spawnattr_setsigmask(void *attributes, void *signals)',
  // Variadic in C: of these processors, neither hands an int over in another way then (psABI, AAPCS64).
  fcntl: 'int fcntl(int fd, int command, int value)',
  flock: 'int flock(int fd, int operation)',
  pipe2: 'int pipe2(void *ends, int flags)',
  waitid: 'int waitid(int type, unsigned int id, void *info, int options)',
};

/** Of processors whose C library lays out and numbers as described where the functions are called. */
const PROCESSORS: readonly string[] = ['x64', 'arm64'];

/** The part of koffi that is used here; by itself its package for a processor needs no script when it is installed. */
interface Koffi {
  readonly load: (path: null) => { readonly func: (declaration: string) => unknown };
  readonly errno: () => number;
}

type Found = { readonly functions: Libc } | { readonly missing: string };

let found: Found | undefined;

/** @returns what can be called, or in words why nothing can; looked up once */
export function libc(): Found {
  found ??= find();
  return found;
}

/** For a guest of a program that somebody else wrote, whose signals it must not listen for. */
export function doWithoutLibc(): void {
  found = { missing: 'it is a guest of another program' };
}

function find(): Found {
  const { platform, arch } = process;
  if (platform !== 'linux' || !PROCESSORS.includes(arch)) return { missing: `${platform} on ${arch}` };
  // SIGCHLD is told to the main thread only.
  if (!isMainThread) return { missing: 'this is a worker thread' };
  const name = `@koromix/koffi-${platform}-${arch}`;
  try {
    const koffi: Koffi = createRequire(import.meta.url)(name);
    const program = koffi.load(null);
    const functions = Object.entries(DECLARATIONS).map(([key, text]) => [key, program.func(text)]);
    return { functions: { ...Object.fromEntries(functions), errno: koffi.errno } };
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { missing: `${name} cannot be used: ${reason}` };
  }
}
