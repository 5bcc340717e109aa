/** Which runs of an earlier daemon were taken over, and has it been told? */
import type { Event } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import type { ObservedRun } from '../model/observed.ts';
import type { Situation } from '../reconcile/situation.ts';
import type { Containment } from '../world/world.ts';
import { adoptedEvent } from './run-events.ts';
import type { Store } from './store.ts';

export interface AdoptionTools {
  readonly world: { readonly containment: Pick<Containment, 'members'> };
  readonly store: Store;
  readonly report: (event: Event) => void;
}

export class Adoptions {
  readonly #tools: AdoptionTools;
  readonly #known = new Map<ServiceName, ReadonlySet<string>>();

  constructor(tools: AdoptionTools) {
    this.#tools = tools;
  }

  /**
   * Tells of each run once that it was taken over, and drops definitions that no run needs any more.
   * @returns the runs that were taken over now
   */
  note({ name, observed, desired, now }: Situation): readonly ObservedRun[] {
    if (observed.kind !== 'seen') return [];
    const taken: ObservedRun[] = [];
    const { store, world, report } = this.#tools;
    const hashes = new Set(observed.runs.map((run) => run.key.hash));
    if (desired?.kind === 'defined') hashes.add(desired.hash);
    store.keepApplied(name, hashes);
    const known = this.#known.get(name);
    for (const run of observed.runs) {
      if (run.adopted && run.members.is === 'some' && known?.has(run.key.id) !== true) {
        const [oldest] = world.containment.members(run.key);
        report(adoptedEvent(run, now, oldest));
        taken.push(run);
      }
    }
    this.#known.set(name, new Set(observed.runs.map((run) => run.key.id)));
    return taken;
  }
}
