/** What does the code of a failed system call mean in words? */
import os from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** `EACCES` of an error thrown by node; `EUNKNOWN` for anything that carries no code. */
export function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return named(error.code);
  }
  return 'EUNKNOWN';
}

/** Of errors that libuv has no name for, EDQUOT among them, node tells the number only. */
function named(code: string): string {
  const number = Number(/^Unknown system error -(\d+)/.exec(code)?.[1]);
  if (!Number.isInteger(number)) return code;
  const found = Object.entries(os.constants.errno).find(([, own]) => own === number);
  return found?.[0] ?? code;
}

/** The words of strerror(3) for those of them that a disk answers with, and for what we answer ourselves. */
const UNNAMED: Readonly<Record<string, string>> = {
  EDQUOT: 'disk quota exceeded',
  ENOTREG: 'it is no regular file',
};

/**
 * What a host answers that is short of processes, descriptors, memory or room, or whose disk has failed (errno(3)). Not
 * among them is what only a change of the service or of its permissions can mend.
 */
const PASSING: ReadonlySet<string> = new Set([
  ...['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EINTR', 'EBUSY'],
  ...['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'],
]);

/** To be thrown where a file could not be had and nothing follows from that: as node throws it. */
export function systemError(path: string, code: string): Error {
  return Object.assign(new Error(path), { code, path });
}

/** Of descriptors or memory: nothing follows from it but that it has to be tried again. */
export function isShortage(error: unknown): boolean {
  return ['EMFILE', 'ENFILE', 'ENOMEM'].includes(typeof error === 'string' ? error : codeOf(error));
}

/** For a Problem: says whether it goes away without anybody touching the service. */
export function passing(error: unknown): { readonly passing?: true } {
  const code = typeof error === 'string' ? error : codeOf(error);
  return PASSING.has(code) ? { passing: true } : {};
}

/** `permission denied (EACCES)`: the words of strerror(3), and the code for those who search for it. */
export function inWords(error: unknown): string {
  const code = typeof error === 'string' ? error : codeOf(error);
  if (UNNAMED[code] !== undefined) return `${UNNAMED[code]} (${code})`;
  for (const [name, words] of getSystemErrorMap().values()) {
    if (name === code) return `${words} (${code})`;
  }
  if (error instanceof Error) return error.message;
  return code;
}
