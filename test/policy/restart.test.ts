import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { EXITS_KEPT, type Exit, type SlotMemory } from '../../src/model/memory.ts';
import type { Outcome } from '../../src/model/observed.ts';
import type { RestartPolicy } from '../../src/model/spec.ts';
import {
  afterExit,
  afterStart,
  backoff,
  describeOutcome,
  exitReason,
  mayStart,
  pardoned,
  type RestartContext,
} from '../../src/policy/restart.ts';
import { exited, NOW, type Part, problem, slot, spec } from '../builders.ts';

const SEGV: Outcome = { kind: 'signaled', signal: 'SIGSEGV', oom: false };
const OOM: Outcome = { kind: 'signaled', signal: 'SIGKILL', oom: true };
const UNKNOWN: Outcome = { kind: 'unknown', oom: false };
const UNKNOWN_OOM: Outcome = { kind: 'unknown', oom: true };
const NOT_STARTED: Outcome = { kind: 'not_started', problem: problem({ message: 'no such program' }) };

function policy(changes: Part<RestartPolicy> = {}): RestartPolicy {
  return spec({ restart_policy: changes }).restart_policy;
}

function context(changes: Part<RestartPolicy> = {}, more: Partial<RestartContext> = {}): RestartContext {
  return {
    policy: policy(changes),
    type: 'service',
    hash: 'hash',
    digest: 'digest',
    pardon: 0,
    chance: 0,
    ...more,
  };
}

function exit(outcome: Outcome, changes: Partial<Exit> = {}): Exit {
  return { outcome, at: NOW, by: 'itself', run: null, uptime: 0, ...changes };
}

/** What becomes of an instance: `restart`, `completed` or `failed`. */
function fate(memory: SlotMemory): string {
  return memory.end?.kind ?? (memory.next === null ? 'free' : 'restart');
}

describe('a place that was given up', () => {
  const crashed = afterExit(slot(), exit(exited(3)), context({ tolerance: { max_restarts: 0 } }));

  it.each([UNKNOWN, exited(0)])('stays so when a second run in it ends: %o', (outcome) => {
    const own = context({ policy: 'always', tolerance: { max_restarts: 0 } });
    const after = afterExit(crashed, exit(outcome), own);
    expect(after.end).toEqual(crashed.end);
    expect(after.next).toBeNull();
    expect(after.exits).toHaveLength(2);
  });

  it('and was forgiven since has its next turn', () => {
    const own = context({ policy: 'always', tolerance: { max_restarts: 0 } }, { pardon: 1 });
    expect(fate(afterExit(crashed, exit(UNKNOWN), own))).toBe('restart');
  });
});

describe('which ends are restarted', () => {
  const outcomes = {
    'exit 0': exited(0),
    'exit 3': exited(3),
    SIGSEGV: SEGV,
    OOM,
    unknown: UNKNOWN,
    'unknown, OOM': UNKNOWN_OOM,
    not_started: NOT_STARTED,
  };
  const table = {
    always: {
      'exit 0': 'restart',
      'exit 3': 'restart',
      SIGSEGV: 'restart',
      OOM: 'restart',
      unknown: 'restart',
      'unknown, OOM': 'restart',
      not_started: 'restart',
    },
    on_failure: {
      'exit 0': 'completed',
      'exit 3': 'restart',
      SIGSEGV: 'restart',
      OOM: 'restart',
      unknown: 'restart',
      'unknown, OOM': 'restart',
      not_started: 'restart',
    },
    never: {
      'exit 0': 'completed',
      'exit 3': 'failed',
      SIGSEGV: 'failed',
      OOM: 'failed',
      unknown: 'failed',
      'unknown, OOM': 'failed',
      not_started: 'failed',
    },
  } as const;
  for (const kind of ['always', 'on_failure', 'never'] as const) {
    for (const [title, outcome] of Object.entries(outcomes)) {
      const expected = table[kind][title as keyof typeof outcomes];
      it(`${kind}: ${title} -> ${expected}`, () => {
        expect(fate(afterExit(slot(), exit(outcome), context({ policy: kind })))).toBe(expected);
      });
    }
  }

  describe('with crash_on_start: wait_for_change, a crash right after the start', () => {
    const waits = context({ crash_on_start: 'wait_for_change' });
    const after = (because: string, uptime: number) =>
      afterExit(afterStart(slot(), 2, because), exit(exited(2), { uptime }), waits);

    it('of a newer generation waits for the next change', () => {
      const { end } = after('reload_generation_2', 1499);
      expect(end).toMatchObject({
        kind: 'failed',
        reason: 'exited with code 2; waits for the next change',
        retryAt: null,
      });
      expect(fate(after('reload_generation_2', 1500))).toBe('restart');
    });

    it.each(['boot', 'start_requested', 'respawn_after_exit'])('%s is a crash like any other', (because) => {
      expect(fate(after(because, 10))).toBe('restart');
    });

    it('that follows a later crash of what a change started is one like any other', () => {
      const crashed = afterExit(
        afterStart(slot(), 2, 'reload_generation_2'),
        exit(exited(2), { uptime: 5000 }),
        waits,
      );
      const again = afterExit(
        afterStart(crashed, 2, 'respawn_after_exit'),
        exit(exited(2), { uptime: 10 }),
        waits,
      );
      expect(fate(again)).toBe('restart');
    });
  });

  it('a start for which the host was short of something is tried again, ever more seldom, and counts as nothing', () => {
    const passing: Outcome = { kind: 'not_started', problem: problem({ passing: true }) };
    for (const type of ['service', 'oneshot'] as const) {
      const own = context({ policy: 'never', crash_on_start: 'wait_for_change' }, { type });
      let now = slot();
      const delays: (number | undefined)[] = [];
      for (let attempt = 0; attempt < 6; attempt++) {
        now = afterExit(now, exit(passing), own);
        delays.push(now.next?.delay);
      }
      expect(delays).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
      expect(now).toMatchObject({ end: null, crashes: [] });
    }
  });

  it('a code in success_exit_codes is a success, 0 no longer is when it is not in the list', () => {
    const own = context({ policy: 'on_failure', success_exit_codes: [3] });
    expect(fate(afterExit(slot(), exit(exited(3)), own))).toBe('completed');
    expect(fate(afterExit(slot(), exit(exited(0)), own))).toBe('restart');
  });

  it('a one-shot is complete when it ended well', () => {
    const oneshot = context({ policy: 'always' }, { type: 'oneshot' });
    expect(fate(afterExit(slot(), exit(exited(0)), oneshot))).toBe('completed');
  });

  it.each(['always', 'on_failure', 'never'] as const)(
    'a one-shot of which nobody knows how it ended is neither complete nor run again by itself (%s)',
    (policy) => {
      const { end } = afterExit(slot(), exit(UNKNOWN), context({ policy }, { type: 'oneshot' }));
      const reason = 'ended in a way that nobody recorded; whether it had done its work is not known';
      expect(end).toMatchObject({ kind: 'failed', reason, retryAt: null });
    },
  );

  it('a one-shot that failed follows its policy', () => {
    for (const [kind, expected] of [
      ['always', 'restart'],
      ['on_failure', 'restart'],
      ['never', 'failed'],
    ] as const) {
      const oneshot = context({ policy: kind }, { type: 'oneshot' });
      expect(fate(afterExit(slot(), exit(exited(1)), oneshot)), kind).toBe(expected);
    }
  });

  it('an end that we asked for is neither a crash nor a completion, and lifts the back-off', () => {
    for (const outcome of [exited(0), exited(3), SEGV]) {
      const after = afterExit(slot({ attempt: 5 }), exit(outcome, { by: 'stop' }), context());
      expect(fate(after)).toBe('free');
      expect(after).toMatchObject({ attempt: 0, crashes: [] });
      expect(after.exits).toHaveLength(1);
    }
  });

  it('the reason tells people what happened', () => {
    expect(afterExit(slot(), exit(exited(0)), context({ policy: 'never' })).end?.reason).toBe(
      'completed with code 0',
    );
    expect(afterExit(slot(), exit(SEGV), context({ policy: 'never' })).end?.reason).toBe('killed by SIGSEGV');
    expect(afterExit(slot(), exit(NOT_STARTED), context({ policy: 'never' })).end?.reason).toBe(
      'no such program',
    );
  });

  it('keeps the newest exits, newest first', () => {
    let memory = slot();
    for (let code = 1; code <= EXITS_KEPT + 5; code++) {
      memory = afterExit(memory, exit(exited(code), { at: NOW + code * 3_600_000 }), context());
    }
    expect(memory.exits).toHaveLength(EXITS_KEPT);
    expect(memory.exits[0]?.outcome).toEqual(exited(EXITS_KEPT + 5));
  });
});

describe('back-off', () => {
  it('is constant when max_backoff is not larger', () => {
    for (const max_backoff of [0, 1000]) {
      const delays = [0, 1, 2, 10].map((attempt) => backoff(policy({ max_backoff }), attempt, 0));
      expect(delays).toEqual([1000, 1000, 1000, 1000]);
    }
  });

  it('doubles up to max_backoff', () => {
    const doubling = policy({ restart_backoff: 1000, max_backoff: 5000 });
    expect([0, 1, 2, 3, 4, 1000].map((attempt) => backoff(doubling, attempt, 0))).toEqual([
      1000, 2000, 4000, 5000, 5000, 5000,
    ]);
  });

  it('never exceeds the ceiling by more than the jitter, and never falls short of the undisturbed delay', () => {
    fc.assert(
      fc.property(
        fc.record({
          restart_backoff: fc.integer({ min: 0, max: 86_400_000 }),
          max_backoff: fc.integer({ min: 0, max: 86_400_000 }),
          jitter: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        fc.nat(5000),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (part, attempt, chance) => {
          const delay = backoff(policy(part), attempt, chance);
          const ceiling = Math.max(part.restart_backoff, part.max_backoff);
          expect(delay).toBeGreaterThanOrEqual(backoff(policy(part), attempt, 0));
          expect(delay).toBeGreaterThanOrEqual(part.restart_backoff);
          expect(delay).toBeLessThanOrEqual(Math.round(ceiling * (1 + part.jitter)));
        },
      ),
    );
  });

  it('adds the share of the jitter that chance says', () => {
    const jittery = policy({ jitter: 0.5 });
    expect(backoff(jittery, 0, 0)).toBe(1000);
    expect(backoff(jittery, 0, 0.5)).toBe(1250);
  });

  it('leaves a pause after a launch that was refused, even where restart_backoff is 0', () => {
    const eager = context({ restart_backoff: 0, max_backoff: 0 });
    expect(afterExit(slot(), exit(NOT_STARTED), eager).next?.delay).toBe(100);
    expect(afterExit(slot(), exit(exited(1)), eager).next?.delay).toBe(0);
  });

  it('leaves a pause from the fifth clean end within a second on, even where restart_backoff is 0', () => {
    const eager = context({ restart_backoff: 0, max_backoff: 0, stable_after: 0 });
    const delays = (exits: readonly Exit[]) => {
      let memory = slot();
      return exits.map((one) => {
        memory = afterExit(memory, one, eager);
        return memory.next?.delay;
      });
    };
    const [clean, slow, stopped] = [
      exit(exited(0), { uptime: 999 }),
      exit(exited(0), { uptime: 1000 }),
      exit(exited(0), { by: 'stop' }),
    ];
    expect(delays([clean, clean, clean, clean, clean, clean])).toEqual([0, 0, 0, 0, 100, 100]);
    expect(delays([clean, clean, clean, clean, slow, clean])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(delays([clean, clean, clean, clean, stopped, clean])).toEqual([0, 0, 0, 0, undefined, 0]);
    // Of crashes the tolerance says how many there may be: each of them is respawned at once.
    const killed = context({ restart_backoff: 0, max_backoff: 0, tolerance: { max_restarts: 100 } });
    let memory = slot();
    for (let count = 0; count < EXITS_KEPT; count++) {
      memory = afterExit(memory, exit(SEGV), killed);
      expect(memory.next?.delay).toBe(0);
    }
  });

  it('counts the ends in a row', () => {
    const doubling = context({ restart_backoff: 1000, max_backoff: 60_000 });
    const first = afterExit(slot(), exit(exited(0)), doubling);
    const second = afterExit(first, exit(exited(0)), doubling);
    const third = afterExit(second, exit(exited(0)), doubling);
    expect([first.next?.delay, second.next?.delay, third.next?.delay]).toEqual([1000, 2000, 4000]);
    expect(third.next?.at).toBe(NOW + 4000);
  });

  it('starts anew after a run that was up for stable_after, and not a millisecond earlier', () => {
    const doubling = context({ max_backoff: 60_000, stable_after: 5000 });
    const tired = slot({ attempt: 4 });
    expect(afterExit(tired, exit(exited(0), { uptime: 5000 }), doubling).next?.delay).toBe(1000);
    expect(afterExit(tired, exit(exited(0), { uptime: 4999 }), doubling).next?.delay).toBe(16_000);
  });
});

describe('tolerance', () => {
  function crash(times: readonly number[], changes: Part<RestartPolicy> = {}, outcome: Outcome = exited(1)) {
    let memory = slot();
    for (const at of times) memory = afterExit(memory, exit(outcome, { at }), context(changes));
    return memory;
  }

  it('max_restarts restarts within the window are given, the next crash is the end', () => {
    expect(fate(crash([0, 1, 2].map((n) => NOW + n)))).toBe('restart');
    const ended = crash([0, 1, 2, 3].map((n) => NOW + n));
    expect(ended.end).toMatchObject({ kind: 'failed', under: 'digest', at: NOW + 3, retryAt: null });
    expect(ended.end?.reason).toBe('exited with code 1; ended 4 times within 60 s');
  });

  it('a crash leaves the window exactly when the window has passed', () => {
    expect(fate(crash([NOW, NOW + 1, NOW + 2, NOW + 59_999]))).toBe('failed');
    expect(fate(crash([NOW, NOW + 1, NOW + 2, NOW + 60_000]))).toBe('restart');
  });

  it('with max_restarts 0 the first crash is the end', () => {
    expect(fate(crash([NOW], { tolerance: { max_restarts: 0 } }))).toBe('failed');
  });

  it('clean exits and ends that nobody saw are no crashes', () => {
    const often = Array.from({ length: 50 }, (_, n) => NOW + n);
    for (const outcome of [exited(0), UNKNOWN]) {
      expect(fate(crash(often, {}, outcome))).toBe('restart');
      expect(crash(often, {}, outcome).crashes).toEqual([]);
    }
  });

  it('a clean exit is not failed for old crashes, even when the tolerance was lowered meanwhile', () => {
    const before = crash([NOW, NOW + 1, NOW + 2]);
    const lowered = context({ tolerance: { max_restarts: 1 } });
    expect(fate(afterExit(before, exit(exited(0), { at: NOW + 3 }), lowered))).toBe('restart');
    const later = afterExit(before, exit(exited(0), { at: NOW + 3_600_000 }), lowered);
    expect(fate(later)).toBe('restart');
    expect(later.crashes).toEqual([]);
  });

  it('a launch that is refused counts as a crash', () => {
    expect(
      fate(
        crash(
          [0, 1, 2, 3].map((n) => NOW + n),
          {},
          NOT_STARTED,
        ),
      ),
    ).toBe('failed');
  });

  it('remembers no more crashes than the tolerance needs', () => {
    const memory = crash(Array.from({ length: 500 }, (_, n) => NOW + n * 30_000));
    expect(memory.crashes.length).toBeLessThanOrEqual(2);
  });

  it('retry_after tries a failed instance again at that time', () => {
    const ended = crash([NOW], { tolerance: { max_restarts: 0, retry_after: 10_000 } });
    expect(mayStart(ended, NOW + 9999)).toEqual({ say: 'no', retryAt: NOW + 10_000 });
    expect(mayStart(ended, NOW + 10_000)).toEqual({ say: 'now' });
  });

  it('retry_after is never shorter than the back-off, so that 0s is no tight loop', () => {
    const ended = crash([NOW], { tolerance: { max_restarts: 0, retry_after: 0 } });
    expect(mayStart(ended, NOW)).toEqual({ say: 'no', retryAt: NOW + 1000 });
  });
});

describe('mayStart', () => {
  const wait = { at: NOW + 1000, delay: 1000, digest: 'digest', pardon: 0 };

  it('a fresh instance may start', () => {
    expect(mayStart(slot(), NOW)).toEqual({ say: 'now' });
  });

  it('waits until the back-off is over, to the millisecond', () => {
    expect(mayStart(slot({ next: wait }), NOW + 999)).toEqual({ say: 'wait', until: NOW + 1000 });
    expect(mayStart(slot({ next: wait }), NOW + 1000)).toEqual({ say: 'now' });
  });

  it('a clock that was set back by a day does not make a wait a day longer', () => {
    const yesterday = NOW - 86_400_000;
    expect(mayStart(slot({ next: wait }), yesterday)).toEqual({ say: 'now' });
    const failed = slot({
      end: { kind: 'failed', at: NOW, reason: '', under: 'digest', pardon: 0, retryAt: NOW + 5000 },
    });
    expect(mayStart(failed, yesterday)).toEqual({ say: 'now' });
  });

  it('a failed or completed instance stays down for ever without retry_after', () => {
    for (const kind of ['failed', 'completed'] as const) {
      const memory = slot({ end: { kind, at: NOW, reason: '', under: 'x', pardon: 0, retryAt: null } });
      expect(mayStart(memory, NOW + 10 ** 12)).toEqual({ say: 'no', retryAt: null });
    }
  });
});

describe('afterStart', () => {
  const tired = slot({
    restarts: 7,
    attempt: 3,
    crashes: [NOW],
    generation: 2,
    next: { at: NOW, delay: 1, digest: '', pardon: 0 },
  });

  it('a respawn counts and keeps the crash history', () => {
    expect(afterStart(tired, 2, 'respawn_after_exit')).toEqual({
      ...tired,
      restarts: 8,
      generation: 2,
      next: null,
      end: null,
    });
  });

  test.each(['boot', 'start_requested', 'reload_generation_3'])('%s begins with a clean sheet', (because) => {
    expect(afterStart(tired, 3, because)).toMatchObject({
      restarts: 0,
      crashes: [],
      attempt: 0,
      generation: 3,
      next: null,
    });
  });
});

describe('pardoned', () => {
  const failed = slot({
    restarts: 9,
    attempt: 4,
    crashes: [NOW],
    end: { kind: 'failed', at: NOW, reason: '', under: 'd1', pardon: 2, retryAt: null },
  });
  const completed = slot({
    end: { kind: 'completed', at: NOW, reason: '', under: 'h1', pardon: 2, retryAt: null },
  });
  const waiting = slot({ attempt: 4, next: { at: NOW, delay: 1000, digest: 'd1', pardon: 2 } });

  it('nothing changes while definition and pardon are the same', () => {
    for (const memory of [failed, completed, waiting, slot()]) {
      expect(pardoned(memory, 'h1', 'd1', 2)).toBe(memory);
    }
  });

  it('any edit pardons a failure and a wait, with all that led to it', () => {
    expect(pardoned(failed, 'h1', 'd2', 2)).toMatchObject({
      end: null,
      attempt: 0,
      crashes: [],
      restarts: 0,
    });
    expect(pardoned(waiting, 'h1', 'd2', 2)).toMatchObject({ next: null, attempt: 0 });
  });

  it('a completed instance runs again only for a change that starts new processes', () => {
    expect(pardoned(completed, 'h1', 'd2', 2).end).toEqual(completed.end);
    expect(pardoned(completed, 'h2', 'd2', 2).end).toBeNull();
  });

  it('start and restart by hand pardon everything', () => {
    for (const memory of [failed, completed, waiting]) {
      expect(pardoned(memory, 'h1', 'd1', 3)).toMatchObject({ end: null, next: null });
    }
  });
});

describe('how an end is told', () => {
  const number = (signal: string): number => ({ SIGSEGV: 11, SIGKILL: 9 })[signal] ?? 0;
  test.each([
    [exited(0), 'exit_0', 'exited with code 0'],
    [exited(137), 'exit_137', 'exited with code 137'],
    [SEGV, 'signal_11', 'killed by SIGSEGV'],
    [OOM, 'oom', 'killed by the kernel: out of memory'],
    [UNKNOWN, 'unknown', 'ended in a way that nobody recorded'],
    [UNKNOWN_OOM, 'oom', 'killed by the kernel: out of memory'],
    [NOT_STARTED, 'not_started', 'no such program'],
  ])('%j', (outcome, machine, person) => {
    expect(exitReason(outcome, number)).toBe(machine);
    expect(describeOutcome(outcome)).toBe(person);
  });
});
