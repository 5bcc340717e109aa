/** What of the history could not be written, and is to be as soon as that is possible again? */
import type { Problem } from '../model/problem.ts';
import type { Snapshot, Snapshots } from './snapshots.ts';

/**
 * Of states only the newest waits: it tells all that is new since the last that was kept, and its texts are those in
 * force, which are in memory anyway.
 */
export class Unkept {
  readonly #snapshots: Snapshots;
  readonly #wrote: (problem: Problem | undefined) => void;
  #state: { readonly snapshot: Snapshot; readonly texts: ReadonlyMap<string, string> } | undefined;
  /** What became of entries that are kept; by number. */
  readonly #notes = new Map<number, Snapshot>();

  /** @param wrote told after each write; undefined: nothing waits any more */
  constructor(snapshots: Snapshots, wrote: (problem: Problem | undefined) => void) {
    this.#snapshots = snapshots;
    this.#wrote = wrote;
  }

  /** No two entries have one, also where the first of them was never written. */
  get nextNumber(): number {
    return Math.max(this.#snapshots.nextNumber, (this.#state?.snapshot.number ?? 0) + 1);
  }

  /** What is known of an entry, written or not. */
  of(number: number): Snapshot | undefined {
    const { snapshot } = this.#state ?? {};
    if (snapshot?.number === number) return snapshot;
    return this.#notes.get(number) ?? this.#snapshots.byNumber(number);
  }

  async keep(snapshot: Snapshot, texts: ReadonlyMap<string, string>): Promise<void> {
    this.#state = { snapshot, texts };
    const problem = await this.#snapshots.keep(snapshot, texts);
    if (problem !== undefined) {
      this.#wrote(problem);
      return;
    }
    const { snapshot: newest } = this.#state;
    this.#state = undefined;
    // Something may have become of it meanwhile.
    if (newest === snapshot) this.#isWritten();
    else this.note(newest);
  }

  /**
   * An entry whose texts are not there is none: it waits for them.
   * @returns false: it was kept and is lost, mostly with its texts, so it is not written without them
   */
  note(snapshot: Snapshot): boolean {
    const { number } = snapshot;
    if (this.#state?.snapshot.number === number) {
      this.#state = { ...this.#state, snapshot };
      return true;
    }
    if (this.#snapshots.isLost(snapshot)) {
      this.#notes.delete(number);
      return false;
    }
    const problem = this.#snapshots.note(snapshot);
    if (problem === undefined) this.#notes.delete(number);
    else this.#notes.set(number, snapshot);
    if (problem === undefined) this.#isWritten();
    else this.#wrote(problem);
    return true;
  }

  /** @returns the number of the state that waited: another one is in force now */
  drop(): number | undefined {
    const number = this.#state?.snapshot.number;
    this.#state = undefined;
    return number;
  }

  async again(): Promise<void> {
    for (const [number, snapshot] of this.#notes) {
      // It may have been cleared away.
      if (this.#snapshots.byNumber(number) === undefined) this.#notes.delete(number);
      else this.note(snapshot);
    }
    if (this.#state === undefined) this.#isWritten();
    else await this.keep(this.#state.snapshot, this.#state.texts);
  }

  #isWritten(): void {
    if (this.#state === undefined && this.#notes.size === 0) this.#wrote(undefined);
  }
}
