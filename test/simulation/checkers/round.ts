/** What was done to the services since a moment? What the checkers of calm times have in common. */
import type { RunId, ServiceName } from '../../../src/model/names.ts';
import type { Simulation } from '../simulation.ts';

export interface Done {
  /** Places that were started, once for each start. */
  readonly started: readonly number[];
  /** Places whose run was asked to end. */
  readonly stopped: readonly number[];
  readonly limits: number;
  /** The least number of runs that served at the same time: alive and not asked to end. */
  readonly least: number;
  /** How many served at the beginning. */
  readonly before: number;
}

/** A moment to compare with. */
export interface Since {
  /** Index of the first entry that counts. */
  readonly entry: number;
  /** Runs that serve at this moment; there are no stops under way in calm times. */
  readonly serving: ReadonlySet<RunId>;
}

export function since({ entries, machine }: Simulation): Since {
  const living = [...machine.places.values()].filter(({ processes }) => processes.size > 0);
  return { entry: entries.length, serving: new Set(living.map(({ key }) => key.id)) };
}

export function doneTo(simulation: Simulation, service: ServiceName, from: Since): Done {
  const started: number[] = [];
  const stopped: number[] = [];
  let limits = 0;
  const runs = simulation.truth.runs;
  const serving = new Set([...from.serving].filter((id) => runs.get(id)?.key.service === service));
  const before = serving.size;
  let least = before;
  for (const entry of simulation.entries.slice(from.entry)) {
    if (entry.what === 'limit' && entry.service === service) limits += 1;
    if (!('run' in entry) || entry.run.service !== service) continue;
    const { id, slot } = entry.run;
    if (entry.what === 'start') {
      started.push(slot);
      serving.add(id);
    }
    if (entry.what === 'signal' || entry.what === 'stop_command' || entry.what === 'kill') {
      if (serving.delete(id)) stopped.push(slot);
    }
    if (entry.what === 'exit' && entry.role === 'main') serving.delete(id);
    least = Math.min(least, serving.size);
  }
  return { started, stopped, limits, least, before };
}
