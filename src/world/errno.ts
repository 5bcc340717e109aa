/** What does the code of a failed system call mean in words? */
import { getSystemErrorMap } from 'node:util';

/** `EACCES` of an error thrown by node; `EUNKNOWN` for anything that carries no code. */
export function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return 'EUNKNOWN';
}

/** `permission denied (EACCES)`: the words of strerror(3), and the code for those who search for it. */
export function inWords(error: unknown): string {
  const code = typeof error === 'string' ? error : codeOf(error);
  for (const [name, words] of getSystemErrorMap().values()) {
    if (name === code) return `${words} (${code})`;
  }
  if (error instanceof Error) return error.message;
  return code;
}
