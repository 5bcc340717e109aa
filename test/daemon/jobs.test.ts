import { describe, expect, it } from 'vitest';
import { Jobs } from '../../src/daemon/jobs.ts';
import type { Memory } from '../../src/model/memory.ts';
import { type RunId, runId } from '../../src/model/names.ts';
import type { ScheduleSpec } from '../../src/model/spec.ts';
import {
  defined,
  exited,
  mainEnded,
  memory,
  NOW,
  over,
  run,
  type SituationChanges,
  schedule,
  situation,
} from '../builders.ts';

const SCHEDULE = schedule('* * * * *');
const MINUTE = 60_000;

it('knows the next time of a service that has a schedule', () => {
  const jobs = new Jobs(() => 'UTC');
  const next = (cron: string, at: string) => {
    const desired = defined({ spec: { process: { schedule: { ...SCHEDULE, cron } } } });
    return jobs.next(desired, Date.parse(at));
  };
  expect(next('5 * * * *', '2026-11-22T10:00:00Z')).toBe(Date.parse('2026-11-22T10:05:00Z'));
  expect(jobs.next(defined(), NOW)).toBeUndefined();
});

/** A job that is looked at every now and then, by one daemon or several. */
function job(changes: Partial<ScheduleSpec> = {}) {
  const desired = defined({ spec: { process: { schedule: { ...SCHEDULE, ...changes } } } });
  let remembered: Memory = memory();
  let runs = 0;
  return {
    desired,
    get memory(): Memory {
      return remembered;
    },
    forget: (): void => {
      remembered = memory();
    },
    look(now: number, more: SituationChanges = {}) {
      const newRun = (): RunId => runId(now, `run${++runs}`);
      const step = new Jobs(() => 'UTC').step(
        { ...situation({ desired, ...more, memory: {} }), memory: remembered, now },
        newRun,
      );
      remembered = step.memory;
      return step;
    },
    started(): void {
      remembered = { ...remembered, due: null };
    },
  };
}

const NEXT = Math.ceil((NOW + 1) / MINUTE) * MINUTE;

it('gives the run of each time an identity before it is started, once', () => {
  const one = job();
  expect(one.look(NOW)).toMatchObject({ fired: false, wakeAt: NEXT, memory: { due: null } });
  expect(one.look(NEXT)).toMatchObject({ fired: true, memory: { due: { slot: NEXT } } });
  const due = one.memory.due?.run;
  // A daemon that died before the start finds the same run still to be started.
  expect(one.look(NEXT + 5)).toMatchObject({ fired: false });
  expect(one.memory.due?.run).toBe(due);
  one.started();
  expect(one.look(NEXT + 6)).toMatchObject({ fired: false, memory: { due: null } });
  expect(one.look(NEXT + MINUTE)).toMatchObject({ fired: true });
});

it('takes a run that is there for the one that was to be started', () => {
  const one = job();
  one.look(NOW);
  one.look(NEXT);
  const id = one.memory.due?.run as RunId;
  expect(one.look(NEXT + 100, { runs: [{ ...run(), key: { ...run().key, id } }] })).toMatchObject({
    fired: false,
    memory: { due: null },
  });
});

it('starts nothing while it is stopped, and makes up for nothing afterwards', () => {
  const one = job();
  one.look(NOW);
  const stopped = { intent: { stopped: { by: 'bob', at: NOW } } };
  expect(one.look(NEXT, stopped)).toMatchObject({ fired: false, wakeAt: undefined, memory: { due: null } });
  expect(one.look(NEXT + MINUTE / 2)).toMatchObject({ fired: false, memory: { due: null } });
});

it('starts nothing while nobody can see what runs', () => {
  const one = job();
  one.look(NOW);
  const observed = {
    kind: 'unseen',
    problem: { code: 'observe-failed', severity: 'error', message: '' },
  } as const;
  expect(one.look(NEXT, { observed })).toMatchObject({ fired: false, memory: { due: null } });
});

it('follows each trigger with one run, after the one that goes on', () => {
  const one = job({ cron: '0 0 1 1 *' });
  one.look(NOW - 1);
  const intent = { triggers: 1 };
  expect(one.look(NOW, { intent, runs: [run()] })).toMatchObject({ fired: false });
  expect(one.look(NOW + 1, { intent })).toMatchObject({
    fired: true,
    memory: { due: { slot: null }, triggered: 1 },
  });
  one.started();
  expect(one.look(NOW + 2, { intent })).toMatchObject({ fired: false, memory: { due: null } });
});

it('forgets its times when it is no job any more', () => {
  const one = job();
  one.look(NOW);
  expect(one.memory.job).not.toBeNull();
  one.look(NOW + 1, { desired: defined() });
  expect(one.memory.job).toBeNull();
});

it('fires nothing of the past with a lost memory', () => {
  const one = job({ missed: 'once' });
  one.look(NOW);
  one.forget();
  expect(one.look(NEXT + 10 * MINUTE + 1)).toMatchObject({ fired: false });
});

it.each(['skip', 'queue'] as const)(
  'a run that ended while no daemon ran keeps no time waiting: %s',
  (overlap) => {
    const one = job({ missed: 'once', overlap });
    one.look(NOW);
    const ended = over(exited(0), { adopted: true });
    expect(one.look(NEXT + 2 * MINUTE + 30_000, { runs: [ended] })).toMatchObject({
      fired: true,
      memory: { due: { slot: NEXT + 2 * MINUTE }, job: { skipped: { missed: 2, running: 0 } } },
    });
  },
);

it.each([
  ['a run that goes on', run()],
  ['what is left of one', mainEnded(exited(1))],
  [
    'a place whose launcher may be on its way',
    run({ everRan: false, members: 'none', main: { is: 'unknown' } }),
  ],
])('a time that comes is skipped for %s', (_, last) => {
  const one = job();
  one.look(NOW);
  expect(one.look(NEXT, { runs: [last] })).toMatchObject({
    fired: false,
    memory: { job: { skipped: { running: 1 } } },
  });
});

describe('a time that waits for a dependency', () => {
  const END = NEXT + MINUTE / 2;
  /** Late by no more than this, it is merely late. */
  const LATEST = END + 10_000;

  it('is missed when nothing may start any more', () => {
    const one = job({ not_after: END });
    one.look(NOW);
    expect(one.look(NEXT)).toMatchObject({ fired: true, wakeAt: LATEST + 1 });
    expect(one.look(LATEST)).toMatchObject({ memory: { due: { slot: NEXT } }, wakeAt: LATEST + 1 });
    expect(one.look(LATEST + 1)).toMatchObject({
      fired: false,
      wakeAt: undefined,
      memory: { due: null, job: { skipped: { missed: 1, running: 0 } } },
    });
  });

  it('is missed as soon as the file says so', () => {
    const one = job();
    one.look(NOW);
    one.look(NEXT);
    const later = schedule('* * * * *', { not_before: NEXT + 1 });
    const desired = defined({ spec: { process: { schedule: later } } });
    expect(one.look(NEXT + 5, { desired })).toMatchObject({ memory: { due: null } });
  });

  it('is waited for as long as it takes where no end is set, and always when it was asked for by hand', () => {
    const one = job();
    one.look(NOW);
    one.look(NEXT);
    expect(one.look(NEXT + 60 * MINUTE)).toMatchObject({ memory: { due: { slot: NEXT } } });
    const byHand = job({ not_after: END });
    byHand.look(NOW);
    const intent = { triggers: 1 };
    expect(byHand.look(NOW + 1, { intent })).toMatchObject({ fired: true, memory: { due: { slot: null } } });
    expect(byHand.look(LATEST + 1, { intent })).toMatchObject({ memory: { due: { slot: null } } });
  });

  it('is no more waited for, but started: what its launcher becomes is not known yet', () => {
    const one = job({ not_after: END });
    one.look(NOW);
    one.look(NEXT);
    const id = one.memory.due?.run as RunId;
    const unborn = run({ everRan: false, members: 'none', main: { is: 'unknown' } });
    expect(one.look(LATEST + 1, { runs: [{ ...unborn, key: { ...unborn.key, id } }] })).toMatchObject({
      memory: { due: { slot: NEXT, before: id } },
    });
    expect(one.look(LATEST + 2)).toMatchObject({ memory: { due: null } });
  });
});
