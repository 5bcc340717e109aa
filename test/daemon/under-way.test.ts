/** Which services does an update wait for of which nothing is left to be begun? */
import { beforeEach, describe, expect, test } from 'vitest';
import type { UpdateRequest, UpdateView } from '../../src/api/changes.ts';
import type { Glance } from '../../src/daemon/outcome.ts';
import { Reconciling } from '../../src/daemon/reconciling.ts';
import { underWay } from '../../src/daemon/under-way.ts';
import { NO_RUN } from '../../src/model/memory.ts';
import { PROOF_OF_LIFE } from '../../src/policy/rollout.ts';
import type { SlotPhase } from '../../src/reconcile/situation.ts';
import {
  type DefinedChanges,
  defined,
  exited,
  memory,
  NOW,
  runKey,
  schedule,
  slot,
  WEB,
} from '../builders.ts';
import { GOOD } from '../twins/program.ts';
import { SmallDaemon } from './small-daemon.ts';

const TIMEOUT = defined().spec.rollout.timeout;
/** The newest generation; slot 0 was filled with it first. */
const KNOWN = { generation: 2, slots: { 0: slot({ generation: 2 }) } };

function isUnderWay(phases: readonly SlotPhase[], more: Partial<Glance> = {}): boolean {
  const decision = {
    ...{ actions: [], memory: memory(), slots: phases, notices: [] },
    ...{ wakeAt: undefined, wakeFrom: undefined },
  };
  const loop = {
    names: () => [WEB],
    // Everything is due again.
    glance: (): Glance => ({
      ...{ desired: defined(), intent: {}, ending: undefined, now: NOW, memory: memory(KNOWN) },
      ...{ decision: undefined, due: true, ...more },
    }),
    decision: () => decision,
  };
  return underWay(loop, []).length > 0;
}

function running(age: number, more: Partial<Extract<SlotPhase, { phase: 'running' }>> = {}): SlotPhase {
  return {
    ...{ slot: 0, phase: 'running', run: runKey({ age, generation: 2 }), outdated: false },
    ...{ mainEnded: false, ready: true, health: '', rejected: null, ...more },
  };
}

function stopping(
  generation: number,
  more: Partial<Extract<SlotPhase, { phase: 'stopping' }>> = {},
): SlotPhase {
  return {
    ...{ slot: 0, phase: 'stopping', run: runKey({ generation }), until: null, blocked: false },
    ...more,
  };
}

const STARTING: SlotPhase = { slot: 0, phase: 'starting' };
const FAILED: SlotPhase = { slot: 1, phase: 'failed', reason: 'exited with code 3', retryAt: null };
const ONE_SHOT = { desired: defined({ spec: { process: { type: 'oneshot' } } }) };
const JOB = {
  desired: defined({ spec: { process: { type: 'oneshot', schedule: schedule('0 3 * * *') } } }),
};
const STOPPED = { intent: { stopped: { by: 'bob', at: NOW } } };
const HELD = { intent: { held: { by: 'bob', at: NOW } } };
const DISABLED = { desired: defined({ spec: { enabled: false } }) };
const CAME_BACK = { memory: memory({ generation: 2, slots: { 0: slot({ generation: 2, restarts: 1 }) } }) };
const CRASHED_BEFORE = {
  memory: memory({ generation: 2, slots: { 0: slot({ generation: 1, restarts: 1 }) } }),
};
const WAS_READY = {
  memory: memory({ ...KNOWN, runs: { [runKey({ age: 9000 }).id]: { ...NO_RUN, everReady: true } } }),
};

const MIN_READY = 8000;
const PATIENT = defined({ spec: { rollout: { ...defined().spec.rollout, min_ready: MIN_READY } } });

/** It has been ready for so long, and is to be so for `min_ready`. */
function readyFor(time: number, age: number): Partial<Glance> {
  const runs = { [runKey({ age }).id]: { ...NO_RUN, everReady: true, readySince: NOW - time } };
  return { desired: PATIENT, memory: memory({ ...KNOWN, runs }) };
}

describe('by the last decision', () => {
  test.each<[string, readonly SlotPhase[], Partial<Glance>?]>([
    ['one that is being replaced', [stopping(1)]],
    ['one that is being replaced and had crashed before', [stopping(1)], CRASHED_BEFORE],
    ['one that is starting', [STARTING]],
    ['one that was just started', [running(PROOF_OF_LIFE - 1)]],
    ['one that is not ready for long enough', [running(9000)], readyFor(MIN_READY - 1, 9000)],
    ['one that is not ready yet', [running(TIMEOUT - 1, { ready: false })]],
    ['a one-shot that runs', [running(TIMEOUT - 1)], ONE_SHOT],
    ['an instance that is too many', [running(9000), stopping(2, { slot: 1 })]],
    ['one that its file disables', [stopping(2)], DISABLED],
    [
      'one whose removal is approved',
      [stopping(2)],
      { desired: undefined, intent: { removalApproved: true } },
    ],
  ])('%s is under way', (_, phases, more) => {
    expect(isUnderWay(phases, more)).toBe(true);
  });

  test.each<[string, readonly SlotPhase[], Partial<Glance>?]>([
    ['one that is up', [running(PROOF_OF_LIFE)]],
    ['one that is ready for long enough', [running(9000)], readyFor(MIN_READY, 9000)],
    [
      'one that is ready again after a while',
      [running(TIMEOUT + MIN_READY)],
      readyFor(1, TIMEOUT + MIN_READY),
    ],
    ['one that was started before the clock was set back', [running(-5000, { ready: false })]],
    ['one that is not ready in time', [running(TIMEOUT, { ready: false })]],
    ['one that was ready, and is not for a while', [running(9000, { ready: false })], WAS_READY],
    ['a one-shot that runs for long', [running(TIMEOUT)], ONE_SHOT],
    ['a run of a schedule', [running(1)], JOB],
    ['one that came back after a crash', [running(1)], CAME_BACK],
    ['one that comes back after a crash', [STARTING], CAME_BACK],
    ['one that is stopped because it is not well', [stopping(2)]],
    ['one that cannot be stopped', [stopping(1, { blocked: true })]],
    ['one that is disabled and cannot be stopped', [stopping(2, { blocked: true })], DISABLED],
    ['one that ends with the daemon', [stopping(2)], { ending: { reason: 'signal_term', hurry: false } }],
    ['one that goes on as it was before', [running(1, { outdated: true })]],
    [
      'one of which an instance has failed',
      [STARTING, FAILED],
      { desired: defined({ spec: { instances: 2 } }) },
    ],
    ['one that somebody stops', [stopping(2)], STOPPED],
    ['one that somebody holds', [STARTING], HELD],
    ['one that waits for another', [{ slot: 0, phase: 'waiting', reason: 'db is not ready' }]],
  ])('%s is not', (_, phases, more) => {
    expect(isUnderWay(phases, more)).toBe(false);
  });

  test('one of which a failure of this definition is noted is not', () => {
    const desired = defined({ spec: { instances: 2 } });
    const exit = { outcome: exited(3), at: NOW, by: 'itself', run: null, uptime: 5 } as const;
    const next = { at: NOW + 1000, delay: 1000, digest: desired.digest, pardon: 0 };
    const slots = { 0: slot({ generation: 2 }), 1: slot({ generation: 2, next, exits: [exit] }) };
    const failed = { desired, memory: memory({ generation: 2, slots }) };
    expect(isUnderWay([STARTING], failed)).toBe(false);
    // The place of the one that failed is wanted no longer.
    const scale = { by: 'bob', at: NOW, instances: 1, file: 2 };
    expect(isUnderWay([STARTING], { ...failed, intent: { scale } })).toBe(true);
  });
});

describe('an update after the watch', () => {
  let daemon: SmallDaemon;
  let reconciling: Reconciling;
  const ASKED: UpdateRequest = { services: [], prune: false, wait: 20_000, by: 'bob' };
  const ONE_AT_A_TIME = (command: string): DefinedChanges['spec'] => ({
    process: { command: [command] },
    rollout: { surge: 0 },
  });

  beforeEach(async () => {
    daemon = new SmallDaemon();
    daemon.install('/slow', { ...GOOD, onStop: { how: 'dies', after: 3000, code: 0 } });
    daemon.install('/nosuch', { ...GOOD, there: false });
    daemon.install('/unready', { ...GOOD, health: { ...GOOD.health, readyAfter: null } });
    const { loop, clock } = daemon;
    reconciling = new Reconciling({ world: { clock }, loop, followed: () => {}, manager: () => {} });
    daemon.save('a');
    daemon.save('slow', ONE_AT_A_TIME('/slow'));
    daemon.loop.reload();
    daemon.pass(5000);
  });

  /** It is in the middle of being replaced. */
  function watched(command: string): void {
    daemon.save('slow', ONE_AT_A_TIME(command), 'b');
    void reconciling.reconcile({ services: [], prune: false, wait: 60_000 }, 'watch');
    daemon.pass(500);
    expect(daemon.running()).toEqual(['a', 'slow']);
    expect(reconciling.diff().changes).toEqual([]);
  }

  async function answered(more: Partial<UpdateRequest> = {}): Promise<UpdateView | undefined> {
    let view: UpdateView | undefined;
    void reconciling.reconcile({ ...ASKED, ...more }, 'update').then((answer) => {
      view = answer;
    });
    await new Promise(setImmediate);
    return view;
  }

  async function later(duration: number, more: Partial<UpdateRequest> = {}): Promise<UpdateView> {
    const view = reconciling.reconcile({ ...ASKED, ...more }, 'update');
    daemon.pass(duration);
    return view;
  }

  test('tells how that ends: it fails', async () => {
    watched('/nosuch');
    expect(await answered()).toBeUndefined();
    expect(await later(5000)).toMatchObject({
      changes: [],
      unchanged: 2,
      underway: [
        { service: 'slow', result: 'failed', detail: expect.stringContaining('/nosuch does not exist') },
      ],
    });
    // From now on it has failed before.
    const again = await answered();
    expect(again).toMatchObject({ changes: [], failed: [{ service: 'slow' }] });
    expect(again).not.toHaveProperty('underway');
  });

  test('tells how that ends: it comes up', async () => {
    watched('/newer');
    const { changes, underway } = await later(10_000, { services: ['slow'] });
    expect(changes).toEqual([]);
    expect(underway).toEqual([
      { service: 'slow', result: 'done', detail: expect.stringContaining('1/1 running') },
    ]);
    const again = await answered();
    expect(again).toMatchObject({ changes: [] });
    expect(again).not.toHaveProperty('underway');
  });

  test('tells that it has not ended in time', async () => {
    watched('/newer');
    const { underway } = await later(2000, { wait: 1000 });
    expect(underway).toMatchObject([{ service: 'slow', result: 'pending' }]);
  });

  test.each<[string, Partial<UpdateRequest>]>([
    ['another service is named', { services: ['a'] }],
    ['nobody waits', { wait: 0 }],
  ])('does not wait where %s', async (_, more) => {
    watched('/nosuch');
    const view = await answered(more);
    expect(view).toMatchObject({ changes: [] });
    expect(view).not.toHaveProperty('underway');
  });

  test('waits for one that is stopped by its file', async () => {
    daemon.save('slow', { ...ONE_AT_A_TIME('/slow'), enabled: false });
    void reconciling.reconcile({ services: [], prune: false, wait: 60_000 }, 'watch');
    daemon.pass(500);
    const { underway } = await later(5000);
    expect(underway).toEqual([{ service: 'slow', result: 'done', detail: 'nothing of it runs' }]);
  });

  test('waits for it also where its own change of the service touches no process', async () => {
    watched('/nosuch');
    daemon.save('slow', { ...ONE_AT_A_TIME('/nosuch'), description: 'newer' }, 'b');
    expect(await later(5000)).toMatchObject({
      changes: [{ service: 'slow', action: 'define', result: 'done' }],
      underway: [{ service: 'slow', result: 'failed' }],
    });
  });
});
