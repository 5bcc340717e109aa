/** When is each service to be looked at again if nothing happens before? */
import type { ServiceName } from '../model/names.ts';

/** Milliseconds since 1970. */
interface Wake {
  readonly at: number;
  readonly from: number;
}

/** At most one time for each service. */
export class Wakes {
  readonly #wakes = new Map<ServiceName, Wake>();

  /**
   * @param at milliseconds since 1970; undefined: never
   * @param from already, where another one is due
   */
  set(name: ServiceName, at: number | undefined, from = at): void {
    if (at === undefined) this.#wakes.delete(name);
    else this.#wakes.set(name, { at, from: from ?? at });
  }

  /** If nobody has to be looked at yet, nobody is. */
  due(now: number): readonly ServiceName[] {
    const due: ServiceName[] = [];
    let mustWake = false;
    for (const [name, { at, from }] of this.#wakes) {
      if (from <= now) due.push(name);
      mustWake ||= at <= now;
    }
    return mustWake ? due : [];
  }

  get next(): number | undefined {
    let next: number | undefined;
    for (const { at } of this.#wakes.values()) next = earliest(next, at);
    return next;
  }
}

/** The smaller of two times, either of which may be never. */
export function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}
