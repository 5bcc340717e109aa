import { describe, expect, it } from 'vitest';
import { Journal } from '../../src/daemon/journal.ts';
import type { Event } from '../../src/model/action.ts';
import { NOW, name, WEB } from '../builders.ts';

function event(number: number, service = WEB): Event {
  return { at: NOW + number, name: `event_${number}`, service, fields: {} };
}

function filled(count: number): Journal {
  const journal = new Journal();
  for (let number = 1; number <= count; number++) journal.add(event(number));
  return journal;
}

describe('the journal', () => {
  it('numbers events from 1 on and tells those after a number, oldest first', () => {
    const { events, last } = filled(3).after(1);
    expect(events.map(({ id, name: of }) => [id, of])).toEqual([
      [2, 'event_2'],
      [3, 'event_3'],
    ]);
    expect(last).toBe(3);
  });

  it('tells a client that has everything, or more than that, nothing', () => {
    expect(filled(3).after(3)).toEqual({ events: [], last: 3 });
    expect(filled(3).after(99)).toEqual({ events: [], last: 3 });
    expect(new Journal().after(0)).toEqual({ events: [], last: 0 });
  });

  it('keeps the newest 2000 under their old numbers', () => {
    const { events, last } = filled(2500).after(0);
    expect(events).toHaveLength(2000);
    expect(events[0]).toMatchObject({ id: 501, name: 'event_501' });
    expect(last).toBe(2500);
  });

  it('tells the newest of one service first, as many as asked for', () => {
    const journal = filled(5);
    journal.add(event(6, name('db')));
    expect(journal.of('web', 2).map(({ id }) => id)).toEqual([5, 4]);
    expect(journal.of('nobody', 2)).toEqual([]);
  });
});

describe('a listener', () => {
  it('hears what happens from now on, until it has heard enough', () => {
    const journal = filled(1);
    const heard: number[] = [];
    const stop = journal.listen(({ id }) => heard.push(id));
    journal.add(event(2));
    stop();
    journal.add(event(3));
    expect(heard).toEqual([2]);
  });

  it('may leave while it is being told, without taking others with it', () => {
    const journal = new Journal();
    const heard: string[] = [];
    const stop = journal.listen(() => {
      heard.push('first');
      stop();
    });
    journal.listen(() => heard.push('second'));
    journal.add(event(1));
    journal.add(event(2));
    expect(heard).toEqual(['first', 'second', 'second']);
  });
});
