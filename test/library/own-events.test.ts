/** Does a loop over the events of an embedded manager get each of them once, and end when it should? */
import { describe, expect, it } from 'vitest';
import { Journal } from '../../src/daemon/journal.ts';
import { eventsOf } from '../../src/library/own-events.ts';

const event = (name: string) => ({ at: 0, name, fields: {} });

describe('eventsOf', () => {
  it('tells what is there and what comes, in order and once', async () => {
    const journal = new Journal();
    journal.add(event('before'));
    const from = Promise.resolve({ feed: journal, after: journal.last });
    const end = new AbortController();
    journal.add(event('one'));
    const names: string[] = [];
    const events = eventsOf(from, [], end.signal);
    for await (const { name } of events) {
      names.push(name);
      // Several at once, while one is being dealt with.
      if (name === 'one') for (const next of ['two', 'three']) journal.add(event(next));
      if (name === 'three') void Promise.resolve().then(() => journal.add(event('four')));
      if (name === 'four') {
        journal.add(event('last'));
        end.abort();
      }
    }
    expect(names).toEqual(['one', 'two', 'three', 'four', 'last']);
  });

  it('ends while it waits, also for a manager that is never started', async () => {
    const end = new AbortController();
    const waiting = eventsOf(Promise.resolve({ feed: new Journal(), after: 0 }), [], end.signal).next();
    const never = eventsOf(new Promise<undefined>(() => undefined), [], end.signal).next();
    end.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await never).toEqual({ done: true, value: undefined });
  });

  it('listens no more when the loop is left', async () => {
    const journal = new Journal();
    let listeners = 0;
    const feed = {
      read: (query: Parameters<Journal['read']>[0]) => journal.read(query),
      onNews: (reader: () => void) => {
        listeners += 1;
        const stop = journal.onNews(reader);
        return () => {
          listeners -= 1;
          stop();
        };
      },
    };
    journal.add(event('one'));
    const events = eventsOf(Promise.resolve({ feed, after: 0 }), [], new AbortController().signal);
    for await (const _ of events) {
      expect(listeners).toBe(1);
      break;
    }
    expect(listeners).toBe(0);
  });
});
