/** When has a command been fulfilled? */
import { describe, expect, test } from 'vitest';
import { fulfilment } from '../../src/daemon/commands.ts';
import { goalOutcome } from '../../src/daemon/goal.ts';
import { type Glance, isDown, isReloaded, isTriggered, isUp, isUpItself } from '../../src/daemon/outcome.ts';
import { type Exit, NO_RUN } from '../../src/model/memory.ts';
import type { Outcome } from '../../src/model/observed.ts';
import { PROOF_OF_LIFE } from '../../src/policy/rollout.ts';
import type { SlotPhase } from '../../src/reconcile/situation.ts';
import {
  type DefinedChanges,
  defined,
  exited,
  memory,
  NOW,
  over,
  problem,
  run,
  runKey,
  schedule,
  seen,
  slot,
  unseen,
} from '../builders.ts';

const RUN = runKey({ age: 10_000 });

function glance(slots: readonly SlotPhase[], more: Partial<Glance> = {}): Glance {
  return {
    desired: defined({ spec: { instances: slots.length } }),
    intent: {},
    ending: undefined,
    now: NOW,
    memory: memory(),
    decision: { actions: [], memory: memory(), slots, notices: [], wakeAt: undefined, wakeFrom: undefined },
    ...more,
  };
}

const running = (more: Partial<Extract<SlotPhase, { phase: 'running' }>> = {}): SlotPhase => ({
  slot: 0,
  phase: 'running',
  run: RUN,
  outdated: false,
  mainEnded: false,
  ready: true,
  health: '',
  rejected: null,
  ...more,
});

describe('a script waits for what the loop leaves alone', () => {
  const held = { intent: { held: { by: 'bob', at: NOW - 1000 } } };
  const wait = (goal: 'ready' | 'completed', slots: readonly SlotPhase[], more: Partial<Glance> = {}) =>
    goalOutcome(goal, glance(slots, { ...held, ...more }), () => seen()).result;

  test('what is held and serves is ready, also by an older definition', () => {
    expect(wait('ready', [running(), running({ slot: 1, outdated: true })])).toBe('done');
    expect(wait('ready', [running()], { intent: {}, desired: undefined })).toBe('done');
  });

  test('not when one of it is missing, not ready or not looked at', () => {
    const two = { desired: defined({ spec: { instances: 2 } }) };
    expect(wait('ready', [running()], two)).toBe('pending');
    expect(wait('ready', [running(), running({ slot: 1, ready: false })])).toBe('pending');
    expect(wait('ready', [running(), running()], two)).toBe('pending');
    expect(wait('ready', [])).toBe('pending');
    expect(wait('ready', [running()], { decision: undefined })).toBe('pending');
  });

  test('what has completed has completed', () => {
    const completed: SlotPhase = { slot: 0, phase: 'completed', reason: 'completed with code 0' };
    expect(wait('completed', [completed])).toBe('done');
    expect(wait('ready', [completed])).toBe('pending');
    expect(wait('completed', [running()])).toBe('pending');
  });
});

describe('a start is fulfilled', () => {
  test('when every instance has lived for a while', () => {
    expect(isUp(glance([running(), running({ slot: 1 })]))).toMatchObject({ result: 'done' });
  });

  test('not before: and it says when to ask again', () => {
    const young = runKey({ age: 100 });
    expect(isUp(glance([running({ run: young })]))).toMatchObject({
      result: 'pending',
      again: PROOF_OF_LIFE - 100,
    });
  });

  describe('with rollout.min_ready', () => {
    const desired = defined({ spec: { rollout: { ...defined().spec.rollout, min_ready: 8000 } } });
    const readyFor = (time: number) =>
      glance([running()], {
        desired,
        memory: memory({ runs: { [RUN.id]: { ...NO_RUN, readySince: NOW - time } } }),
      });

    test('not before it has been ready for as long: and it says when to ask again', () => {
      const pending = { result: 'pending', detail: 'instance 0 is ready for 3s of 8s', again: 5000 };
      expect(isUp(readyFor(3000))).toEqual(pending);
      expect(isUp(readyFor(7999))).toMatchObject({ result: 'pending', again: 1 });
    });

    test('from then on, to the millisecond', () => {
      expect(isUp(readyFor(8000))).toMatchObject({ result: 'done' });
    });

    test('also when the clock was set back meanwhile', () => {
      expect(isUp(readyFor(-60_000))).toMatchObject({ result: 'done' });
    });
  });

  test('not while an instance runs an older definition', () => {
    expect(isUp(glance([running({ outdated: true })]))).toMatchObject({ result: 'pending' });
  });

  test('not while another decision is due', () => {
    expect(isUp(glance([running()], { decision: undefined }))).toMatchObject({ result: 'pending' });
  });

  test('never when its file went meanwhile, which is told at once', () => {
    const gone = { desired: undefined, decision: undefined };
    expect(isUp(glance([], gone))).toEqual({ result: 'failed', detail: 'its file is gone' });
    expect(isTriggered(glance([], gone))).toEqual({ result: 'failed', detail: 'its file is gone' });
    const kept = glance([running()], { desired: undefined });
    expect(isUp(kept)).toMatchObject({ result: 'failed', detail: expect.stringContaining('--prune') });
  });

  test('when a one-shot has completed', () => {
    const completed: SlotPhase = { slot: 0, phase: 'completed', reason: 'completed with code 0' };
    expect(isUp(glance([completed]))).toEqual({ result: 'done', detail: 'completed with code 0' });
  });

  test('not while a one-shot runs, however long; for a script that waits for it to be ready it is enough', () => {
    const oneShot = { desired: defined({ spec: { process: { type: 'oneshot' } } }) };
    const old = glance([running({ run: runKey({ age: 3600_000 }) })], oneShot);
    expect(isUp(old)).toEqual({ result: 'pending', detail: 'instance 0 runs, and has not completed yet' });
    expect(goalOutcome('completed', old, () => seen())).toMatchObject({ result: 'pending' });
    expect(goalOutcome('ready', old, () => seen())).toMatchObject({ result: 'done' });
  });

  test('when a run of a schedule goes on: that it ends is not waited for', () => {
    const process = { type: 'oneshot', schedule: schedule('0 3 * * *') } as const;
    expect(isUp(glance([running()], { desired: defined({ spec: { process } }) }))).toMatchObject({
      result: 'done',
    });
  });

  test('of a one-shot that reloads in place when it was told, of any other when the new run has completed', () => {
    const reloads = (reload_signal: 'SIGHUP' | null) =>
      defined({ spec: { process: { type: 'oneshot', reload_signal } } });
    expect(isReloaded(glance([running()], { desired: reloads('SIGHUP') }))).toMatchObject({ result: 'done' });
    expect(isReloaded(glance([running()], { desired: reloads(null) }))).toMatchObject({ result: 'pending' });
  });

  test('never, when what it depends on has failed; of that it is not itself to blame', () => {
    const reason = 'db has failed: exited with code 3';
    const waiting: SlotPhase = { slot: 0, phase: 'waiting', reason, away: true, dueToFailure: true };
    const heldBack = { why: reason, away: true, dueToFailure: true } as const;
    const older = running({ outdated: true, heldBack });
    expect(isUp(glance([waiting]))).toEqual({ result: 'failed', detail: `not started, because ${reason}` });
    expect(isUp(glance([older]))).toEqual({
      result: 'failed',
      detail: `instance 0 waits to be replaced because ${reason}`,
      kept: true,
    });
    for (const phase of [waiting, older]) {
      expect(isUpItself(glance([phase]))).toMatchObject({ result: 'pending' });
      expect(goalOutcome('ready', glance([phase]), () => seen())).toMatchObject({ result: 'pending' });
    }
  });

  test('not yet, when what it depends on is stopped, or on its way', () => {
    for (const away of [true, false]) {
      const waiting: SlotPhase = { slot: 0, phase: 'waiting', reason: 'db is not started', away };
      expect(isUp(glance([waiting]))).toEqual({ result: 'pending', detail: 'db is not started' });
    }
  });

  test('not while a service that it depends on keeps it from being replaced, which is named', () => {
    const heldBack = { why: 'db is not started: stopped by bob', away: true };
    expect(isUp(glance([running({ outdated: true, heldBack })]))).toEqual({
      result: 'pending',
      detail: 'instance 0 waits to be replaced because db is not started: stopped by bob',
    });
  });

  test('when a job waits for its time, which is told', () => {
    const scheduled: SlotPhase = { slot: 0, phase: 'scheduled' };
    const nextRun = () => Date.parse('2026-11-22T00:09:00Z');
    expect(isUp(glance([scheduled], { nextRun }))).toEqual({
      result: 'done',
      detail: 'scheduled, next run at 2026-11-22T00:09:00.000Z',
    });
    expect(isUp(glance([scheduled], { nextRun: () => undefined }))).toEqual({
      result: 'done',
      detail: 'scheduled, no further time',
    });
  });

  test('when no instances are wanted and none is left', () => {
    expect(isUp(glance([]))).toEqual({ result: 'done', detail: 'nothing runs: no instances are wanted' });
    const stopping: SlotPhase = { slot: 0, phase: 'stopping', run: RUN, until: null, blocked: false };
    const none = { desired: defined({ spec: { instances: 0 } }) };
    expect(isUp(glance([stopping], none))).toMatchObject({ result: 'pending' });
  });

  test('never, once an instance failed, however many others are still on their way', () => {
    const backoff: SlotPhase = { slot: 1, phase: 'backoff', until: NOW + 1, reason: 'exited with code 3' };
    expect(isUp(glance([running({ outdated: true }), backoff]))).toMatchObject({
      result: 'failed',
      detail: expect.stringContaining('exited with code 3'),
    });
  });

  test('never, when nothing is wanted', () => {
    const stopped = { stopped: { by: 'ann', at: NOW } };
    expect(isUp(glance([running()], { intent: stopped }))).toMatchObject({
      result: 'failed',
      detail: 'stopped by ann',
    });
  });
});

describe('a stop is fulfilled', () => {
  const stopping: SlotPhase = { slot: 0, phase: 'stopping', run: RUN, until: null, blocked: false };
  const never = () => {
    throw new Error('the kernel is not asked while the last decision knows of a run');
  };

  test('when neither the last decision nor the kernel knows of a run', () => {
    expect(isDown(glance([]), () => seen())).toMatchObject({ result: 'done' });
    expect(isDown(glance([]), () => seen(over(exited(0))))).toMatchObject({ result: 'done' });
  });

  test('and tells when it took SIGKILL, and only of this stop', () => {
    const exit = (by: 'stop' | 'itself', signal: 'SIGKILL' | 'SIGTERM', at = NOW) =>
      ({ outcome: { kind: 'signaled', signal, oom: false }, at, by, run: null, uptime: 1 }) as const;
    const told = (last: ReturnType<typeof exit>, intent: Glance['intent']) =>
      isDown(glance([], { intent, memory: memory({ slots: { 1: slot({ exits: [last] }) } }) }), () => seen());
    const stopped = { stopped: { by: 'al', at: NOW - 10 } };
    const [plain, killed] = ['nothing of it runs', 'nothing of it runs; it took SIGKILL'];
    expect(told(exit('stop', 'SIGKILL'), stopped)).toEqual({ result: 'done', detail: killed });
    expect(told(exit('stop', 'SIGTERM'), stopped)).toEqual({ result: 'done', detail: plain });
    expect(told(exit('itself', 'SIGKILL'), stopped)).toEqual({ result: 'done', detail: plain });
    expect(told(exit('stop', 'SIGKILL', NOW - 11), stopped)).toEqual({ result: 'done', detail: plain });
    expect(told(exit('stop', 'SIGKILL'), {})).toEqual({ result: 'done', detail: plain });
  });

  test('not while a run is being stopped', () => {
    expect(isDown(glance([stopping]), never)).toMatchObject({ result: 'pending' });
  });

  test('not while the kernel still sees one', () => {
    expect(isDown(glance([]), () => seen(run()))).toMatchObject({ result: 'pending' });
  });

  test('not before its end is noted, though nothing of it runs any more', () => {
    const due = { decision: undefined, due: true } as const;
    expect(isDown(glance([], due), never)).toMatchObject({ result: 'pending' });
    expect(isDown(glance([], { decision: undefined }), () => seen())).toMatchObject({ result: 'done' });
  });

  test('not while the kernel cannot be asked', () => {
    expect(isDown(glance([]), () => unseen())).toMatchObject({ result: 'pending' });
  });

  test('never, when a process survives SIGKILL', () => {
    expect(isDown(glance([{ ...stopping, blocked: true }]), never)).toMatchObject({ result: 'failed' });
  });
});

describe('what is told of a reload', () => {
  const look = () => seen();
  const reloaded = (change: NonNullable<DefinedChanges['spec']>, slots: readonly SlotPhase[] = [running()]) =>
    fulfilment('reload', glance(slots, { desired: defined({ spec: change }) }), look);

  test.each([
    ['reload_signal', { reload_signal: 'SIGHUP' }, 'told to reload, 1/1 running'],
    ['reload_command', { reload_command: ['nginx', '-s', 'reload'] }, 'told to reload, 1/1 running'],
    ['neither', {}, 'replaced, 1/1 running'],
  ] as const)('with %s', (_, process, detail) => {
    expect(reloaded({ process })).toEqual({ result: 'done', detail });
  });

  test('where nothing runs, nothing was told or replaced', () => {
    const completed: SlotPhase = { slot: 0, phase: 'completed', reason: 'completed with code 0' };
    expect(reloaded({}, [completed])).toEqual({ result: 'done', detail: 'completed with code 0' });
  });
});

test.each([
  [{}, 'nothing is started: config.d/web.yaml says instances: 0'],
  [
    { scale: { instances: 0, file: 2, by: 'al', at: 0 } },
    'nothing is started: it is scaled to 0 instances by al; pmctl scale web 1 starts one',
  ],
])('of a service of which none is wanted, a start says why nothing comes of it: %j', (intent, detail) => {
  const none = glance([], { desired: defined({ spec: { instances: 0 } }), intent });
  for (const verb of ['start', 'restart'] as const) {
    expect(fulfilment(verb, none, () => seen())).toEqual({ result: 'failed', detail });
  }
});

test('of a release it is told what that means', () => {
  const released = fulfilment('release', glance([running()]), () => seen());
  expect(released).toEqual({ result: 'done', detail: 'its file is followed again' });
});

describe('a triggered run that has ended', () => {
  const ended = (outcome: Outcome, uptime: number) => {
    const exit: Exit = { outcome, at: NOW, by: 'itself', run: null, uptime };
    const slots = { 0: slot({ exits: [exit] }) };
    return isTriggered(glance([{ slot: 0, phase: 'scheduled' }], { memory: memory({ slots }) }));
  };

  test('is told with how long it took', () => {
    expect(ended(exited(3), 2000)).toEqual({
      result: 'failed',
      detail: expect.stringMatching(/^exited with code 3 after 2/),
    });
  });

  test('that never ran took no time', () => {
    expect(
      ended({ kind: 'not_started', problem: problem({ message: '/x/backup.sh does not exist' }) }, 0),
    ).toEqual({
      result: 'failed',
      detail: expect.stringMatching(/\/x\/backup\.sh does not exist$/),
    });
  });
});
