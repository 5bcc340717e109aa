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
  /** Found to be due, the latest first. To look for the next one among all each time would take ever longer with them. */
  #waiting: Item[] = [];
  /** Lanes that are taken, also by one that has only just begun. */
  #taken = 0;
  /** When the next look at all is, however little happens until then. */
  #wake = Number.POSITIVE_INFINITY;
  #cancel = () => {};
  #isClosed = false;

  constructor(tools: TurnsTools<Item>) {
    this.#tools = tools;
  }

  want(item: Item): void {
    if (item.isBusy) item.isWanted = true;
    item.due = 0;
    this.#waiting.push(item);
    this.#advance();
  }

  /** An item is due earlier than it was. */
  sooner(item: Item): void {
    if (item.due < this.#wake) this.#advance();
  }

  /** Everything that is due gets its turn; the timer is for what comes next. To be called when items have changed. */
  go(): void {
    this.#waiting = [];
    this.#advance();
  }

  #advance(): void {
    this.#cancel();
    if (this.#isClosed) return;
    const { clock, lanes } = this.#tools;
    for (;;) {
      // Whoever ends his turn looks again.
      this.#wake = 0;
      if (this.#taken >= lanes) return;
      const next = this.#next(clock.wall());
      if (next === undefined) {
        this.#wake = this.#taken > 0 ? 0 : Number.POSITIVE_INFINITY;
        return;
      }
      const delay = Math.min(LONGEST_SLEEP, next.due - clock.wall());
      if (delay > 0) {
        this.#wake = clock.wall() + delay;
        this.#cancel = clock.after(delay, () => this.go());
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

  /** Who is due longest; if nobody is, who will be first. */
  #next(now: number): Item | undefined {
    const { items, current } = this.#tools;
    for (let item = this.#waiting.pop(); item !== undefined; item = this.#waiting.pop()) {
      if (!item.isBusy && item.due <= now && current(item) === item) return item;
    }
    let first: Item | undefined;
    for (const item of items()) {
      if (item.isBusy) continue;
      if (item.due <= now) this.#waiting.push(item);
      if (first === undefined || item.due < first.due) first = item;
    }
    this.#waiting.sort((a, b) => b.due - a.due);
    return this.#waiting.pop() ?? first;
  }

  #run(item: Item): void {
    const { clock, serve, current } = this.#tools;
    item.isBusy = true;
    this.#taken += 1;
    const run = serve(item).finally(() => {
      this.#running.delete(run);
      this.#taken -= 1;
      for (const each of new Set([item, current(item)])) {
        if (each !== undefined && free(each) === 'wanted') this.#waiting.push(each);
      }
      // Others want to be served as well: hundreds of looks in a row would hold them up.
      this.#cancel();
      if (!this.#isClosed) this.#cancel = clock.after(0, () => this.#advance());
    });
    this.#running.add(run);
  }
}

function free(item: Turn): 'wanted' | 'served' {
  const { isWanted } = item;
  item.isBusy = false;
  item.isWanted = false;
  if (isWanted) item.due = 0;
  return isWanted ? 'wanted' : 'served';
}
