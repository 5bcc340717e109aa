/** When is what is remembered written? */
import type { Problem } from '../model/problem.ts';
import type { Clock } from '../world/world.ts';
import type { Store } from './store.ts';

export interface FlushingTools {
  readonly store: Store;
  readonly world: { readonly clock: Clock };
  readonly complain: (problem: Problem) => void;
}

/** Memory that nothing depends on at once is written at most this often. Milliseconds. */
const FLUSH_DELAY = 1000;

export class Flushing {
  readonly #tools: FlushingTools;
  #at: number | undefined;
  #problem: Problem | undefined;

  constructor(tools: FlushingTools) {
    this.#tools = tools;
  }

  /** When it is due; milliseconds since 1970. */
  get at(): number | undefined {
    return this.#at;
  }

  /** Set while nothing can be written. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** Writes, whether it is due or not. What could not be written is tried again a little later. */
  now(): boolean {
    const { store } = this.#tools;
    this.#at = undefined;
    const problem = store.flush();
    this.#problem = problem;
    if (problem === undefined) return true;
    this.failed(problem);
    return false;
  }

  /** What somebody asked for could not be written: as long as that is so it is told, and tried again. */
  failed(problem: Problem): void {
    const { world, complain } = this.#tools;
    this.#problem = problem;
    this.#at = world.clock.now() + 10 * FLUSH_DELAY;
    complain(problem);
  }

  /** To be called after each pass: one write for all that was forgotten in it, before anybody is told that it is gone. */
  ifDue(): void {
    const { store, world } = this.#tools;
    if (!store.dirty) {
      this.#at = undefined;
      // What could not be written has been since, with what somebody asked for.
      this.#problem = undefined;
      return;
    }
    this.#at ??= world.clock.now() + FLUSH_DELAY;
    if (store.forgot || this.#at <= world.clock.now()) this.now();
  }
}
