/** Which starts does the file of what is remembered promise to whoever reads it back? */
import type { Memory } from '../model/memory.ts';
import type { RunId, RunKey, ServiceName } from '../model/names.ts';

/** To be made anew whenever the file is written or read. */
export class PromisedStarts {
  /** Runs that are due. */
  readonly #due = new Set<RunId>();
  /** Places whose pre_start hook has passed and was not followed by a start. */
  readonly #passed = new Set<string>();

  constructor(memories: Iterable<readonly [ServiceName, Memory]>) {
    for (const [service, { due, slots }] of memories) {
      for (const run of [due?.run ?? [], due?.before ?? []].flat()) this.#due.add(run);
      for (const [slot, { preStart }] of Object.entries(slots)) {
        if (preStart?.state === 'passed')
          this.#passed.add(placeOf(service, Number(slot), preStart.generation));
      }
    }
  }

  /** Such a run is started unless it is seen: because it is due, or at its next turn without asking its hook before. */
  has({ id, service, slot, generation }: RunKey): boolean {
    return this.#due.has(id) || this.#passed.has(placeOf(service, slot, generation));
  }
}

function placeOf(service: ServiceName, slot: number, generation: number): string {
  return `${service} ${slot} ${generation}`;
}
