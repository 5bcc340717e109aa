/** What does a service use, all its instances together? */
import type { ServiceView } from '../api/contract.ts';
import type { ServiceStats } from '../api/stats.ts';
import type { RunKey } from '../model/names.ts';
import type { Observed } from '../model/observed.ts';
import type { Figures } from '../world/world.ts';

/**
 * @param view what the status says of it
 * @param figures of one of its runs
 * @param heap what its runs tell of themselves
 */
export function statsOf(
  view: ServiceView,
  observed: Observed,
  figures: (run: RunKey) => Figures,
  heap: number | null,
): ServiceStats {
  const { instances } = view;
  const ids = new Set(instances.map(({ run_id }) => run_id));
  const runs = observed.kind === 'unseen' ? [] : observed.runs.filter(({ key }) => ids.has(key.id));
  const told = runs.map(({ key }) => figures(key));
  return {
    name: view.name,
    status: view.state,
    pid: view.pid,
    uptime: view.uptime,
    restartCount: view.restarts,
    cpu: rounded(sum(instances.map(({ cpu_percent }) => cpu_percent))),
    memoryRss: sum(told.map(({ residentBytes }) => residentBytes)),
    memoryHeap: heap,
    memory: sum(instances.map(({ memory_bytes }) => memory_bytes)),
    mode: view.desired > 1 ? 'cluster' : 'fork',
    instances: view.desired,
    running: instances.filter(({ state }) => state === 'running').length,
    processes: instances.reduce((count, { pids }) => count + pids.length, 0),
    ioRead: sum(told.map(({ io }) => io?.readBytes ?? null)),
    ioWritten: sum(told.map(({ io }) => io?.writtenBytes ?? null)),
  };
}

/** null when nothing is known of any. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

/** Shares have one decimal; their sum must not show more. */
function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10;
}
