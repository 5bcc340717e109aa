/**
 * How is a process created without a copy of this one's page tables? node uses fork(2), which copies them, and makes
 * every page be copied again on the next write: half a millisecond of CPU time for each process of a daemon of 50 MB,
 * and more the larger it is. posix_spawn(3) borrows the memory until the exec.
 */
import fs from 'node:fs';
import { getSystemErrorName } from 'node:util';
import type { Libc } from './libc.ts';

export interface ProcessRequest {
  /** The first is the absolute path of the program. */
  readonly argv: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** What is open in the process, by number: a descriptor of ours, /dev/null (for the first three only), or nothing. */
  readonly descriptors: readonly (number | 'null' | undefined)[];
}

/** More than posix_spawn_file_actions_t and posix_spawnattr_t take: 80 and 336 bytes in glibc and in musl, 64 bit. */
const ROOM = 1024;
/** sigset_t: 1,024 bits in both. */
const SIGNAL_SET = 128;
/** <spawn.h>, the same in both; POSIX_SPAWN_SETSID since glibc 2.26 and musl 1.1.17. */
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
/** <fcntl.h>, the same for every processor. */
const F_GETFL = 3;
const F_SETFL = 4;
/** The last of the standard streams. */
const STDERR = 2;

const actions = Buffer.alloc(ROOM);
const pid = Buffer.alloc(4);
let attributes: Buffer | undefined;

/**
 * In a session of its own, with no signal ignored or blocked.
 * @returns the pid; the code of an error of the kernel, also of the exec; undefined when this is nothing for posix_spawn
 */
export function posixSpawn(libc: Libc, request: ProcessRequest): number | string | undefined {
  const { argv, workingDirectory, descriptors } = request;
  const environment = Object.entries(request.environment).map(([name, value]) => `${name}=${value}`);
  // C would take what comes before a NUL for the whole.
  if ([workingDirectory, ...argv, ...environment].some((word) => word.includes('\0'))) return undefined;
  // They are copied one after the other: this one could be overwritten before it is.
  if (descriptors.some((fd, to) => typeof fd === 'number' && fd < to)) return undefined;
  attributes ??= attributesOf(libc);
  must(libc.posix_spawn_file_actions_init(actions));
  try {
    for (const [to, fd] of descriptors.entries()) {
      if (typeof fd === 'number') {
        if (to <= STDERR) makeBlocking(libc, fd);
        must(libc.posix_spawn_file_actions_adddup2(actions, fd, to));
      }
      if (fd === 'null') {
        const mode = to === 0 ? fs.constants.O_RDONLY : fs.constants.O_RDWR;
        must(libc.posix_spawn_file_actions_addopen(actions, to, '/dev/null', mode, 0));
      }
    }
    must(libc.posix_spawn_file_actions_addchdir_np(actions, workingDirectory));
    const words = [...argv, null];
    const failed = libc.posix_spawn(pid, argv[0], actions, attributes, words, [...environment, null]);
    return failed === 0 ? pid.readInt32LE() : getSystemErrorName(-failed);
  } finally {
    libc.posix_spawn_file_actions_destroy(actions);
  }
}

/** Few programs reckon with EAGAIN from their standard streams, which node makes blocking as well (fcntl(2)). */
function makeBlocking(libc: Libc, fd: number): void {
  const flags = libc.fcntl(fd, F_GETFL, 0);
  const wanted = flags & ~fs.constants.O_NONBLOCK;
  if (flags !== -1 && flags !== wanted) libc.fcntl(fd, F_SETFL, wanted);
}

function attributesOf(libc: Libc): Buffer {
  const made = Buffer.alloc(ROOM);
  must(libc.posix_spawnattr_init(made));
  must(libc.posix_spawnattr_setsigdefault(made, Buffer.alloc(SIGNAL_SET, 0xff)));
  must(libc.posix_spawnattr_setsigmask(made, Buffer.alloc(SIGNAL_SET)));
  must(libc.posix_spawnattr_setflags(made, SETSID | SETSIGDEF | SETSIGMASK));
  return made;
}

function must(failed: number): void {
  if (failed !== 0) throw Object.assign(new Error('posix_spawn'), { code: getSystemErrorName(-failed) });
}
