/** What is looked at in which intervals, and what becomes of a daemon whose place another one has? */
import { beforeEach, expect, test } from 'vitest';
import type { Ending } from '../../src/daemon/leaving.ts';
import { Looks } from '../../src/daemon/looks.ts';
import type { Problem } from '../../src/model/problem.ts';

const TAKEN: Problem = { code: 'daemon-running', severity: 'error', message: 'it is held', hint: 'stop it' };

let said: string[];
let ending: Ending;
let taken: Problem | undefined;
let now: number;
let timers: { readonly at: number; readonly wake: () => void }[];
let looks: Looks;

beforeEach(() => {
  [said, timers, now, ending, taken] = [[], [], 0, 'no', undefined];
  const say = (word: string) => (): void => void said.push(word);
  const after = (delay: number, wake: () => void) => {
    timers.push({ at: now + delay, wake });
    return () => undefined;
  };
  looks = new Looks({
    world: { clock: { after }, containment: { keepPlace: () => taken } },
    loop: { resync: say('loop') },
    trouble: { look: say('trouble') },
    logs: { look: say('logs') },
    serving: { look: async () => void said.push('door') },
    reports: { complain: (problem) => void said.push(JSON.stringify(problem)) },
    follow: say('files'),
    ending: () => ending,
    leave: say('leave'),
  });
  looks.begin();
});

function pass(seconds: number): readonly string[] {
  const until = now + seconds * 1000;
  while (now < until) {
    now += 500;
    const due = timers.filter(({ at }) => at <= now);
    timers = timers.filter(({ at }) => at > now);
    for (const { wake } of due) wake();
  }
  return said.splice(0);
}

test('the door every second, everything every minute', () => {
  expect(pass(3)).toEqual(['door', 'door', 'door']);
  expect(pass(57).filter((word) => word !== 'door')).toEqual(['loop', 'trouble', 'logs', 'files']);
  expect(pass(60).filter((word) => word !== 'door')).toEqual(['loop', 'trouble', 'logs', 'files']);
});

test('who has lost the place says so, opens no door, and leaves', () => {
  taken = TAKEN;
  expect(looks.isSuperseded).toBe(false);
  const [told, ...more] = pass(1);
  expect(JSON.parse(told ?? '')).toEqual({
    code: 'daemon-running',
    severity: 'error',
    message: 'all services are left to the daemon that came after this one: it is held',
  });
  expect(more).toEqual(['leave']);
  expect(looks.isSuperseded).toBe(true);
});

test('who could not leave has the place again when it is free', () => {
  taken = TAKEN;
  pass(1);
  taken = undefined;
  expect(pass(1)).toEqual(['door']);
  expect(looks.isSuperseded).toBe(false);
});

test('while services are being stopped it looks still, and never again when it leaves', () => {
  ending = 'stopping';
  expect(pass(2)).toEqual(['door', 'door']);
  ending = 'leaving';
  expect(pass(120)).toEqual([]);
  expect(timers).toEqual([]);
});
