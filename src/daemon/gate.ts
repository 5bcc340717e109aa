/** How many may do something expensive at the same time? */

/** The others wait, in the order in which they came. */
export class Gate {
  readonly #lanes: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  constructor(lanes: number) {
    this.#lanes = lanes;
  }

  async through<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    if (this.#inside >= this.#lanes) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inside += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // Whoever goes in now takes the place of the one who leaves.
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }
}
