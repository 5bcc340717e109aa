/**
 * How do events reach somebody who listens, however slowly he reads?
 *
 * Nothing is pushed: who has taken what was sent gets what came after it, from memory or from disk. So there is never
 * more in the way than one page, and who does not take that either is cut off: he comes back with the last number.
 */
import type { FastifyReply } from 'fastify';
import type { NumberedEvent } from '../model/action.ts';
import type { EventQuery } from '../model/event-query.ts';
import type { EventFeed } from './event-feed.ts';

type Raw = FastifyReply['raw'];

export interface EventFormat {
  readonly type: string;
  readonly opening: string;
  /** Sent when nothing happens, so that both sides notice when the other one is gone; null: nothing. */
  readonly heartbeat: string | null;
  event(event: NumberedEvent): string;
  /** Something between this number and the next event is not kept any more. */
  gap(after: number): string;
}

/** Newline-delimited JSON. */
export const JSON_LINES: EventFormat = {
  type: 'application/x-ndjson',
  opening: '',
  heartbeat: null,
  event: (event) => `${JSON.stringify(event)}\n`,
  gap: () => '',
};

/** Server-sent events, as the HTML Standard defines them (9.2). */
export const SERVER_SENT: EventFormat = {
  type: 'text/event-stream; charset=utf-8',
  // Milliseconds until a browser comes back.
  opening: 'retry: 2000\n\n',
  heartbeat: ':\n\n',
  event: (event) => `id: ${event.id}\nevent: ${event.name}\ndata: ${JSON.stringify(event)}\n\n`,
  // Without an id: whoever comes back now still asks for what follows the last event that he saw.
  gap: (after) =>
    `event: gap\ndata: ${JSON.stringify({ after, reason: 'events after this one are not kept any more' })}\n\n`,
};

export interface StreamLimits {
  /** Milliseconds of silence before a heartbeat. */
  readonly heartbeat: number;
  /** Who has not taken what was sent for so long is cut off. Milliseconds. */
  readonly patience: number;
}

export const LIMITS: StreamLimits = { heartbeat: 15_000, patience: 10_000 };

export interface Listener {
  readonly raw: Raw;
  readonly query: EventQuery;
  readonly format: EventFormat;
  /** False: it ends when everything is told. */
  readonly follow: boolean;
  readonly limits: StreamLimits;
}

/** Fulfilled when the connection is over; the head of the answer is written already. */
export async function tellEvents(feed: EventFeed, listener: Listener): Promise<void> {
  const { raw, format, follow, limits } = listener;
  const line = new Line(raw, feed, limits.patience);
  const news = new News(feed, raw);
  try {
    await line.send(format.opening);
    let { query } = listener;
    for (;;) {
      const { after = 0 } = query;
      if (feed.hasGapAfter(after)) await line.send(format.gap(after));
      const known = await line.sendAll(feed, query, format);
      if (!follow || line.isOver) break;
      // The next ones are those that come after, and nothing else is asked for again.
      query = { after: known, services: query.services };
      while (!line.isOver && !(await news.within(limits.heartbeat))) {
        if (format.heartbeat !== null) await line.send(format.heartbeat);
      }
    }
  } finally {
    news.close();
    if (!line.isOver) raw.end();
  }
}

/** The way to one client. */
class Line {
  readonly #raw: Raw;
  readonly #feed: EventFeed;
  readonly #patience: number;

  constructor(raw: Raw, feed: EventFeed, patience: number) {
    this.#raw = raw;
    this.#feed = feed;
    this.#patience = patience;
  }

  get isOver(): boolean {
    return this.#raw.destroyed || this.#raw.writableEnded;
  }

  /** @returns the number that everything was told up to */
  async sendAll(feed: EventFeed, query: EventQuery, format: EventFormat): Promise<number> {
    // A number that nobody knows here is no place to go on from.
    let known = query.after ?? 0;
    for await (const { events, upTo } of feed.read(query)) {
      known = upTo;
      await this.send(events.map((event) => format.event(event)).join(''));
      if (this.isOver) break;
    }
    return known;
  }

  /** Fulfilled when there is room for more; somebody for whom that takes too long is cut off. */
  async send(text: string): Promise<void> {
    if (text === '' || this.isOver || this.#raw.write(text)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.#raw.off('drain', done).off('close', done);
        resolve();
      };
      const cancel = this.#feed.later(this.#patience, () => {
        this.#raw.destroy();
        done();
      });
      this.#raw.once('drain', done).once('close', done);
    });
  }
}

/** Is there something new, or is the client gone? */
class News {
  readonly #feed: EventFeed;
  readonly #stop: () => void;
  readonly #raw: Raw;
  #isNew = false;
  #wake = (): void => {};
  readonly #closed = (): void => this.#wake();

  constructor(feed: EventFeed, raw: Raw) {
    this.#feed = feed;
    this.#raw = raw;
    this.#stop = feed.onNews(() => {
      this.#isNew = true;
      this.#wake();
    });
    raw.once('close', this.#closed);
  }

  /** False: nothing has happened for so long; also true when nobody listens any more. */
  async within(milliseconds: number): Promise<boolean> {
    if (!this.#isNew && !this.#raw.destroyed && !this.#raw.writableEnded) {
      await new Promise<void>((resolve) => {
        const cancel = this.#feed.later(milliseconds, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#wake = () => {};
    }
    const isNew = this.#isNew;
    this.#isNew = false;
    return isNew || this.#raw.destroyed || this.#raw.writableEnded;
  }

  close(): void {
    this.#stop();
    this.#raw.off('close', this.#closed);
  }
}
