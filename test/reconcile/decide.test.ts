import { describe, expect, it, test } from 'vitest';
import type { Action } from '../../src/model/action.ts';
import { PROOF_OF_LIFE } from '../../src/policy/rollout.ts';
import { decide, LOOK_AGAIN } from '../../src/reconcile/decide.ts';
import type { Decision } from '../../src/reconcile/situation.ts';
import {
  defined,
  exited,
  hash,
  mainEnded,
  memory as memoryWith,
  NOW,
  over,
  problem,
  run,
  runsRemembered,
  type SituationChanges,
  situation,
  slot,
  spec,
  stopProgress,
  unseen,
  WEB,
} from '../builders.ts';

const STOPPED = { stopped: { by: 'bob', at: NOW } };
const HELD = { held: { by: 'bob', at: NOW } };

function deciding(changes: SituationChanges): Decision {
  return decide(situation(changes));
}

/** `start 0`, `signal 1 SIGTERM`: what is done to which place. */
function told({ actions }: Decision): readonly string[] {
  return actions.map((action: Action) => {
    switch (action.do) {
      case 'start':
        return `start ${action.slot}`;
      case 'signal':
        return `signal ${action.run.slot} ${action.signal}`;
      case 'stop_command':
      case 'kill':
      case 'clean_up':
        return `${action.do} ${action.run.slot}`;
      default:
        return action.do;
    }
  });
}

/** The situation a little later: what was decided is remembered, the rest is told. */
function later(decision: Decision, ms: number, changes: SituationChanges): Decision {
  return deciding({ memory: decision.memory, now: NOW + ms, ...changes });
}

describe('start', () => {
  it('fills every place with the wanted definition, told as boot', () => {
    const { actions, slots } = deciding({ desired: defined({ spec: { instances: 2 } }) });
    const start = { do: 'start', service: WEB, generation: 1, hash: hash('a'), run: null, because: 'boot' };
    expect(actions).toEqual([
      { ...start, slot: 0 },
      { ...start, slot: 1 },
    ]);
    expect(slots.map(({ phase }) => phase)).toEqual(['starting', 'starting']);
  });

  it('does nothing when everything is as wanted', () => {
    const decision = deciding({ runs: [run()] });
    expect(decision).toMatchObject({ actions: [], notices: [], wakeAt: undefined });
    expect(decision.slots).toEqual([
      {
        slot: 0,
        phase: 'running',
        run: run().key,
        outdated: false,
        mainEnded: false,
        ready: true,
        health: 'no readiness probe',
        rejected: null,
      },
    ]);
  });

  it('a new definition after a failure starts at once, as a new generation', () => {
    const end = { kind: 'failed', at: NOW, reason: 'x', under: 'old', pardon: 0, retryAt: null } as const;
    const memory = memoryWith({
      generation: 1,
      generationHash: hash('a'),
      slots: { 0: slot({ end, generation: 1 }) },
    });
    const { actions } = deciding({ desired: defined({ hash: 'b' }), memory });
    expect(actions).toMatchObject([{ do: 'start', generation: 2, because: 'reload_generation_2' }]);
  });

  it('a start by hand after a completion or during a back-off is told as such, and at once', () => {
    const end = {
      kind: 'completed',
      at: NOW,
      reason: '',
      under: hash('a'),
      pardon: 0,
      retryAt: null,
    } as const;
    const next = { at: NOW + 9000, delay: 9000, digest: defined().digest, pardon: 0 };
    for (const waiting of [{ end }, { next }]) {
      const memory = memoryWith({
        generation: 1,
        generationHash: hash('a'),
        slots: { 0: slot({ ...waiting, generation: 1 }) },
      });
      expect(deciding({ memory, intent: { pardon: 1 } }).actions).toMatchObject([
        { do: 'start', because: 'start_requested' },
      ]);
    }
  });

  it('a start by hand after a stop is told as such', () => {
    const gone = over(exited(0));
    const stopping = runsRemembered([gone, { stop: stopProgress() }]);
    const memory = memoryWith({
      generation: 1,
      generationHash: hash('a'),
      runs: stopping,
      slots: { 0: slot({ generation: 1 }) },
    });
    expect(deciding({ memory, runs: [gone] }).actions).toMatchObject([
      { do: 'clean_up' },
      { do: 'start', because: 'start_requested' },
    ]);
  });
});

describe('respawn', () => {
  const memory = memoryWith({
    generation: 1,
    generationHash: hash('a'),
    slots: { 0: slot({ generation: 1 }) },
  });
  const crash = { runs: [over(exited(1), { age: 100 })] };

  it('waits for the back-off, then starts again in the same generation', () => {
    const first = deciding({ memory, ...crash });
    expect(told(first)).toEqual(['clean_up 0']);
    expect(first.wakeAt).toBe(NOW + 1000);
    expect(first.slots).toEqual([
      { slot: 0, phase: 'backoff', until: NOW + 1000, reason: 'exited with code 1' },
    ]);
    expect(told(later(first, 999, {}))).toEqual([]);
    expect(later(first, 1000, {}).actions).toMatchObject([
      { do: 'start', generation: 1, because: 'respawn_after_exit' },
    ]);
  });

  it('is told as a respawn also when the memory was lost', () => {
    const first = deciding({ runs: [over(exited(1), { generation: 6 })] });
    expect(later(first, 1000, {}).actions).toMatchObject([
      { do: 'start', generation: 6, because: 'respawn_after_exit' },
    ]);
  });

  it('ends as failed beyond the tolerance, and wakes for retry_after', () => {
    const strict = { tolerance: { max_restarts: 0, duration: 60_000, retry_after: 10_000 } };
    const desired = defined({ spec: { restart_policy: strict } });
    const decision = deciding({ desired, memory, ...crash });
    expect(told(decision)).toEqual(['clean_up 0']);
    expect(decision.slots).toMatchObject([{ phase: 'failed', retryAt: NOW + 10_000 }]);
    expect(decision.wakeAt).toBe(NOW + 10_000);
    expect(told(later(decision, 10_000, { desired }))).toEqual(['start 0']);
  });

  it('a one-shot that ended well is completed and stays so', () => {
    const desired = defined({ spec: { process: { type: 'oneshot' } } });
    const decision = deciding({ desired, memory, runs: [over(exited(0))] });
    expect(told(decision)).toEqual(['clean_up 0']);
    expect(decision.slots).toEqual([{ slot: 0, phase: 'completed', reason: 'completed with code 0' }]);
    expect(decision.wakeAt).toBeUndefined();
    expect(told(later(decision, 10 ** 9, { desired }))).toEqual([]);
  });
});

describe('stop', () => {
  const intent = STOPPED;

  it('signals, waits for the grace, kills, and kills again', () => {
    const runs = [run()];
    const first = deciding({ intent, runs });
    expect(first.actions).toEqual([
      { do: 'signal', run: runs[0]?.key, signal: 'SIGTERM', because: 'stop_requested' },
    ]);
    expect(first.wakeAt).toBe(NOW + 30_000);
    expect(first.slots).toMatchObject([{ phase: 'stopping', until: NOW + 30_000, blocked: false }]);
    const waiting = later(first, 29_999, { intent, runs });
    expect(waiting).toMatchObject({ actions: [], wakeAt: NOW + 30_000 });
    const second = later(waiting, 30_000, { intent, runs });
    expect(second.actions).toEqual([
      { do: 'kill', run: runs[0]?.key, because: 'stop_requested_grace_timeout' },
    ]);
    expect(second.slots).toMatchObject([{ phase: 'stopping', until: null, blocked: false }]);
    expect(second.wakeAt).toBe(NOW + 32_000);
    const third = later(second, 32_000, { intent, runs });
    expect(told(third)).toEqual([]);
    expect(third.slots).toMatchObject([{ phase: 'stopping', until: null, blocked: true }]);
    expect(third.wakeAt).toBe(NOW + 35_000);
    expect(told(later(third, 35_000, { intent, runs }))).toEqual(['kill 0']);
  });

  it('uses the signal of the definition that the run was started with', () => {
    const applied = { b: spec({ process: { stop_signal: 'SIGQUIT' } }) };
    expect(told(deciding({ intent, applied, runs: [run({ hash: 'b' })] }))).toEqual(['signal 0 SIGQUIT']);
  });

  it('runs the stop command instead of the signal, then kills', () => {
    const desired = defined({ spec: { process: { stop_command: ['flush'], stop_grace: 2000 } } });
    const runs = [run()];
    const first = deciding({ desired, intent, runs });
    expect(told(first)).toEqual(['stop_command 0']);
    expect(first.wakeAt).toBe(NOW + 2000);
    expect(told(later(first, 2000, { desired, intent, runs }))).toEqual(['kill 0']);
  });

  it('without grace it still signals first, and wakes at once to kill', () => {
    const desired = defined({ spec: { process: { stop_grace: 0 } } });
    const runs = [run()];
    const first = deciding({ desired, intent, runs });
    expect(told(first)).toEqual(['signal 0 SIGTERM']);
    expect(first.wakeAt).toBe(NOW);
    expect(told(later(first, 0, { desired, intent, runs }))).toEqual(['kill 0']);
  });

  it('all instances at the same time', () => {
    const desired = defined({ spec: { instances: 3 } });
    const runs = [run({ slot: 0 }), run({ slot: 1 }), run({ slot: 2 })];
    expect(told(deciding({ desired, intent, runs }))).toHaveLength(3);
  });

  it('attempts to stop what cannot be seen, and never calls it gone', () => {
    const runs = [run({ members: 'unseen' })];
    const first = deciding({ intent, runs });
    expect(told(first)).toEqual(['signal 0 SIGTERM']);
    expect(told(later(first, 30_000, { intent, runs }))).toEqual(['kill 0']);
  });

  it('the end of everything cuts the grace when somebody is in a hurry', () => {
    const runs = [run()];
    const first = deciding({ ending: { reason: 'signal_term', hurry: false }, runs });
    expect(first.actions).toMatchObject([{ do: 'signal', because: 'signal_term' }]);
    const second = later(first, 1000, { ending: { reason: 'signal_term', hurry: true }, runs });
    expect(second.actions).toEqual([{ do: 'kill', run: runs[0]?.key, because: 'signal_term' }]);
  });

  it('a clock that was set back does not make the grace longer than it is', () => {
    const runs = [run()];
    const memory = memoryWith({ runs: runsRemembered([run(), { stop: stopProgress() }]) });
    const back = -86_400_000;
    const first = deciding({ intent, runs, memory, now: NOW + back });
    expect(first).toMatchObject({ actions: [], wakeAt: NOW + back + 30_000 });
    expect(told(later(first, back + 30_000, { intent, runs }))).toEqual(['kill 0']);
  });

  it('a stopped service stays down, also when its run is gone', () => {
    const decision = deciding({ intent, runs: [over(exited(1))] });
    expect(told(decision)).toEqual(['clean_up 0']);
    expect(decision.wakeAt).toBeUndefined();
    expect(told(later(decision, 10 ** 9, { intent }))).toEqual([]);
  });
});

describe('scale', () => {
  it('up starts what is missing', () => {
    const desired = defined({ spec: { instances: 3 } });
    expect(told(deciding({ desired, runs: [run({ slot: 1 })] }))).toEqual(['start 0', 'start 2']);
  });

  it('down stops the highest places', () => {
    const runs = [run({ slot: 0 }), run({ slot: 1 }), run({ slot: 2 })];
    expect(told(deciding({ runs }))).toEqual(['signal 1 SIGTERM', 'signal 2 SIGTERM']);
  });
});

describe('roll', () => {
  const desired = defined({ hash: 'b', spec: { instances: 3 } });
  const applied = { a: spec({ instances: 3 }), b: desired.spec };
  const memory = memoryWith({
    generation: 1,
    generationHash: hash('a'),
    slots: { 0: slot({ generation: 1 }), 1: slot({ generation: 1 }), 2: slot({ generation: 1 }) },
  });
  const old = [run({ slot: 0 }), run({ slot: 1 }), run({ slot: 2 })];
  const fresh = (place: number, age: number) => run({ slot: place, hash: 'b', generation: 2, age });
  const rest = old.slice(1);

  it('takes one instance out, the lowest place first', () => {
    const decision = deciding({ desired, applied, memory, runs: [...old].reverse() });
    expect(decision.actions).toMatchObject([
      { do: 'signal', run: { slot: 0 }, because: 'reload_retire_generation_1' },
    ]);
    expect(decision.slots).toMatchObject([
      { slot: 0, phase: 'stopping' },
      { slot: 1, phase: 'running', outdated: true },
      { slot: 2, phase: 'running', outdated: true },
    ]);
  });

  it('touches no other while that one goes down', () => {
    const first = deciding({ desired, applied, memory, runs: old });
    expect(told(later(first, 10, { desired, applied, runs: old }))).toEqual([]);
  });

  it('fills the place at once when it is free, without counting the stop as a crash', () => {
    const first = deciding({ desired, applied, memory, runs: old });
    const gone = over({ kind: 'signaled', signal: 'SIGTERM', oom: false });
    const second = later(first, 20, { desired, applied, runs: [gone, ...rest] });
    expect(told(second)).toEqual(['clean_up 0', 'start 0']);
    expect(second.actions[1]).toMatchObject({ generation: 2, because: 'reload_generation_2' });
    expect(second.memory.slots[0]?.crashes).toEqual([]);
  });

  it('goes on when the new run has lived long enough, to the millisecond', () => {
    const young = deciding({ desired, applied, memory, runs: [fresh(0, PROOF_OF_LIFE - 1), ...rest] });
    expect(told(young)).toEqual([]);
    expect(young.wakeAt).toBe(NOW + 1);
    const proven = deciding({ desired, applied, memory, runs: [fresh(0, PROOF_OF_LIFE), ...rest] });
    expect(told(proven)).toEqual(['signal 1 SIGTERM']);
    expect(proven.wakeAt).toBe(NOW + 30_000);
  });

  it('goes on when the new run has been ready for min_ready, to the millisecond', () => {
    const rollout = { ...spec().rollout, min_ready: 8000 };
    const patient = defined({ hash: 'b', spec: { instances: 3, rollout } });
    const runs = [fresh(0, 10_000), ...rest];
    const readyFor = (time: number) =>
      deciding({
        desired: patient,
        applied: { ...applied, b: patient.spec },
        memory: { ...memory, runs: runsRemembered([fresh(0, 10_000), { readySince: NOW - time }]) },
        runs,
      });
    expect(told(readyFor(7999))).toEqual([]);
    expect(readyFor(7999).wakeAt).toBe(NOW + 1);
    expect(told(readyFor(8000))).toEqual(['signal 1 SIGTERM']);
  });

  it('begins the proof of life at the start', () => {
    const born = deciding({ desired, applied, memory, runs: [fresh(0, 0), ...rest] });
    expect(born).toMatchObject({ actions: [], wakeAt: NOW + PROOF_OF_LIFE });
  });

  it('asks no proof of life of the runs that are to go', () => {
    const young = [run({ slot: 0, age: 0 }), run({ slot: 1, age: 0 })];
    expect(told(deciding({ desired, applied, memory, runs: [...young, fresh(2, 1000)] }))).toEqual([
      'signal 0 SIGTERM',
    ]);
  });

  it('stops at the first instance when the new definition is broken', () => {
    const broken = over(exited(1), { slot: 0, hash: 'b', generation: 2, age: 50 });
    const renewed = { ...memory, generation: 2, generationHash: hash('b') };
    const crashed = deciding({ desired, applied, memory: renewed, runs: [broken, ...rest] });
    expect(told(crashed)).toEqual(['clean_up 0']);
    expect(crashed.slots).toMatchObject([
      { phase: 'backoff' },
      { phase: 'running', outdated: true },
      { phase: 'running', outdated: true },
    ]);
    const end = {
      kind: 'failed',
      at: NOW,
      reason: 'x',
      under: desired.digest,
      pardon: 0,
      retryAt: null,
    } as const;
    const failed = { ...renewed, slots: { ...renewed.slots, 0: slot({ end, generation: 2 }) } };
    const after = deciding({ desired, applied, memory: failed, runs: rest });
    expect(told(after)).toEqual([]);
    expect(after.slots).toMatchObject([
      { phase: 'failed' },
      { phase: 'running', outdated: true },
      { phase: 'running', outdated: true },
    ]);
  });

  it('an instance that completed does not hold the others up', () => {
    const end = {
      kind: 'completed',
      at: NOW,
      reason: '',
      under: hash('b'),
      pardon: 0,
      retryAt: null,
    } as const;
    const done = memoryWith({
      generation: 2,
      generationHash: hash('b'),
      slots: { 0: slot({ end, generation: 2 }) },
    });
    const once = defined({ hash: 'b', spec: { instances: 3, process: { type: 'oneshot' } } });
    expect(told(deciding({ desired: once, applied, memory: done, runs: rest }))).toEqual([
      'signal 1 SIGTERM',
    ]);
  });

  it('an edit back before its turn leaves a run in peace', () => {
    const back = defined({ spec: { instances: 3 } });
    const renewed = memoryWith({ generation: 2, generationHash: hash('b') });
    const decision = deciding({ desired: back, memory: renewed, runs: old });
    expect(told(decision)).toEqual([]);
    expect(decision.memory).toMatchObject({ generation: 3, generationHash: hash('a') });
  });

  it('a restart by hand replaces each run of the same definition once', () => {
    const same = defined({ spec: { instances: 2 } });
    const intent = { minGeneration: 2, pardon: 1 };
    const runs = [run({ slot: 0 }), run({ slot: 1 })];
    expect(told(deciding({ desired: same, intent, memory, runs }))).toEqual(['signal 0 SIGTERM']);
    const renewed = runs.map(({ key }) => run({ slot: key.slot, generation: 2 }));
    expect(told(deciding({ desired: same, intent, memory, runs: renewed }))).toEqual([]);
  });

  it('a start time in the future, after the clock was set back, does not hold it up for ever', () => {
    const runs = [fresh(0, -86_400_000), ...rest];
    expect(told(deciding({ desired, applied, memory, runs }))).toEqual(['signal 1 SIGTERM']);
  });
});

describe('what is left of a run', () => {
  it('is stopped before the place is filled again', () => {
    const left = mainEnded(exited(1));
    const first = deciding({ runs: [left] });
    expect(first.actions).toMatchObject([{ do: 'signal', because: 'main_exited' }]);
    const second = later(first, 10_000, { runs: [left] });
    expect(told(second), 'the back-off is over, but processes are left').toEqual([]);
    const third = later(second, 11_000, { runs: [over(exited(1))] });
    expect(told(third)).toEqual(['clean_up 0', 'start 0']);
  });

  it('is killed under the reason for which the run was stopped', () => {
    const left = mainEnded(exited(143));
    const stop = stopProgress({ reason: 'reload_retire_generation_1' });
    const memory = { generation: 1, runs: runsRemembered([left, { stop }]) };
    const first = deciding({ runs: [left], memory });
    const second = later(first, 30_000, { runs: [left] });
    const because = 'reload_retire_generation_1_grace_timeout';
    expect(second.actions).toMatchObject([{ do: 'kill', because }]);
    expect(second.notices).toEqual([]);
    const third = later(second, 30_100, { runs: [over(exited(143))] });
    expect(third.notices).toMatchObject([{ notice: 'stopped', outcome: exited(143), reason: because }]);
  });

  it('an empty place is cleaned up without counting as an end', () => {
    const unborn = run({ members: 'none', main: { is: 'unknown' }, everRan: false });
    const decision = deciding({ runs: [unborn] });
    expect(told(decision)).toEqual(['clean_up 0', 'start 0']);
    expect(decision.notices).toEqual([]);
    expect(decision.memory.slots[0]?.exits ?? []).toEqual([]);
  });

  it('a one-shot that never reached its place before its daemon died has not completed', () => {
    const main = { is: 'ended', outcome: { kind: 'unknown', oom: false }, at: NOW } as const;
    const desired = defined({ spec: { process: { type: 'oneshot' } } });
    const decision = deciding({ desired, runs: [run({ members: 'none', main, everRan: false })] });
    expect(told(decision)).toEqual(['clean_up 0', 'start 0']);
    expect(decision.notices).toEqual([]);
  });

  it('a daemonised child keeps its run alive', () => {
    const decision = deciding({ runs: [mainEnded(exited(0))] });
    expect(told(decision)).toEqual([]);
    expect(decision.slots).toMatchObject([{ phase: 'running', mainEnded: true }]);
  });
});

describe('what could not be seen', () => {
  it('a service that could not be seen: nothing is done, nothing is forgotten, and it is looked at again', () => {
    const memory = memoryWith({ slots: { 0: slot({ restarts: 3 }) } });
    const now = situation({ observed: unseen(), memory, intent: STOPPED });
    expect(decide(now)).toEqual({
      actions: [],
      memory: now.memory,
      slots: [],
      notices: [],
      wakeAt: NOW + LOOK_AGAIN,
      wakeFrom: NOW + LOOK_AGAIN,
    });
  });

  it('a run that could not be seen keeps its place', () => {
    const decision = deciding({ runs: [run({ members: 'unseen', main: { is: 'unknown' } })] });
    expect(told(decision)).toEqual([]);
    expect(decision.slots).toMatchObject([{ phase: 'running' }]);
    expect(decision.wakeAt, 'it is looked at again').toBe(NOW + LOOK_AGAIN);
  });
});

describe('a service that is left alone', () => {
  const broken = { kind: 'broken', name: WEB, file: 'web.yaml', problems: [problem()] } as const;
  const alone: Record<string, SituationChanges> = {
    held: { intent: HELD, desired: defined({ hash: 'b', spec: { instances: 4 } }) },
    broken: { desired: broken },
    guarded: { desired: undefined },
  };

  test.each(Object.entries(alone))(
    '%s: whatever runs is left in peace, whatever ended stays down',
    (_t, changes) => {
      const left = mainEnded(exited(1), { slot: 1 });
      const decision = deciding({ ...changes, runs: [run(), left, over(exited(0), { slot: 2 })] });
      expect(told(decision)).toEqual(['clean_up 2']);
      expect(decision.slots).toMatchObject([
        { slot: 0, phase: 'running', mainEnded: false },
        { slot: 1, phase: 'running', mainEnded: true },
      ]);
    },
  );

  it('wakes when the hold ends, and then goes on', () => {
    const intent = { held: { by: 'bob', at: NOW, until: NOW + 5000 } };
    const decision = deciding({ intent });
    expect(decision).toMatchObject({ actions: [], wakeAt: NOW + 5000 });
    expect(told(later(decision, 5000, { intent }))).toEqual(['start 0']);
  });

  it('does not wake for a hold that is over', () => {
    const intent = { held: { by: 'bob', at: NOW, until: NOW - 5000 } };
    expect(deciding({ intent, runs: [run()] })).toMatchObject({ actions: [], wakeAt: undefined });
  });
});

describe('removal', () => {
  const removed = { desired: undefined, intent: { removalApproved: true } };

  it('stops what runs by the definition it was started with, cleans up, and forgets', () => {
    const applied = { a: spec({ process: { stop_command: ['flush'] } }) };
    const first = deciding({ ...removed, applied, runs: [run()] });
    expect(first.actions).toMatchObject([{ do: 'stop_command', because: 'file_removed' }]);
    const second = later(first, 100, { ...removed, applied, runs: [over(exited(0))] });
    expect(told(second)).toEqual(['clean_up 0']);
    expect(told(later(second, 200, removed))).toEqual(['forget']);
  });

  it('nothing is forgotten of a service that is only stopped, disabled, or ended with everything', () => {
    expect(told(deciding({ intent: STOPPED }))).toEqual([]);
    expect(told(deciding({ desired: defined({ spec: { enabled: false } }) }))).toEqual([]);
    expect(told(deciding({ ending: { reason: 'signal_term', hurry: false } }))).toEqual([]);
  });
});

describe('live update', () => {
  const desired = defined({ spec: { resources: { max_memory: 1024 } } });

  it('is one action that touches no process', () => {
    expect(deciding({ desired, applied: { a: spec() }, runs: [run()] }).actions).toEqual([
      { do: 'apply_live', service: WEB, because: 'live fields changed' },
    ]);
  });

  it('happens only when live fields differ from what was applied', () => {
    expect(told(deciding({ desired, runs: [run()] }))).toEqual([]);
  });
});
