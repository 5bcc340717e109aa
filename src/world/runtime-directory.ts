/** Where does a manager without files keep what has to be on disk as long as it lives? */
import fs from 'node:fs';
import os from 'node:os';
import { basename, join } from 'node:path';
import { codeOf, inWords } from './errno.ts';

export interface RuntimeDirectory {
  /** Absolute; only for our user (0700). */
  readonly path: string;
  /** A name that no other manager of this host has, for its cgroup. */
  readonly name: string;
  /** Removes it with everything in it. */
  readonly remove: () => void;
}

/**
 * A new directory below `$XDG_RUNTIME_DIR`, /run (root only) or the directory for temporary files: the first that can
 * be written.
 */
export function makeRuntimeDirectory(
  environment: Readonly<Record<string, string | undefined>>,
): RuntimeDirectory | { readonly refused: string } {
  const given = environment['XDG_RUNTIME_DIR'];
  const places = [
    ...(given?.startsWith('/') ? [given] : []),
    ...(process.geteuid?.() === 0 ? ['/run'] : []),
    os.tmpdir(),
  ];
  let refused = '';
  for (const place of places) {
    try {
      const path = fs.mkdtempSync(join(place, 'processmaster-run-'));
      return { path, name: basename(path), remove: () => fs.rmSync(path, { recursive: true, force: true }) };
    } catch (error) {
      refused = `no directory can be made in ${place}: ${inWords(error)}`;
      if (codeOf(error) === 'EUNKNOWN') throw error;
    }
  }
  return { refused };
}
