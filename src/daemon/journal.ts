/** What happened, on disk and lately, and who wants to hear of it? */
import type { EventFeed } from '../api/event-feed.ts';
import type { Event, NumberedEvent } from '../model/action.ts';
import { type EventPage, type EventQuery, isMeant } from '../model/event-query.ts';
import type { EventFiles } from '../world/event-files.ts';
import { eventsIn } from '../world/event-history.ts';
import type { Clock } from '../world/world.ts';
import type { Wrote } from './state-problems.ts';

export type { NumberedEvent };

export interface JournalTools {
  /** undefined: nothing is kept beyond the end of the daemon. */
  readonly files?: EventFiles | undefined;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  readonly wrote: Wrote;
}

/** Events kept in memory, those that could not be written among them. */
const KEPT = 2000;

/** So many are written before more come. */
const AT_ONCE = 1000;

/** What happens within this time is written at once. Milliseconds. */
const TOGETHER = 50;

/** What could not be written is tried again after this time. Milliseconds. */
const RETRY = 5000;

export class Journal implements EventFeed {
  readonly #tools: JournalTools | undefined;
  readonly #files: EventFiles | undefined;
  readonly #events: NumberedEvent[] = [];
  readonly #listeners = new Set<(event: NumberedEvent) => void>();
  readonly #readers = new Set<() => void>();
  /** The number of the last event that is on disk, or that nobody will write any more. */
  #written = 0;
  #last = 0;
  #due: (() => void) | undefined;
  #failed: string | undefined;
  #lost = 0;

  constructor(tools?: JournalTools) {
    this.#tools = tools;
    this.#files = tools?.files;
    if (tools?.files === undefined) return;
    const { last, torn, failed } = tools.files.open();
    const { directory } = tools.files;
    if (failed !== undefined)
      tools.log.warn({ directory }, `the events of before cannot be read (${failed})`);
    if (torn > 0) {
      tools.log.warn(
        { directory },
        `the last line of the events, ${torn} bytes, was cut off and is passed over`,
      );
    }
    // Told once and then lost with the disk or the state directory: a number must not come back for another event.
    this.#last = Math.max(last, tools.clock.now() - 1);
    this.#written = this.#last;
  }

  /** The number of the newest event; 0 before the first one. */
  get last(): number {
    return this.#last;
  }

  add(event: Event): void {
    this.#last += 1;
    const numbered = { id: this.#last, ...event };
    this.#events.push(numbered);
    if (this.#events.length > KEPT) this.#drop();
    for (const listener of this.#listeners) listener(numbered);
    if (this.#files === undefined) this.#tell();
    else if (this.#failed === undefined && this.#last - this.#written >= AT_ONCE) this.flush();
    else this.#due ??= this.#tools?.clock.after(TOGETHER, () => this.flush());
  }

  /** Everything that has happened is on disk afterwards, unless the disk refuses: then it stays in memory. */
  flush(): void {
    this.#due?.();
    this.#due = undefined;
    if (this.#files === undefined || this.#written === this.#last) return;
    const open = this.#events.filter(({ id }) => id > this.#written);
    if (this.#lost > 0) open.unshift(this.#gap(open[0]?.id ?? this.#last));
    const { written, failed } = this.#files.append(open);
    this.#written = open[written - 1]?.id ?? this.#written;
    if (written > 0) this.#lost = 0;
    this.#noteFailure(failed);
    this.#tell();
  }

  /** Events after the one with this number, oldest first: the newest {@link KEPT} at most. */
  after(id: number): { readonly events: readonly NumberedEvent[]; readonly last: number } {
    return { events: this.#events.filter((event) => event.id > id), last: this.#last };
  }

  /** What is on disk, and what is not there yet. */
  async *read(query: EventQuery): AsyncGenerator<EventPage, void> {
    this.flush();
    const { last, ...unbounded } = query;
    let upTo = query.after ?? 0;
    let isComplete = this.#files === undefined;
    while (!isComplete && (last !== undefined || !this.#remembers(upTo))) {
      const before = upTo;
      for await (const page of this.#onDisk({ ...query, after: upTo })) {
        upTo = Math.max(upTo, page.upTo);
        yield page;
      }
      // Meanwhile so much may have happened that memory does not go back so far.
      isComplete = last !== undefined || upTo === before;
    }
    const rest = this.#events.filter((event) => event.id > upTo && isMeant(event, unbounded));
    yield {
      events: last === undefined ? rest : rest.slice(Math.max(0, rest.length - last)),
      upTo: this.#last,
    };
  }

  #remembers(after: number): boolean {
    return after >= (this.#events[0]?.id ?? this.#last + 1) - 1;
  }

  #onDisk(query: EventQuery): AsyncIterable<EventPage> {
    return eventsIn(this.#files?.directory ?? '', query);
  }

  /** Of what happened after this number something is not kept any more, or nobody knows the number. */
  hasGapAfter(id: number): boolean {
    const oldest = Math.min(
      this.#files?.oldest ?? Number.POSITIVE_INFINITY,
      this.#events[0]?.id ?? this.#last,
    );
    return id > this.#last || (id > 0 && id + 1 < oldest);
  }

  /** Newest first. */
  of(service: string, count: number): readonly NumberedEvent[] {
    return this.#events
      .filter((event) => event.service === service)
      .slice(-count)
      .reverse();
  }

  /** Called at each event, before it is on disk: for what is done within this process. */
  listen(listener: (event: NumberedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Called whenever there is something new to read. */
  onNews(reader: () => void): () => void {
    this.#readers.add(reader);
    return () => {
      this.#readers.delete(reader);
    };
  }

  later(delay: number, wake: () => void): () => void {
    return this.#tools?.clock.after(delay, wake) ?? (() => {});
  }

  /** The end: everything is on disk, if the disk takes it. */
  close(): void {
    this.flush();
  }

  #tell(): void {
    for (const reader of [...this.#readers]) reader();
  }

  #drop(): void {
    for (const { id } of this.#events.splice(0, this.#events.length - KEPT)) {
      if (this.#files !== undefined && id > this.#written) this.#lost += 1;
    }
  }

  /** It takes the number of the last one that was lost. */
  #gap(before: number): NumberedEvent {
    const at = this.#tools?.clock.now() ?? 0;
    return { id: before - 1, at, name: 'events_lost', fields: { count: this.#lost } };
  }

  /** Told once when it begins, and once when it is over; at last, for that is an event as well. */
  #noteFailure(failed: string | undefined): void {
    const { log, clock, wrote } = this.#tools ?? {};
    const directory = this.#files?.directory;
    const before = this.#failed;
    this.#failed = failed;
    if (failed === undefined) {
      if (before !== undefined) log?.info({ directory }, 'events are written again');
      wrote?.('events', undefined);
      return;
    }
    this.#due = clock?.after(RETRY, () => this.flush());
    const message = `the events cannot be kept in ${directory} (${failed}); the last ${KEPT} stay in memory`;
    wrote?.('events', { code: 'state-unwritable', severity: 'warning', message });
  }
}
