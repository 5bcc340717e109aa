/** What is going to happen, and in which order? */

interface Item {
  readonly at: number;
  readonly act: () => void;
}

/** Things with a time, earliest first; those of one time in the order in which they were added. */
export class Agenda {
  readonly #items: Item[] = [];

  get next(): number | undefined {
    return this.#items[0]?.at;
  }

  /** The answer takes it back. */
  add(at: number, act: () => void): () => void {
    const item = { at, act };
    let place = this.#items.length;
    while (place > 0 && (this.#items[place - 1]?.at ?? 0) > at) place -= 1;
    this.#items.splice(place, 0, item);
    return () => {
      const index = this.#items.indexOf(item);
      if (index >= 0) this.#items.splice(index, 1);
    };
  }

  /** The earliest item, if it is due. */
  take(now: number): Item | undefined {
    const first = this.#items[0];
    return first === undefined || first.at > now ? undefined : this.#items.shift();
  }

  clear(): void {
    this.#items.length = 0;
  }
}
