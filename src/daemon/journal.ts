/** What happened lately, and who wants to hear of it? */
import type { Event } from '../model/action.ts';

export type NumberedEvent = Event & { readonly id: number };

/** Events kept in memory for `pmctl events`. */
const KEPT = 2000;

export class Journal {
  readonly #events: NumberedEvent[] = [];
  readonly #listeners = new Set<(event: NumberedEvent) => void>();
  #last = 0;

  add(event: Event): void {
    this.#last += 1;
    const numbered = { ...event, id: this.#last };
    this.#events.push(numbered);
    if (this.#events.length > KEPT) this.#events.splice(0, this.#events.length - KEPT);
    for (const listener of this.#listeners) listener(numbered);
  }

  /** Events after the one with this number, oldest first. */
  after(id: number): { readonly events: readonly NumberedEvent[]; readonly last: number } {
    return { events: this.#events.filter((event) => event.id > id), last: this.#last };
  }

  /** Newest first. */
  of(service: string, count: number): readonly NumberedEvent[] {
    return this.#events
      .filter((event) => event.service === service)
      .slice(-count)
      .reverse();
  }

  listen(listener: (event: NumberedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
