/** What was told is remembered for the next daemon. */
import { beforeEach, expect, test } from 'vitest';
import { Notifications } from '../../src/daemon/notifications.ts';
import type { Notification } from '../../src/model/notification.ts';
import { NOTIFICATIONS } from '../../src/model/notification.ts';
import { NOW } from '../builders.ts';
import { Agenda } from '../twins/agenda.ts';
import { simulatedClock } from '../twins/clock.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';

let time: { now: number };
let timers: Agenda;
let files: MemoryFiles;
let told: Notification['event'][];
let wrote: string[];
let frozen: string | undefined;
let pass: () => void;

beforeEach(() => {
  time = { now: NOW };
  timers = new Agenda();
  files = new MemoryFiles(new Injector());
  told = [];
  wrote = [];
  frozen = undefined;
});

/** A daemon that has come up; every message is delivered at once. */
function daemon(): Notifications {
  const clock = simulatedClock(time, 0, timers);
  const notifications = new Notifications({
    sinks: [{ kind: 'command', command: ['/bin/tell'], events: NOTIFICATIONS, timeout: 1000 }],
    deliver: (_sink, { event }, done) => {
      told.push(event);
      return clock.after(0, () => done({ ok: true }));
    },
    loop: {
      names: () => [],
      glance: () => {
        throw new Error('there is no service');
      },
      desired: { services: new Map(), problems: [], files: 0, readable: true },
      removals: { approved: [], held: [], stopping: [], reason: '', lasts: false },
      onPass: (listener) => {
        pass = listener;
        return () => {};
      },
    },
    world: { clock, files, random: { next: () => 0 } },
    frozen: () => frozen,
    problems: () => [],
    stateFile: '/state/told.json',
    hostname: 'host',
    note: () => {},
    warn: () => {},
    wrote: (part, problem) => wrote.push(`${part} ${problem?.message ?? 'well'}`),
  });
  notifications.begin();
  looks();
  return notifications;
}

function looks(): void {
  time.now += 10_000;
  for (let item = timers.take(time.now); item !== undefined; item = timers.take(time.now)) item.act();
}

test('what could not be written is written when there is room again, and is not told once more', () => {
  files.failing = 'ENOSPC';
  frozen = 'rolled back';
  const first = daemon();
  for (let round = 0; round < 3; round++) {
    pass();
    looks();
  }
  expect(files.contents.size).toBe(0);
  expect(new Set(wrote)).toEqual(new Set(['notified.json /state/told.json cannot be written (ENOSPC)']));
  files.failing = undefined;
  pass();
  looks();
  expect(wrote.at(-1)).toBe('notified.json well');
  first.close();
  daemon();
  expect(told).toEqual(['rolled_back']);
});

test('what need not be written any more is no trouble', () => {
  daemon();
  files.failing = 'ENOSPC';
  frozen = 'rolled back';
  pass();
  looks();
  expect(wrote.at(-1)).toBe('notified.json /state/told.json cannot be written (ENOSPC)');
  frozen = undefined;
  pass();
  looks();
  expect(wrote.at(-1)).toBe('notified.json well');
});
