/** Whose is the lock of the index of a checkout (gitrepository-layout(5))? */
import fs from 'node:fs';
import { codeOf } from './errno.ts';
import type { GitCheckout } from './git-checkout.ts';

/** In words. */
export const AT_WORK = 'Git is at work in it';

/** In words, of a lock that no Git holds any more. */
export function leftBehind({ indexLock }: Pick<GitCheckout, 'indexLock'>): string {
  return `${indexLock} was left there by a Git that has ended; remove it`;
}

/** One sentence: why Git would not write into the checkout now; undefined: there is no lock. */
export function lockedBy(checkout: GitCheckout): string | undefined {
  if (fs.lstatSync(checkout.indexLock, { throwIfNoEntry: false }) === undefined) return undefined;
  return gitIsAtWork(checkout) ? AT_WORK : leftBehind(checkout);
}

/** Git goes to the top of a checkout before it does anything. In doubt it is at work. */
export function gitIsAtWork({ top }: Pick<GitCheckout, 'top'>): boolean {
  return fs.readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      if (!fs.readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('git')) return false;
      const place = fs.readlinkSync(`/proc/${pid}/cwd`);
      return place === top || place.startsWith(`${top}/`);
    } catch (error) {
      return codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ESRCH';
    }
  });
}
