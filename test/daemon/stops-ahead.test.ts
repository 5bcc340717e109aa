import { describe, expect, it } from 'vitest';
import { stopsAhead } from '../../src/daemon/stops-ahead.ts';
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
  const begun = runsRemembered([RUN, { stop: stopProgress({ since: NOW - 40_000 }) }]);

  it('keeps its progress when it goes on to SIGKILL, and has no need of the disk', () => {
    const about = stopping({ process: { type: 'oneshot' } }, { memory: { runs: begun } });
    expect(decide(about).actions).toMatchObject([{ do: 'kill' }]);
    const { memory, must } = ahead(about);
    expect(memory.runs[RUN.key.id]?.stop?.step).toBe('kill');
    expect(must).toBe(false);
  });
});
