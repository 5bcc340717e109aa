import { describe, expect, it } from 'vitest';
import { stopsAhead } from '../../src/daemon/stops-ahead.ts';
import { nextStopStep, stopSettings } from '../../src/policy/stop.ts';
import { decide } from '../../src/reconcile/decide.ts';
import type { Situation } from '../../src/reconcile/situation.ts';
import {
  type DefinedChanges,
  defined,
  NOW,
  run,
  runsRemembered,
  situation,
  stopProgress,
} from '../builders.ts';

const RUN = run();

const PRE_STOP = { command: ['sleep', '1'], timeout: 5000 };

/** One run whose service was stopped by hand. */
function stopping(
  spec: DefinedChanges['spec'],
  changes: Partial<Parameters<typeof situation>[0]> = {},
): Situation {
  const desired = defined(spec === undefined ? {} : { spec });
  return situation({ desired, runs: [RUN], intent: { stopped: { by: 'bob', at: NOW } }, ...changes });
}

function ahead(about: Situation): ReturnType<typeof stopsAhead> {
  return stopsAhead(decide(about), about);
}

describe('a stop that begins', () => {
  it('is only due in what is written before it', () => {
    const { memory } = ahead(stopping({}));
    expect(memory.runs[RUN.key.id]?.stop).toMatchObject({
      step: 'due',
      since: NOW,
      reason: 'stop_requested',
    });
  });

  it.each([
    ['a one-shot', { process: { type: 'oneshot' } }, true],
    ['a service that is never restarted', { restart_policy: { policy: 'never' } }, true],
    ['a service that is restarted after a failure', { restart_policy: { policy: 'on_failure' } }, false],
    ['a service that is always restarted', {}, false],
  ] as const)('of %s: is it on disk before the signal is sent?', (_, spec, must) => {
    expect(ahead(stopping(spec)).must).toBe(must);
  });
});

describe('a stop that has begun before', () => {
  it('is as it was in what is written before it goes on to SIGKILL, and has no need of the disk', () => {
    const before = stopProgress({ since: NOW - 40_000 });
    const memory = { runs: runsRemembered([RUN, { stop: before }]) };
    const about = stopping({ process: { type: 'oneshot' } }, { memory });
    expect(decide(about).actions).toMatchObject([{ do: 'kill' }]);
    expect(ahead(about)).toMatchObject({ must: false });
    expect(ahead(about).memory.runs[RUN.key.id]?.stop).toEqual(before);
  });

  it('has not sent its signal in what is written when its hook has ended', () => {
    const before = stopProgress({ since: NOW - 1000, step: 'hooked' });
    const memory = { runs: runsRemembered([RUN, { stop: before }]) };
    const about = stopping({ process: { type: 'oneshot' }, hooks: { pre_stop: PRE_STOP } }, { memory });
    expect(decide(about).actions).toMatchObject([{ do: 'signal' }]);
    const { stop } = ahead(about).memory.runs[RUN.key.id] ?? {};
    const later = nextStopStep(stop ?? null, stopSettings(defined().spec), NOW + 60_000, false);
    expect(later).toEqual({ say: 'signal' });
  });
});
