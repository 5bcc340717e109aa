/** Which services are to be looked at, and which of them not before everybody has heard of what was decided? */
import type { ServiceName } from '../model/names.ts';

export interface Around {
  /** What others depend on comes first. */
  readonly inOrder: (names: readonly ServiceName[]) => readonly ServiceName[];
  /** What it depends on itself. */
  readonly behind: (name: ServiceName) => readonly ServiceName[];
}

export class Due {
  readonly #names = new Set<ServiceName>();
  /** Due, and not asked yet what the schedule says. */
  readonly unconsidered = new Set<ServiceName>();
  readonly #later = new Set<ServiceName>();

  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  has(name: ServiceName): boolean {
    return this.#names.has(name);
  }

  add(name: ServiceName): void {
    this.#names.add(name);
    this.unconsidered.add(name);
  }

  /**
   * Somebody around it stands otherwise than before. It has its turn in the next pass, also where it was due in this one:
   * whoever listens may want to hold it back because of that.
   */
  postpone(name: ServiceName): void {
    this.add(name);
    this.#later.add(name);
  }

  /** One pass; whoever has had a turn is not due any more. */
  *turns(around: Around): Generator<ServiceName, void> {
    this.#later.clear();
    // How they stand is not known before their turn, so nobody relies on it in this pass.
    const lost = new Set<ServiceName>();
    for (const name of around.inOrder([...this.#names])) {
      if (this.#later.has(name) || (lost.size > 0 && around.behind(name).some((other) => lost.has(other)))) {
        lost.add(name);
        continue;
      }
      this.#names.delete(name);
      yield name;
    }
  }
}
