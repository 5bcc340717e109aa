/** How does the program around a manager hear what happens there, as fast as it likes? */
import type { EventFeed } from '../api/event-feed.ts';
import type { NumberedEvent } from '../model/action.ts';

interface Beginning {
  readonly feed: Pick<EventFeed, 'read' | 'onNews'>;
  readonly after: number;
}

/**
 * Nothing is queued for somebody slow: what comes next is read when it is asked for.
 * @param from undefined: there will be no events
 * @param end everything that has happened by then is told
 */
export async function* eventsOf(
  from: Promise<Beginning | undefined>,
  services: readonly string[],
  end: AbortSignal,
): AsyncGenerator<NumberedEvent, void, void> {
  const beginning = await orEnd(from, end);
  if (beginning === undefined) return;
  const { feed } = beginning;
  let { after } = beginning;
  let isNew = false;
  let wake = (): void => undefined;
  const news = (): void => {
    isNew = true;
    wake();
  };
  const deaf = feed.onNews(news);
  end.addEventListener('abort', news);
  try {
    for (;;) {
      isNew = false;
      const isLast = end.aborted;
      for await (const { events, upTo } of feed.read({ after, services })) {
        after = upTo;
        yield* events;
      }
      if (isLast) return;
      if (!isNew) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    deaf();
    end.removeEventListener('abort', news);
  }
}

async function orEnd<Value>(value: Promise<Value>, end: AbortSignal): Promise<Value | undefined> {
  if (end.aborted) return undefined;
  let stop = (): void => undefined;
  const ended = new Promise<undefined>((resolve) => {
    const listener = (): void => resolve(undefined);
    end.addEventListener('abort', listener);
    stop = () => end.removeEventListener('abort', listener);
  });
  try {
    return await Promise.race([value, ended]);
  } finally {
    stop();
  }
}
