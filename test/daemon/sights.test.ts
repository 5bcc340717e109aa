/** When is something in trouble, so that somebody has to be told? */
import { describe, expect, test } from 'vitest';
import type { Glance } from '../../src/daemon/outcome.ts';
import { configurationSight, guardSight, sightsOf } from '../../src/daemon/sights.ts';
import { type Exit, NO_RUN, type RunMemory } from '../../src/model/memory.ts';
import type { Sight } from '../../src/policy/notify.ts';
import type { SlotPhase } from '../../src/reconcile/situation.ts';
import { defined, exited, memory, NOW, problem, runKey, slot } from '../builders.ts';

const RUN = runKey({ age: 60_000 });
const STABLE = defined().spec.restart_policy.stable_after;

function glance(slots: readonly SlotPhase[], more: Partial<Glance> = {}): Glance {
  return {
    desired: defined(),
    intent: {},
    ending: undefined,
    now: NOW,
    memory: readyFor(STABLE),
    decision: { actions: [], memory: memory(), slots, notices: [], wakeAt: undefined, wakeFrom: undefined },
    ...more,
  };
}

function readyFor(time: number): Glance['memory'] {
  const run: RunMemory = { ...NO_RUN, readySince: NOW - time };
  return memory({ runs: { [RUN.id]: run } });
}

const running = (more: Partial<Extract<SlotPhase, { phase: 'running' }>> = {}): SlotPhase => ({
  ...{ slot: 0, phase: 'running', run: RUN, outdated: false, mainEnded: false, ready: true },
  ...{ health: '', rejected: null },
  ...more,
});

const FAILED: SlotPhase = { slot: 0, phase: 'failed', reason: 'exited with 3', retryAt: null };
const BACKOFF: SlotPhase = { slot: 0, phase: 'backoff', until: NOW + 1000, reason: 'exited with 3' };
const SCHEDULED: SlotPhase = { slot: 0, phase: 'scheduled' };

function sight(of: 'failed' | 'rolled_back', one: Glance): Sight {
  const found = sightsOf('web', one).find(({ trouble }) => trouble === of);
  if (found === undefined) throw new Error(`nothing about ${of}`);
  return found.sight;
}

function exit(code: number, by: Exit['by'] = 'itself'): Exit {
  return { outcome: exited(code), at: NOW - 1000, by, run: null, uptime: 5 };
}

test('a service of which no instances are wanted is neither well nor in trouble', () => {
  const none = glance([], { desired: defined({ spec: { instances: 0 } }) });
  expect(sight('failed', none)).toEqual({ is: 'unwanted', detail: 'no instances are wanted' });
});

describe('a service has failed', () => {
  const scheduled = defined({
    spec: {
      process: {
        schedule: {
          cron: '* * * * *',
          tz: null,
          overlap: 'skip',
          missed: 'skip',
          jitter: 0,
          max_time_per_run: null,
        },
      },
    },
  } as never);

  test.each<[string, Glance, Sight['is']]>([
    ['one that runs and has proved itself', glance([running()]), 'well'],
    ['one that was just started', glance([running()], { memory: readyFor(STABLE - 1) }), 'unclear'],
    ['one that is not ready', glance([running({ ready: false })]), 'unclear'],
    ['one whose main process has ended', glance([running({ mainEnded: true })]), 'unclear'],
    ['one that is given up', glance([FAILED]), 'in_trouble'],
    ['one of several that is given up', glance([running(), { ...FAILED, slot: 1 }]), 'in_trouble'],
    ['one restart', glance([BACKOFF], { memory: memory({ slots: { 0: slot({ attempt: 1 }) } }) }), 'unclear'],
    [
      'so many in a row',
      glance([BACKOFF], { memory: memory({ slots: { 0: slot({ attempt: 4 }) } }) }),
      'in_trouble',
    ],
    ['one that completed', glance([{ slot: 0, phase: 'completed', reason: '' }]), 'well'],
    ['one that waits', glance([{ slot: 0, phase: 'waiting', reason: 'for db' }]), 'unclear'],
    ['one that was stopped by hand', glance([], { intent: { stopped: { by: 'bob', at: 1 } } }), 'unwanted'],
    ['one that is held', glance([FAILED], { intent: { held: { by: 'bob', at: 1 } } }), 'unclear'],
    ['one that is not decided about', glance([], { decision: undefined }), 'unclear'],
    [
      'one whose file is gone',
      glance([], { desired: undefined, intent: { removalApproved: true } }),
      'unwanted',
    ],
    ['when everything ends', glance([], { ending: { reason: 'x', hurry: false } }), 'unclear'],
    ['a job that never ran', glance([SCHEDULED], { desired: scheduled }), 'unclear'],
    [
      'a job whose last run failed',
      glance([SCHEDULED], {
        desired: scheduled,
        memory: memory({ slots: { 0: slot({ exits: [exit(1), exit(0)] }) } }),
      }),
      'in_trouble',
    ],
    [
      'a job that runs again after that',
      glance([running()], {
        desired: scheduled,
        memory: memory({ slots: { 0: slot({ exits: [exit(1)] }) } }),
      }),
      'in_trouble',
    ],
    [
      'a job whose last run succeeded',
      glance([SCHEDULED], {
        desired: scheduled,
        memory: memory({ slots: { 0: slot({ exits: [exit(0), exit(1)] }) } }),
      }),
      'well',
    ],
    [
      'a job whose time was over',
      glance([SCHEDULED], {
        desired: scheduled,
        memory: memory({ slots: { 0: slot({ exits: [exit(0, 'policy')] }) } }),
      }),
      'in_trouble',
    ],
  ])('%s', (_what, one, is) => {
    expect(sight('failed', one).is).toBe(is);
  });

  test('the message says what happened', () => {
    expect(sight('failed', glance([FAILED]))).toMatchObject({ detail: 'exited with 3; it is given up' });
  });
});

describe('a new definition was rejected', () => {
  const rejected = memory({
    rejected: { generation: 2, digest: 'd', pardon: 0, at: 77, reason: 'exited with 1', run: null },
  });

  test.each<[string, Glance, Sight['is']]>([
    ['the newest one runs', glance([running()]), 'well'],
    [
      'the old one goes on',
      glance([running({ outdated: true, rejected: 'exited with 1' })], { memory: rejected }),
      'in_trouble',
    ],
    ['a newer one is on its way', glance([running({ outdated: true })]), 'unclear'],
    ['nothing runs', glance([BACKOFF]), 'unclear'],
    ['it is stopped', glance([], { intent: { stopped: { by: 'bob', at: 1 } } }), 'unwanted'],
  ])('%s', (_what, one, is) => {
    expect(sight('rolled_back', one).is).toBe(is);
  });

  test('each rejection is an incident of its own', () => {
    const one = glance([running({ outdated: true, rejected: 'exited with 1' })], { memory: rejected });
    expect(sight('rolled_back', one)).toMatchObject({
      mark: '77',
      detail: expect.stringContaining('exited with 1'),
    });
  });
});

test('errors of the configuration count, warnings do not', () => {
  expect(configurationSight([problem({ severity: 'warning' })]).sight).toEqual({ is: 'well' });
  expect(configurationSight([problem({ message: 'wrong' }), problem()]).sight).toMatchObject({
    detail: expect.stringMatching(/wrong.* \(and 1 more\)$/),
  });
});

test('removals that are held back are named', () => {
  expect(guardSight({ held: [], reason: '' }).sight).toEqual({ is: 'well' });
  expect(guardSight({ held: ['a', 'b'], reason: 'too many' }).sight).toMatchObject({
    detail: '2 removed services left running: a, b; too many',
  });
});
