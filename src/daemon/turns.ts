/** Whose turn is it? Few at a time, each when it is due, and nobody twice at once. */
import type { Clock } from '../world/world.ts';

export interface Turn {
  /** Milliseconds since 1970, by the clock on the wall. */
  due: number;
  isBusy: boolean;
  /** It was wanted once more while it was busy. */
  isWanted: boolean;
}

export interface TurnsTools<Item extends Turn> {
  readonly clock: Clock;
  /** How many at a time. */
  readonly lanes: number;
  readonly items: () => Iterable<Item>;
  /** Never rejects. */
  readonly serve: (item: Item) => Promise<void>;
  /** What stands in the place of an item now: it may have been replaced while it was served. */
  readonly current: (item: Item) => Item | undefined;
}

/** Even where nothing is expected, the clock of the host may have been set meanwhile. Milliseconds. */
export const LONGEST_SLEEP = 3600_000;

export class Turns<Item extends Turn> {
  readonly #tools: TurnsTools<Item>;
  readonly #running = new Set<Promise<void>>();
  #cancel = () => {};
  #isClosed = false;

  constructor(tools: TurnsTools<Item>) {
    this.#tools = tools;
  }

  want(item: Item): void {
    if (item.isBusy) item.isWanted = true;
    item.due = 0;
    this.go();
  }

  /** Everything that is due gets its turn; the timer is for what comes next. */
  go(): void {
    this.#cancel();
    if (this.#isClosed) return;
    const { clock, lanes } = this.#tools;
    for (;;) {
      const next = this.#next();
      if (next === undefined || this.#running.size >= lanes) return;
      const delay = next.due - clock.wall();
      if (delay > 0) {
        this.#cancel = clock.after(Math.min(LONGEST_SLEEP, delay), () => this.go());
        return;
      }
      this.#run(next);
    }
  }

  /** Begins nothing any more; fulfilled when nothing is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await Promise.all(this.#running);
  }

  #next(): Item | undefined {
    let next: Item | undefined;
    for (const item of this.#tools.items()) {
      if (!item.isBusy && (next === undefined || item.due < next.due)) next = item;
    }
    return next;
  }

  #run(item: Item): void {
    const { clock, serve, current } = this.#tools;
    item.isBusy = true;
    const run = serve(item).finally(() => {
      this.#running.delete(run);
      for (const each of new Set([item, current(item)])) if (each !== undefined) free(each);
      // Others want to be served as well: hundreds of looks in a row would hold them up.
      this.#cancel();
      if (!this.#isClosed) this.#cancel = clock.after(0, () => this.go());
    });
    this.#running.add(run);
  }
}

function free(item: Turn): void {
  item.isBusy = false;
  if (item.isWanted) item.due = 0;
  item.isWanted = false;
}
