/** A disk that fails right after a file was opened, as network file systems do. */
import fs from 'node:fs';
import { onTestFinished, vi } from 'vitest';

/**
 * Every look at a descriptor fails that is meant.
 * @param isMeant is told the number of the look, counted from 1, and whether it asks for the exact inode
 * @returns what ends it; the end of the test does so too
 */
export function failingFstat(isMeant: (look: number, isExact: boolean) => boolean): () => void {
  const { fstatSync } = fs;
  let looks = 0;
  const spy = vi.spyOn(fs, 'fstatSync').mockImplementation(((...args: Parameters<typeof fstatSync>) => {
    looks += 1;
    if (isMeant(looks, args[1]?.bigint === true))
      throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fstat', errno: -5 });
    return fstatSync(...args);
  }) as never);
  const mend = () => spy.mockRestore();
  onTestFinished(mend);
  return mend;
}
