import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  BLOCKED_AFTER,
  isBlocked,
  isLate,
  KILL_AGAIN,
  nextStopStep,
  resumed,
  type StopSettings,
  stopped,
  stopSettings,
} from '../../src/policy/stop.ts';
import { NOW, spec, stopProgress } from '../builders.ts';

const SIGNAL: StopSettings = { hook: null, command: false, signal: 'SIGTERM', grace: 30_000 };
const COMMAND: StopSettings = { ...SIGNAL, command: true };

describe('how a run is stopped', () => {
  it('follows its definition', () => {
    const own = spec({ process: { stop_signal: 'SIGQUIT', stop_grace: 2000, stop_command: ['flush'] } });
    expect(stopSettings(own)).toEqual({ hook: null, command: true, signal: 'SIGQUIT', grace: 2000 });
  });

  it('gets SIGTERM and half a minute when its definition is lost', () => {
    expect(stopSettings(undefined)).toEqual(SIGNAL);
  });
});

describe('the next step', () => {
  test.each([
    ['begins with the signal', null, SIGNAL, NOW, false, { say: 'signal' }],
    ['begins with the stop command where there is one', null, COMMAND, NOW, false, { say: 'command' }],
    ['is SIGKILL at once for somebody in a hurry', null, COMMAND, NOW, true, { say: 'kill' }],
    [
      'waits for the whole grace',
      stopProgress(),
      SIGNAL,
      NOW + 29_999,
      false,
      { say: 'wait', until: NOW + 30_000 },
    ],
    ['is SIGKILL the moment the grace is over', stopProgress(), SIGNAL, NOW + 30_000, false, { say: 'kill' }],
    [
      'the grace covers the stop command',
      stopProgress({ step: 'command' }),
      COMMAND,
      NOW + 30_000,
      false,
      { say: 'kill' },
    ],
    [
      'is the signal when the stop command failed, while there is grace left',
      stopProgress({ step: 'unsent' }),
      COMMAND,
      NOW + 29_999,
      false,
      { say: 'signal' },
    ],
    [
      'is SIGKILL when the stop command failed too late',
      stopProgress({ step: 'unsent' }),
      COMMAND,
      NOW + 30_000,
      false,
      { say: 'kill' },
    ],
    ['a hurry cuts the grace short', stopProgress(), SIGNAL, NOW + 1, true, { say: 'kill' }],
    [
      'the grace is the one that the stop began with, whatever the file says now',
      stopProgress({ grace: 1000 }),
      SIGNAL,
      NOW + 1000,
      false,
      { say: 'kill' },
    ],
    [
      'without grace, SIGKILL follows at once',
      stopProgress({ grace: 0 }),
      SIGNAL,
      NOW,
      false,
      { say: 'kill' },
    ],
    [
      'SIGKILL is not repeated at once',
      stopProgress({ step: 'kill', killedAt: NOW }),
      SIGNAL,
      NOW + KILL_AGAIN - 1,
      true,
      { say: 'wait', until: NOW + KILL_AGAIN },
    ],
    [
      'SIGKILL is repeated',
      stopProgress({ step: 'kill', killedAt: NOW }),
      SIGNAL,
      NOW + KILL_AGAIN,
      false,
      { say: 'kill' },
    ],
  ] as const)('%s', (_title, progress, settings, now, hurry, expected) => {
    expect(nextStopStep(progress, settings, now, hurry)).toEqual(expected);
  });

  it('is the pre_stop hook again where a daemon took it along, and not once it has ended', () => {
    const settings = { ...COMMAND, hook: 5000 };
    const begun = stopped(null, 'hook', settings, 'disabled', NOW);
    const later = NOW + 60_000;
    expect(nextStopStep(begun, settings, later, false, false)).toEqual({ say: 'hook' });
    const again = stopped(begun, 'hook', settings, 'something else', later);
    expect(again).toMatchObject({ reason: 'disabled', since: later, step: 'hook' });
    expect(nextStopStep(again, settings, later, false, true)).toEqual({ say: 'wait', until: later + 6000 });
    expect(nextStopStep(again, settings, later + 6000, false, true)).toEqual({ say: 'command' });
    expect(nextStopStep(again, settings, later, true, false)).toEqual({ say: 'kill' });
    const ended = { ...again, step: 'hooked' } as const;
    expect(nextStopStep(ended, settings, later, false, false)).toEqual({ say: 'command' });
    // Its definition has none any more, or is lost.
    expect(nextStopStep(begun, SIGNAL, later, false, false)).toEqual({ say: 'signal' });
    // Only now the grace begins.
    expect(stopped(ended, 'command', settings, 'disabled', later)).toMatchObject({ since: later });
  });

  it('followed step by step, reaches SIGKILL exactly at the end of the grace, whatever the grace', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.boolean(), (grace, command) => {
        const settings = { hook: null, command, signal: 'SIGTERM', grace } as const;
        let now = NOW;
        let progress = null;
        for (let looks = 0; looks < 5; looks++) {
          const step = nextStopStep(progress, settings, now, false);
          if (step.say === 'wait') {
            expect(step.until).toBeGreaterThan(now);
            now = step.until;
            continue;
          }
          if (step.say === 'kill') {
            expect(now).toBe(NOW + grace);
            return;
          }
          progress = stopped(progress, step.say, settings, 'stop_requested', now);
        }
        expect.unreachable('never came to SIGKILL');
      }),
    );
  });
});

describe('a clock that was set back', () => {
  const yesterday = NOW - 86_400_000;

  it('starts the grace anew, once, instead of making it a day longer', () => {
    const begun = resumed(stopProgress(), yesterday);
    expect(begun).toEqual(stopProgress({ since: yesterday }));
    expect(nextStopStep(begun, SIGNAL, yesterday, false)).toEqual({ say: 'wait', until: yesterday + 30_000 });
    const later = resumed(begun, yesterday + 30_000);
    expect(later).toBe(begun);
    expect(nextStopStep(later, SIGNAL, yesterday + 30_000, false)).toEqual({ say: 'kill' });
  });

  it('does not keep SIGKILL from being repeated', () => {
    const begun = resumed(stopProgress({ step: 'kill', killedAt: NOW }), yesterday);
    expect(nextStopStep(begun, SIGNAL, yesterday + KILL_AGAIN, false)).toEqual({ say: 'kill' });
  });

  it('does not keep it from being told that somebody survives SIGKILL', () => {
    const begun = resumed(stopProgress({ step: 'kill', killedAt: NOW, killedFrom: NOW }), yesterday);
    expect(isBlocked(begun, yesterday + BLOCKED_AFTER - 1)).toBe(false);
    expect(isBlocked(begun, yesterday + BLOCKED_AFTER)).toBe(true);
  });

  it('a stop in the past is as it was', () => {
    const progress = stopProgress({ step: 'kill', killedAt: NOW });
    expect(resumed(progress, NOW)).toBe(progress);
    expect(resumed(null, NOW)).toBeNull();
  });
});

describe('what is told about a stop', () => {
  const at = (step: 'signal' | 'kill', killedAt: number | null) => stopProgress({ step, killedAt });

  it('is late only when the grace ran out', () => {
    expect(isLate(at('signal', null))).toBe(false);
    expect(isLate(at('kill', NOW + 30_000))).toBe(true);
    expect(isLate(at('kill', NOW + 29_999))).toBe(false);
  });

  it('is not late when the grace was cut short, also when SIGKILL is repeated after it would have been over', () => {
    const begun = stopped(null, 'signal', { ...SIGNAL, grace: 3000 }, 'disabled', NOW);
    const killed = stopped(begun, 'kill', SIGNAL, 'disabled', NOW + 1000);
    const again = stopped(killed, 'kill', SIGNAL, 'disabled', NOW + 1000 + KILL_AGAIN);
    expect(isLate(again)).toBe(false);
    // Of an earlier release nobody knows when it was killed first.
    const { killedFrom: _, ...unknown } = again;
    expect(isLate(unknown)).toBe(true);
  });

  it('keeps reason and beginning over all its steps', () => {
    const first = stopped(null, 'signal', SIGNAL, 'disabled', NOW);
    const last = stopped(first, 'kill', SIGNAL, 'something else', NOW + 30_000);
    expect(last).toEqual({
      reason: 'disabled',
      since: NOW,
      grace: 30_000,
      step: 'kill',
      killedAt: NOW + 30_000,
      killedFrom: NOW + 30_000,
    });
  });

  it('is blocked when a process outlives SIGKILL by two seconds', () => {
    const killed = at('kill', NOW + 30_000);
    expect(isBlocked(killed, NOW + 30_000 + BLOCKED_AFTER - 1)).toBe(false);
    expect(isBlocked(killed, NOW + 30_000 + BLOCKED_AFTER)).toBe(true);
    expect(isBlocked(at('signal', null), NOW + 10 ** 9)).toBe(false);
    expect(isBlocked(null, NOW)).toBe(false);
  });

  it.each([
    ['long after the grace', NOW + 60_000],
    ['in a hurry', NOW + 1000],
  ])('is blocked two seconds after the first SIGKILL, also when that came %s', (_, first) => {
    const begun = stopped(null, 'signal', SIGNAL, 'disabled', NOW);
    const killed = stopped(begun, 'kill', SIGNAL, 'disabled', first);
    expect(isBlocked(killed, first + BLOCKED_AFTER - 1)).toBe(false);
    expect(isBlocked(killed, first + BLOCKED_AFTER)).toBe(true);
    const again = stopped(killed, 'kill', SIGNAL, 'disabled', first + KILL_AGAIN);
    expect(isBlocked(again, first + KILL_AGAIN)).toBe(true);
    expect(again).toMatchObject({ killedAt: first + KILL_AGAIN, killedFrom: first });
  });
});
