/** How much of a core does a run use? The kernel counts microseconds; a share needs two looks. */
import type { RunId } from '../model/names.ts';

/** Two looks closer than this give noise. Milliseconds. */
const SHORTEST = 500;

interface Sample {
  readonly at: number;
  readonly microseconds: number;
}

export class CpuSampler {
  readonly #samples = new Map<RunId, { readonly older: Sample; readonly newer: Sample }>();

  /**
   * Per cent of one core since the look before; at the first look, since the run was started.
   * @param now milliseconds since 1970
   */
  percent(run: RunId, startedAt: number, microseconds: number, now: number): number {
    const sample = { at: now, microseconds };
    const known = this.#samples.get(run);
    if (known === undefined) {
      this.#samples.set(run, { older: { at: startedAt, microseconds: 0 }, newer: sample });
    } else if (now - known.newer.at >= SHORTEST) {
      this.#samples.set(run, { older: known.newer, newer: sample });
    }
    const base = this.#samples.get(run)?.older ?? sample;
    const elapsed = (now - base.at) * 1000;
    return elapsed <= 0 ? 0 : Math.round(((microseconds - base.microseconds) / elapsed) * 1000) / 10;
  }

  /** Forgets runs that are gone. */
  keep(runs: ReadonlySet<RunId>): void {
    for (const run of this.#samples.keys()) if (!runs.has(run)) this.#samples.delete(run);
  }
}
