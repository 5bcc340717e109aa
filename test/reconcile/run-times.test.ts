/** When was a service started, and since when does nothing of it run? */
import { expect, test } from 'vitest';
import type { Exit, PreStart } from '../../src/model/memory.ts';
import type { RunId } from '../../src/model/names.ts';
import { runTimesOf } from '../../src/reconcile/run-times.ts';
import { besides } from '../../src/reconcile/situation.ts';
import { defined, exited, NOW, over, run, situation, slot, unseen } from '../builders.ts';

const HOOK_RUN = 'hook' as RunId;
const PREPARING: PreStart = { run: HOOK_RUN, generation: 2, digest: 'd', state: 'running' };

/** Ended so many milliseconds ago. */
function ended(ago: number): Exit {
  return { outcome: exited(1), at: NOW - ago, by: 'itself', run: null, uptime: 50 };
}

const PAST = {
  memory: { slots: { 0: slot({ exits: [ended(700), ended(9000)] }), 1: slot({ exits: [ended(800)] }) } },
};

test('nothing of it runs since the last of it has ended', () => {
  expect(runTimesOf(situation(PAST))).toEqual({ startedAt: 0, goneAt: NOW - 700 });
  expect(runTimesOf(situation())).toEqual({ startedAt: 0, goneAt: 0 });
});

test('something of it runs, or may', () => {
  const runs = [run({ age: 500 }), run({ age: 400, slot: 1 })];
  expect(runTimesOf(situation({ ...PAST, runs }))).toEqual({ startedAt: NOW - 400, goneAt: undefined });
  // Its place has not been cleared up yet, nor its end been noted.
  expect(runTimesOf(situation({ ...PAST, runs: [over(exited(1))] })).goneAt).toBeUndefined();
  expect(runTimesOf(situation({ ...PAST, observed: unseen() }))).toEqual({ startedAt: 0, goneAt: undefined });
});

test('a hook before the start writes files as the run would', () => {
  const memory = { slots: { 0: slot({ exits: [ended(5000)], preStart: PREPARING }) } };
  const inFlight = new Set([besides(HOOK_RUN, 'pre_start')]);
  expect(runTimesOf(situation({ memory, inFlight })).goneAt).toBeUndefined();
  // A daemon that is gone took it along.
  expect(runTimesOf(situation({ memory })).goneAt).toBe(NOW - 5000);
});

test('where a hook follows each run, nobody knows when the last of it ended', () => {
  const hooks = {
    pre_start: null,
    post_start: null,
    pre_stop: null,
    post_stop: { command: ['x'], timeout: 1000 },
  };
  const desired = defined({ spec: { hooks } });
  expect(runTimesOf(situation({ ...PAST, desired })).goneAt).toBeUndefined();
});
