/** Of which services can it not be seen what runs? People are told once when that begins. */
import type { ServiceName } from '../model/names.ts';
import type { Observed } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';

export class BlindSpots {
  readonly #unseen = new Set<ServiceName>();

  /** What a look at a service has shown. A host that is short of something hides all of them: one sentence does. */
  note(service: ServiceName, observed: Observed, complain: (problem: Problem) => void): void {
    if (observed.kind === 'seen') {
      this.#unseen.delete(service);
      return;
    }
    if (this.#unseen.size === 0) {
      const message = `what runs cannot be seen, so nothing is started or stopped: ${observed.problem.message}`;
      complain({ ...observed.problem, message });
    }
    this.#unseen.add(service);
  }
}
