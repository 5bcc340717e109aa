/** A daemon that dies before, within or after any one of its actions leaves nothing that the next one cannot mend. */
import { describe, expect, it, test } from 'vitest';
import type { ServiceName } from '../../src/model/names.ts';
import { GOOD } from '../twins/program.ts';
import { Chance } from '../twins/random.ts';
import { drawFile } from './draw.ts';
import { report, runSteps } from './run-history.ts';
import { type FileText, QUIET } from './service-file.ts';
import type { Fate } from './simulation.ts';
import type { Step } from './steps.ts';

const WEB = 'web' as ServiceName;
const JOB = 'job' as ServiceName;

const PLAIN = drawFile(new Chance(1, 'plain'), WEB);
const PATIENT = { enabled: true, policy: 'always', maxRestarts: 5, stopGrace: 1000, backoff: 200 } as const;
const web: FileText = {
  ...PLAIN,
  ...QUIET,
  ...PATIENT,
  type: 'service',
  version: 1,
  instances: 2,
  stopCommand: false,
};
const job: FileText = { ...web, name: JOB, type: 'oneshot', instances: 1 };

/** A day in the life: start, complete, crash, roll, scale, stop, start, restart, remove. */
const DAY: readonly Step[] = [
  {
    step: 'program',
    path: '/srv/job-1-once',
    program: { ...GOOD, ends: { how: 'exit', code: 0, after: 500 } },
  },
  { step: 'add', text: web },
  { step: 'add', text: job },
  { step: 'reload', only: null },
  { step: 'wait', ms: 1500 },
  { step: 'murder', service: WEB, which: 0, signal: 'SIGSEGV' },
  { step: 'wait', ms: 1500 },
  { step: 'edit', service: WEB, change: { version: 2, stopGrace: 3000 } },
  { step: 'reload', only: null },
  { step: 'wait', ms: 1500 },
  { step: 'edit', service: WEB, change: { instances: 1, maxPids: 20 } },
  { step: 'reload', only: null },
  { step: 'wait', ms: 500 },
  { step: 'command', verb: 'stop', service: WEB },
  { step: 'wait', ms: 500 },
  { step: 'command', verb: 'start', service: WEB },
  { step: 'command', verb: 'restart', service: WEB },
  { step: 'wait', ms: 500 },
  { step: 'remove_file', service: WEB },
  { step: 'reload', only: null },
  { step: 'wait', ms: 2500 },
];

/** More calls than an undisturbed day takes; a crash that never comes does no harm. */
const CALLS = 110;

const FATES: readonly Fate['loses'][] = ['nothing', 'memory', 'everything'];

describe('a crash at any call', () => {
  it('is not needed for a day to go well', () => {
    expect(runSteps(1, DAY, undefined)?.message).toBeUndefined();
  });

  test.each(
    FATES.flatMap((loses) => (['before', 'within', 'after'] as const).map((when) => [when, loses] as const)),
  )('%s it, with the loss of %s, harms nothing', (moment, loses) => {
    for (let calls = 1; calls <= CALLS; calls++) {
      const crash: Step = { step: 'crash', calls, moment, fate: { away: 300, loses, clock: 0 } };
      const failed = runSteps(calls, [crash, ...DAY], undefined);
      if (failed !== undefined) expect.fail(`call ${calls}: ${report(failed)}`);
    }
  });
});

/** A one-shot is stopped half-way, its daemon dies, and later it is wanted again. */
function interruption(wait: number): readonly Step[] {
  return [
    {
      step: 'program',
      path: '/srv/job-1-once',
      program: { ...GOOD, ends: { how: 'exit', code: 0, after: 20_000 } },
    },
    { step: 'add', text: job },
    { step: 'reload', only: null },
    { step: 'wait', ms: 1500 },
    { step: 'edit', service: JOB, change: { enabled: false } },
    { step: 'reload', only: null },
    { step: 'wait', ms: wait },
    { step: 'die', politely: false, fate: { away: 300, loses: 'nothing', clock: 0 } },
    { step: 'wait', ms: 1000 },
    { step: 'edit', service: JOB, change: { enabled: true } },
    { step: 'reload', only: null },
  ];
}

describe('a daemon that dies while it stops a one-shot', () => {
  test.each([0, 1, 10, 100, 900])('after %s ms does not take it for complete', (wait) => {
    for (let seed = 1; seed <= 5; seed++) {
      const failed = runSteps(seed, interruption(wait), undefined);
      if (failed !== undefined) expect.fail(report(failed));
    }
  });
});
