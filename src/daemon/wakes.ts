/** When is each service to be looked at again if nothing happens before? */
import type { ServiceName } from '../model/names.ts';

/** Milliseconds since 1970; at most one time for each service. */
export class Wakes {
  readonly #at = new Map<ServiceName, number>();

  /** @param at undefined: never */
  set(name: ServiceName, at: number | undefined): void {
    if (at === undefined) this.#at.delete(name);
    else this.#at.set(name, at);
  }

  due(now: number): readonly ServiceName[] {
    const due: ServiceName[] = [];
    for (const [name, at] of this.#at) if (at <= now) due.push(name);
    return due;
  }

  get next(): number | undefined {
    let next: number | undefined;
    for (const at of this.#at.values()) next = earliest(next, at);
    return next;
  }
}

/** The smaller of two times, either of which may be never. */
export function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}
