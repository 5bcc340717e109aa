/** Which generation do new runs of a definition belong to? */
import type { Intent, Memory } from '../model/memory.ts';
import type { SpecHash } from '../model/names.ts';
import type { ObservedRun } from '../model/observed.ts';

/**
 * A definition keeps its generation for as long as it is the newest one; any other definition, and a restart asked
 * for by hand, gets the next number. With an empty memory the answer is derived from the runs that are seen.
 */
export function generationOf(
  hash: SpecHash,
  memory: Memory,
  runs: readonly ObservedRun[],
  intent: Intent,
): number {
  const floor = intent.minGeneration ?? 1;
  let newest = memory.generation;
  let newestHash = memory.generationHash;
  for (const { key } of runs) {
    if (key.generation > newest || newestHash === null) {
      newest = Math.max(newest, key.generation);
      newestHash = key.hash;
    }
  }
  if (newestHash === hash && newest >= floor) return newest;
  return Math.max(newest + 1, floor);
}

/** Is a run of the wanted definition, and no older than the last restart by hand? */
export function isCurrent(run: ObservedRun, hash: SpecHash, intent: Intent): boolean {
  return run.key.hash === hash && run.key.generation >= (intent.minGeneration ?? 0);
}
