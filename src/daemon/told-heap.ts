/** How much heap do the runs of a service say that they use? Asked of their files only when somebody wants to know. */
import { resolve } from 'node:path';
import type { ServiceView } from '../api/contract.ts';
import { type RunId, startOfRun } from '../model/names.ts';
import type { Desired } from '../model/spec.ts';
import { fillIn } from '../model/template.ts';
import { FILE_TICK } from '../world/file-time.ts';
import { toldStats } from '../world/told-stats.ts';

/** The variable of a service by which it says into which file it writes. */
export const STATS_FILE = 'PROCESSMASTER_STATS_FILE';

/**
 * @param view what the status says of it
 * @returns bytes, of all its instances that have told; null when none has, or it does not name a file
 */
export function toldHeap(view: ServiceView, desired: Desired | undefined, told = toldStats): number | null {
  if (desired?.kind !== 'defined') return null;
  const { env, working_directory } = desired.spec.process;
  const written = Object.hasOwn(env, STATS_FILE) ? env[STATS_FILE] : undefined;
  if (typeof written !== 'string' || written === '') return null;
  // While one run takes the place of another, both may write into the same file: what is there counts once.
  const files = new Map<string, number>();
  for (const { instance, generation, port, run_id } of view.instances) {
    if (run_id === null) continue;
    const values = { instance, generation: generation ?? 0, port };
    const path = resolve(fillIn(working_directory, values), fillIn(written, values));
    const started = startOfRun(run_id as RunId);
    files.set(path, Math.min(started, files.get(path) ?? started));
  }
  let sum: number | null = null;
  for (const [path, started] of files) {
    const one = told(path, desired.credentials);
    // What an earlier run has left says nothing about this one.
    if (one !== undefined && one.at >= started - FILE_TICK) sum = (sum ?? 0) + one.heap;
  }
  return sum;
}
