/** When was a service started, and since when does nothing of it run? */
import { describe, expect, it, test } from 'vitest';
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
  expect(runTimesOf(situation(PAST))).toMatchObject({ startedAt: 0, goneAt: NOW - 700 });
  expect(runTimesOf(situation())).toMatchObject({ startedAt: 0, goneAt: 0 });
});

test('something of it runs, or may', () => {
  const runs = [run({ age: 500 }), run({ age: 400, slot: 1 })];
  expect(runTimesOf(situation({ ...PAST, runs }))).toMatchObject({ startedAt: NOW - 400, goneAt: undefined });
  // Its place has not been cleared up yet, nor its end been noted.
  expect(runTimesOf(situation({ ...PAST, runs: [over(exited(1))] })).goneAt).toBeUndefined();
  expect(runTimesOf(situation({ ...PAST, observed: unseen() }))).toMatchObject({
    startedAt: 0,
    goneAt: undefined,
  });
});

test('a hook before the start writes files as the run would', () => {
  const memory = { slots: { 0: slot({ exits: [ended(5000)], preStart: PREPARING }) } };
  const inFlight = new Set([besides(HOOK_RUN, 'pre_start')]);
  expect(runTimesOf(situation({ memory, inFlight })).goneAt).toBeUndefined();
  // A daemon that is gone took it along.
  expect(runTimesOf(situation({ memory })).goneAt).toBe(NOW - 5000);
});

test('a hook after the run is part of it, for as long as it may take', () => {
  const post_stop = { command: ['x'], timeout: 1000 };
  const hooks = { pre_start: null, post_start: null, pre_stop: null, post_stop };
  const desired = defined({ spec: { hooks } });
  expect(runTimesOf(situation({ ...PAST, desired })).goneAt).toBe(NOW + 300);
  const memory = { slots: { 0: slot({ exits: [{ ...ended(5000), run: HOOK_RUN }] }) } };
  const inFlight = new Set([besides(HOOK_RUN, 'post_stop')]);
  expect(runTimesOf(situation({ memory, inFlight })).goneAt).toBeUndefined();
});

describe('since when every place has been started', () => {
  const two = defined({ spec: { instances: 2 } });
  const runs = [run({ age: 5000 }), run({ age: 300 }), run({ age: 400, slot: 1 })];

  it('is as long ago as the newest start of the place that waited longest', () => {
    expect(runTimesOf(situation({ desired: two, runs })).renewedAt).toBe(NOW - 400);
    const older = [run({ age: 300 }), run({ age: 5000, slot: 1 })];
    expect(runTimesOf(situation({ desired: two, runs: older })).renewedAt).toBe(NOW - 5000);
  });

  it('counts what has ended already, and nothing where a place was never started', () => {
    const memory = { slots: { 1: slot({ exits: [ended(200)] }) } };
    expect(runTimesOf(situation({ desired: two, runs: [run({ age: 100 })], memory })).renewedAt).toBe(
      NOW - 250,
    );
    expect(runTimesOf(situation({ desired: two, runs: [run({ age: 100 })] })).renewedAt).toBe(0);
  });

  it('is not what another clock has shown', () => {
    const memory = { slots: { 0: slot({ exits: [ended(-60_000), ended(900)] }) } };
    expect(runTimesOf(situation({ memory })).renewedAt).toBe(NOW - 950);
  });

  it('is not known where nothing can be seen, and is now where nothing is wanted', () => {
    expect(runTimesOf(situation({ ...PAST, desired: two, observed: unseen() })).renewedAt).toBe(0);
    const intent = { stopped: { by: 'bob', at: NOW } };
    expect(runTimesOf(situation({ desired: two, runs, intent })).renewedAt).toBe(NOW);
  });

  it('says little where a hook comes before', () => {
    const pre_start = { command: ['make'], timeout: 1000 };
    const hooks = { pre_start, post_start: null, pre_stop: null, post_stop: null };
    expect(runTimesOf(situation({ desired: defined({ spec: { hooks } }), runs })).isPrepared).toBe(true);
    expect(runTimesOf(situation({ runs })).isPrepared).toBe(false);
  });
});
