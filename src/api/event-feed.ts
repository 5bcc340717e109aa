/** What does the server need of the journal? */
import type { EventPage, EventQuery } from '../model/event-query.ts';

export interface EventFeed {
  /** What has happened so far. */
  read(query: EventQuery): AsyncIterable<EventPage>;
  /** Of what happened after this number something is not kept any more, or nobody knows the number. */
  hasGapAfter(id: number): boolean;
  /** Calls back whenever there is something new to read, until the answer is called. */
  onNews(reader: () => void): () => void;
  /** What has happened is on disk afterwards. */
  flush(): void;
  /** Calls `wake` once after so many milliseconds; the answer cancels it. */
  later(delay: number, wake: () => void): () => void;
}
