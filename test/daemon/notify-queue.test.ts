import { expect, test } from 'vitest';
import type { Deliver, Delivered } from '../../src/daemon/notify-delivery.ts';
import { MOST_WAITING, NotifyQueue } from '../../src/daemon/notify-queue.ts';
import { NOTIFICATIONS, type Notification, type NotifySink } from '../../src/model/notification.ts';

const SINK: NotifySink = { kind: 'command', command: ['/bin/tell'], events: NOTIFICATIONS, timeout: 1000 };

function message(number: number, event: Notification['event'] = 'failed'): Notification {
  return { id: String(number), event, at: '2026-02-03T04:05:06.000Z', host: 'a', message: `m${number}` };
}

/** A sink that answers when the test says so, and a clock that the test moves. */
function ground(sink: NotifySink = SINK) {
  const sent: Notification[] = [];
  const settled: [string, string | undefined][] = [];
  let answer: ((delivered: Delivered) => void) | undefined;
  let now = 0;
  let timer: { at: number; wake: () => void } | undefined;
  const deliver: Deliver = (_sink, notification, done) => {
    sent.push(notification);
    answer = done;
    return () => {
      answer = undefined;
    };
  };
  const queue = new NotifyQueue({
    sink,
    deliver,
    clock: {
      now: () => now,
      after: (delay, wake) => {
        timer = { at: now + delay, wake };
        return () => {
          timer = undefined;
        };
      },
    },
    random: { next: () => 0 },
    settled: ({ id }, why) => settled.push([id, why]),
  });
  return {
    queue,
    sent,
    settled,
    now: () => now,
    isWaiting: () => timer !== undefined,
    answer: (delivered: Delivered) => {
      const told = answer;
      answer = undefined;
      told?.(delivered);
    },
    pass: () => {
      const due = timer;
      timer = undefined;
      now = due?.at ?? now;
      due?.wake();
    },
  };
}

const GOOD: Delivered = { ok: true };
const LATER: Delivered = { ok: false, why: 'it answered 503', again: true };
const NEVER: Delivered = { ok: false, why: 'it answered 404', again: false };

test('one at a time, in their order', () => {
  const { queue, sent, answer, settled } = ground();
  queue.add(message(1));
  queue.add(message(2));
  expect(sent.map(({ id }) => id)).toEqual(['1']);
  answer(GOOD);
  expect(sent.map(({ id }) => id)).toEqual(['1', '2']);
  expect(queue.isIdle).toBe(false);
  answer(GOOD);
  expect(queue.isIdle).toBe(true);
  expect(settled).toEqual([
    ['1', undefined],
    ['2', undefined],
  ]);
});

test('what a sink does not ask for it does not get', () => {
  const { queue, sent } = ground({ ...SINK, events: ['failed'] });
  queue.add(message(1, 'recovered'));
  queue.add(message(2, 'failed'));
  expect(sent.map(({ id }) => id)).toEqual(['2']);
});

test('it is tried again until it is delivered, as the same message', () => {
  const { queue, sent, answer, pass, settled } = ground();
  queue.add(message(1));
  answer(LATER);
  pass();
  answer(LATER);
  pass();
  answer(GOOD);
  expect(sent.map(({ id }) => id)).toEqual(['1', '1', '1']);
  expect(settled).toEqual([['1', undefined]]);
});

test('some minutes later it is given up, and the next one says so', () => {
  const { queue, sent, answer, pass, isWaiting, settled } = ground();
  queue.add(message(1));
  for (let attempt = 0; attempt < 100 && settled.length === 0; attempt++) {
    answer(LATER);
    if (isWaiting()) pass();
  }
  expect(settled).toEqual([['1', 'it answered 503']]);
  expect(sent.length).toBeGreaterThan(5);
  queue.add(message(2));
  expect(sent.at(-1)).toMatchObject({ id: '2', dropped: 1 });
  answer(GOOD);
  queue.add(message(3));
  expect(sent.at(-1)).not.toHaveProperty('dropped');
});

test('a sink that is down costs the first of many that wait, and is asked no more often for the next', () => {
  const { queue, settled, answer, pass, now } = ground();
  for (let number = 1; number <= 20; number++) queue.add(message(number));
  const times: number[] = [];
  for (let attempts = 0; attempts < 100 && now() < 185_000; attempts++) {
    times.push(now());
    answer(LATER);
    pass();
  }
  expect(settled).toEqual([['1', 'it answered 503']]);
  const pauses = times.slice(1).map((time, at) => time - (times[at] ?? 0));
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  for (let number = 2; number <= 20; number++) answer(GOOD);
  expect(settled.slice(1).map(([id, why]) => `${id} ${why}`)).toEqual(
    Array.from({ length: 19 }, (_, at) => `${at + 2} undefined`),
  );
  expect(now()).toBeLessThan(220_000);
});

test('a sink that answers but will not have one message is asked for the next one at once', () => {
  const { queue, sent, answer, isWaiting } = ground();
  queue.add(message(1));
  queue.add(message(2));
  answer(NEVER);
  expect(isWaiting()).toBe(false);
  expect(sent.map(({ id }) => id)).toEqual(['1', '2']);
});

test('what will not go better is not tried again', () => {
  const { queue, answer, isWaiting, settled } = ground();
  queue.add(message(1));
  answer(NEVER);
  expect(settled).toEqual([['1', 'it answered 404']]);
  expect(isWaiting()).toBe(false);
});

test('of many that wait the oldest give way, and are counted', () => {
  const { queue, sent, answer } = ground();
  for (let number = 0; number <= MOST_WAITING + 3; number++) queue.add(message(number));
  answer(GOOD);
  expect(sent.at(-1)).toMatchObject({ id: '4', dropped: 3 });
});

test('after the end nothing is sent', () => {
  const { queue, sent, answer, isWaiting } = ground();
  queue.add(message(1));
  answer(LATER);
  queue.close();
  expect(isWaiting()).toBe(false);
  queue.add(message(2));
  expect(sent).toHaveLength(1);
});
