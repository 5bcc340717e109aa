/** How much of a core does a run use? The kernel counts microseconds; a share needs two looks. */
import type { RunId, RunKey, ServiceName } from '../model/names.ts';

/** Two looks closer than this give noise. Milliseconds. */
const SHORTEST = 500;

interface Sample {
  readonly at: number;
  readonly microseconds: number;
}

interface Samples {
  readonly older: Sample;
  readonly newer: Sample;
}

export class CpuSampler {
  readonly #samples = new Map<ServiceName, Map<RunId, Samples>>();

  /**
   * Per cent of one core since the look before; at the first look, since the run was started.
   * @param now milliseconds since 1970
   */
  percent({ service, id }: RunKey, startedAt: number, microseconds: number, now: number): number {
    const runs = this.#samples.get(service) ?? new Map<RunId, Samples>();
    this.#samples.set(service, runs);
    const newer = { at: now, microseconds };
    const known = runs.get(id) ?? { older: { at: startedAt, microseconds: 0 }, newer };
    const samples = now - known.newer.at >= SHORTEST ? { older: known.newer, newer } : known;
    runs.set(id, samples);
    const elapsed = (now - samples.older.at) * 1000;
    return elapsed <= 0 ? 0 : Math.round(((microseconds - samples.older.microseconds) / elapsed) * 1000) / 10;
  }

  /** Forgets all other runs of the service. */
  keep(service: ServiceName, ids: ReadonlySet<RunId>): void {
    const runs = this.#samples.get(service);
    for (const id of runs?.keys() ?? []) if (!ids.has(id)) runs?.delete(id);
    if (runs?.size === 0) this.#samples.delete(service);
  }

  /** Forgets all other services. */
  keepOnly(services: readonly ServiceName[]): void {
    const kept = new Set(services);
    for (const service of this.#samples.keys()) if (!kept.has(service)) this.#samples.delete(service);
  }
}
