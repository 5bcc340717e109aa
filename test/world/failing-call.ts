/** A host that refuses some calls: it is short of something, or the file is closed to us. */
import fs from 'node:fs';
import { onTestFinished, vi } from 'vitest';

type Call = 'mkdirSync' | 'openSync' | 'readdirSync' | 'readFileSync' | 'statSync';

/**
 * The call fails for the paths that are meant.
 * @returns what ends it; the end of the test does so too
 */
export function failingCall(call: Call, isMeant: (path: string) => boolean, code: string): () => void {
  const real = fs[call] as (path: unknown, ...more: unknown[]) => unknown;
  const spy = vi.spyOn(fs, call).mockImplementation(((path: unknown, ...more: unknown[]) => {
    if (isMeant(String(path))) throw Object.assign(new Error(code), { code, path });
    return real(path, ...more);
  }) as never);
  const mend = () => spy.mockRestore();
  onTestFinished(mend);
  return mend;
}
