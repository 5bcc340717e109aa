import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { lifecycleLine } from '../../src/daemon/lifecycle.ts';
import {
  adoptedEvent,
  exitedEvent,
  failedEvent,
  startedEvent,
  stoppedEvent,
  stopRequestedEvent,
} from '../../src/daemon/run-events.ts';
import type { Event } from '../../src/model/action.ts';
import type { Outcome } from '../../src/model/observed.ts';
import { exited, NOW, problem, run, runKey } from '../builders.ts';

const KEY = runKey({ slot: 1, generation: 2 });
const MANAGER = 77;
const PLACE = 'service=web instance=1 generation=2';
const SEGV: Outcome = { kind: 'signaled', signal: 'SIGSEGV', oom: false };
const OOM: Outcome = { kind: 'signaled', signal: 'SIGKILL', oom: true };

function line(event: Event): string {
  return lifecycleLine(event, MANAGER);
}

/** The line of an event with one field of this value. */
function withValue(value: string | number): string {
  return line({ at: NOW, name: 'x', fields: { reason: value } });
}

/** Reads a line back as the documented grammar says: single blanks between pairs, values bare or JSON text. */
function read(text: string): Record<string, string> {
  const [, rest = ''] =
    /^processmaster:lifecycle((?: [a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^ "]*))*)$/.exec(text) ?? [];
  const pairs = rest.matchAll(/ ([a-z_]+)=("(?:[^"\\]|\\.)*"|[^ "]*)/g);
  return Object.fromEntries(
    [...pairs].map(([, key = '', value = '']) => [key, value.startsWith('"') ? JSON.parse(value) : value]),
  );
}

describe('the lines', () => {
  test.each<[string, Event, string]>([
    [
      'started',
      startedEvent(KEY, 4711, 'boot', NOW),
      `event=worker_started manager_pid=77 ${PLACE} pid=4711 reason=boot`,
    ],
    [
      'adopted',
      adoptedEvent(run({ slot: 1, generation: 2 }), NOW),
      `event=worker_started manager_pid=77 ${PLACE} pid=101 reason=adopted`,
    ],
    [
      'adopted, first process unknown',
      adoptedEvent(run({ slot: 1, generation: 2, main: { is: 'unknown' } }), NOW),
      `event=worker_started manager_pid=77 ${PLACE} pid=unknown reason=adopted`,
    ],
    [
      'adopted, first process unknown: the oldest one stands for it',
      adoptedEvent(run({ slot: 1, generation: 2, main: { is: 'unknown' } }), NOW, 4712),
      `event=worker_started manager_pid=77 ${PLACE} pid=4712 reason=adopted`,
    ],
    [
      'exited',
      exitedEvent({ notice: 'exited', run: KEY, outcome: exited(3), respawn: true }, 4711, NOW),
      `event=worker_exited manager_pid=77 ${PLACE} pid=4711 status=3 exit_reason=exit_3 restart_action=respawn`,
    ],
    [
      'exited with a code that looks like a signal',
      exitedEvent({ notice: 'exited', run: KEY, outcome: exited(139), respawn: false }, 4711, NOW),
      `event=worker_exited manager_pid=77 ${PLACE} pid=4711 status=139 exit_reason=exit_139 restart_action=none`,
    ],
    [
      'killed by a signal with the same status',
      exitedEvent({ notice: 'exited', run: KEY, outcome: SEGV, respawn: false }, 4711, NOW),
      `event=worker_exited manager_pid=77 ${PLACE} pid=4711 status=139 exit_reason=signal_11 restart_action=none`,
    ],
    [
      'killed for want of memory',
      exitedEvent({ notice: 'exited', run: KEY, outcome: OOM, respawn: true }, 4711, NOW),
      `event=worker_exited manager_pid=77 ${PLACE} pid=4711 status=137 exit_reason=oom restart_action=respawn`,
    ],
    [
      'ended unseen',
      exitedEvent(
        { notice: 'exited', run: KEY, outcome: { kind: 'unknown', oom: false }, respawn: true },
        undefined,
        NOW,
      ),
      `event=worker_exited manager_pid=77 ${PLACE} pid=unknown status=unknown exit_reason=unknown restart_action=respawn`,
    ],
    [
      'not started',
      failedEvent(KEY, problem({ message: 'no program "x"' }), true, NOW),
      `event=worker_exited manager_pid=77 ${PLACE} pid=none status=none exit_reason=not_started restart_action=respawn problem="no program \\"x\\""`,
    ],
    [
      'stop requested',
      stopRequestedEvent(KEY, 4711, 'SIGTERM', 'signal_term', NOW),
      `event=worker_stop_requested manager_pid=77 ${PLACE} pid=4711 signal=TERM reason=signal_term`,
    ],
    [
      'stop command',
      stopRequestedEvent(KEY, undefined, 'stop_command', 'disabled', NOW),
      `event=worker_stop_requested manager_pid=77 ${PLACE} pid=unknown signal=stop_command reason=disabled`,
    ],
    [
      'stopped after the grace',
      stoppedEvent(
        {
          notice: 'stopped',
          run: KEY,
          outcome: { kind: 'signaled', signal: 'SIGKILL', oom: false },
          reason: 'reload_retire_generation_2_grace_timeout',
        },
        4711,
        NOW,
      ),
      `event=worker_stopped manager_pid=77 ${PLACE} pid=4711 status=137 exit_reason=signal_9 reason=reload_retire_generation_2_grace_timeout`,
    ],
  ])('%s', (_title, event, expected) => {
    expect(line(event)).toBe(`processmaster:lifecycle ${expected}`);
  });

  it('of the manager itself have no service', () => {
    const event: Event = {
      at: NOW,
      name: 'manager_stopping',
      fields: { reason: 'signal_term', exit_code: 0 },
    };
    expect(line(event)).toBe(
      'processmaster:lifecycle event=manager_stopping manager_pid=77 reason=signal_term exit_code=0',
    );
  });
});

describe('values', () => {
  test.each([
    ['plain-value_1./:@', 'plain-value_1./:@'],
    ['', '""'],
    ['two words', '"two words"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["it's", '"it\'s"'],
    ['a=b', '"a=b"'],
    ['a\nb', '"a\\nb"'],
    ['a\\b', '"a\\\\b"'],
    ['\u001b[31m', '"\\u001b[31m"'],
    ['\u009b31m', '"\\u009b31m"'],
    ['a\u0085b', '"a\\u0085b"'],
    ['a\u2028b', '"a\\u2028b"'],
    ['größe', 'größe'],
  ])('%j is written %s', (value, text) => {
    expect(withValue(value)).toBe(`processmaster:lifecycle event=x manager_pid=77 reason=${text}`);
  });

  it('come back as they were, whatever they are, from one line without control characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const text = withValue(value);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what must not be there
        expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
        expect(read(text)).toEqual({ event: 'x', manager_pid: '77', reason: value });
      }),
      { numRuns: 300 },
    );
  });
});
