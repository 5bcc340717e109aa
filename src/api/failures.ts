/** Who has shown too many tokens that are none? */

/** So many are answered as if they were mistakes; those after them are told to slow down. */
export const FORGIVEN = 10;

/** Counted over this long from the first one; milliseconds. */
export const SPAN = 60_000;

/** Addresses remembered at once; beyond, the one that failed first is forgotten. */
const REMEMBERED = 1000;

export interface Verdict {
  /** `first_over`: it has just become too many, which is worth a line in the log. */
  readonly is: 'forgiven' | 'first_over' | 'over';
  /** Milliseconds until it is counted afresh. */
  readonly left: number;
}

/** Failed attempts by address. A right token is never refused for the failures of others at the same address. */
export class Failures {
  readonly #of = new Map<string, { readonly since: number; count: number }>();

  /** @param now milliseconds */
  note(address: string, now: number): Verdict {
    const known = this.#of.get(address);
    const current = known !== undefined && now - known.since < SPAN ? known : { since: now, count: 0 };
    current.count += 1;
    if (current !== known) {
      this.#of.delete(address);
      const [oldest] = this.#of.keys();
      if (this.#of.size >= REMEMBERED && oldest !== undefined) this.#of.delete(oldest);
      this.#of.set(address, current);
    }
    const is =
      current.count <= FORGIVEN ? 'forgiven' : current.count === FORGIVEN + 1 ? 'first_over' : 'over';
    return { is, left: SPAN - (now - current.since) };
  }
}
