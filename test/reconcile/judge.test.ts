import { describe, expect, it, test } from 'vitest';
import { judge } from '../../src/reconcile/judge.ts';
import {
  defined,
  exited,
  hash,
  mainEnded,
  NOW,
  over,
  run,
  runsRemembered,
  type SituationChanges,
  situation,
  slot,
  spec,
  stopProgress,
} from '../builders.ts';

function fates(changes: SituationChanges): readonly string[] {
  return judge(situation(changes)).runs.map((one) =>
    one.fate === 'surplus' ? `surplus: ${one.reason}` : one.fate,
  );
}

describe('what becomes of a run', () => {
  it('a run of the wanted definition is kept, another one is outdated', () => {
    expect(fates({ runs: [run({ hash: 'a' })] })).toEqual(['keep']);
    expect(fates({ runs: [run({ hash: 'b' })] })).toEqual(['outdated']);
  });

  it('a run from before a restart by hand is outdated', () => {
    expect(fates({ runs: [run({ generation: 1 })], intent: { minGeneration: 2 } })).toEqual(['outdated']);
  });

  it('runs beyond the number of instances are too many', () => {
    const desired = defined({ spec: { instances: 1 } });
    const runs = [run({ slot: 0 }), run({ slot: 1 })];
    expect(fates({ desired, runs })).toEqual(['keep', 'surplus: scaled_down']);
  });

  it('of two runs in one place the newest one of the wanted definition stays', () => {
    const older = run({ age: 2000 });
    const newer = run({ age: 1000 });
    expect(fates({ runs: [older, newer] })).toEqual(['surplus: duplicate', 'keep']);
    expect(fates({ runs: [newer, older] })).toEqual(['keep', 'surplus: duplicate']);
    const outdated = run({ age: 1000, hash: 'b' });
    expect(fates({ runs: [older, outdated] })).toEqual(['keep', 'surplus: duplicate']);
  });

  it('which of two runs is the newer one is told by the generation, also where the clock was set back between', () => {
    const before = run({ generation: 1, age: 1000 });
    const after = run({ generation: 2, age: 660_000 });
    expect(fates({ runs: [before, after] })).toEqual(['surplus: duplicate', 'keep']);
    // While a third one is on its way to replace them, the first one serves on.
    const both = [before, after].map((one) => ({ ...one, key: { ...one.key, hash: hash('b') } }));
    const desired = defined({ spec: { rollout: { surge: 1 } } });
    expect(fates({ desired, runs: both })).toEqual(['outdated', 'surplus: duplicate']);
    expect(fates({ desired, runs: both.toReversed() })).toEqual(['surplus: duplicate', 'outdated']);
  });

  it('what is left of a newer run does not push the run that serves out of its place', () => {
    const left = mainEnded(exited(1), { age: 1000 });
    expect(fates({ runs: [run({ age: 2000 }), left] })).toEqual(['keep', 'surplus: main_exited']);
  });

  it('leftovers of a run that is over are stopped', () => {
    expect(fates({ runs: [mainEnded(exited(1))] })).toEqual(['surplus: main_exited']);
  });

  it('a stop that has begun is carried through, even when the run is wanted again', () => {
    const one = run();
    const stop = stopProgress({ reason: 'disabled' });
    const memory = { runs: runsRemembered([one, { stop }]) };
    expect(fates({ runs: [one], memory })).toEqual(['surplus: disabled']);
  });

  it('when nothing is wanted, every run is too many', () => {
    const stopped = { stopped: { by: 'bob', at: NOW } };
    expect(fates({ runs: [run()], intent: stopped })).toEqual(['surplus: stop_requested']);
  });

  it('a service that is left alone keeps everything, leftovers included', () => {
    const held = { held: { by: 'bob', at: NOW } };
    const runs = [run({ hash: 'b' }), mainEnded(exited(1), { slot: 1 }), run({ slot: 7 })];
    expect(fates({ runs, intent: held })).toEqual(['keep', 'keep', 'keep']);
  });
});

describe('places without a run', () => {
  const two = defined({ spec: { instances: 2 } });
  const slots = (changes: SituationChanges): readonly number[] =>
    judge(situation({ desired: two, ...changes })).vacancies.map((vacancy) => vacancy.slot);

  it('are those that nothing lives in', () => {
    expect(slots({})).toEqual([0, 1]);
    expect(slots({ runs: [run({ slot: 1 })] })).toEqual([0]);
    expect(slots({ runs: [over(exited(0), { slot: 1 })] })).toEqual([0, 1]);
  });

  it('leftovers, runs that could not be seen, and runs that are being stopped still fill their place', () => {
    expect(slots({ runs: [mainEnded(exited(1)), run({ slot: 1, members: 'unseen' })] })).toEqual([]);
    const stopping = run();
    const memory = { runs: runsRemembered([stopping, { stop: stopProgress() }]) };
    expect(slots({ runs: [stopping], memory })).toEqual([1]);
  });
});

describe('how an end is noted', () => {
  it('once, with cause, moment and time up', () => {
    const gone = over(exited(3), { age: 7000 });
    const first = judge(situation({ runs: [gone] }));
    expect(first.memory.slots[0]?.exits).toEqual([
      { outcome: exited(3), at: NOW, by: 'itself', run: gone.key.id, uptime: 7000 },
    ]);
    expect(first.notices).toEqual([{ notice: 'exited', run: gone.key, outcome: exited(3), respawn: true }]);
    const again = judge(situation({ runs: [gone], memory: first.memory }));
    expect(again.notices).toEqual([]);
    expect(again.memory.slots[0]?.exits).toHaveLength(1);
  });

  it('with the places in the logs where what it wrote begins, as far as they are known', () => {
    const gone = over(exited(3));
    const main = { pid: 100, ticks: 1 };
    const noted = (errFrom: number | null) => {
      const runs = runsRemembered([gone, { main, logFrom: 7, errFrom }]);
      return judge(situation({ runs: [gone], memory: { runs } })).memory.slots[0]?.exits[0];
    };
    expect(noted(9)).toMatchObject({ logFrom: 7, errFrom: 9 });
    expect(noted(null)).not.toHaveProperty('logFrom');
  });

  it('at the moment at which it happened, but never in the future', () => {
    const noted = (at: number): unknown => {
      const gone = over(exited(3), { main: { is: 'ended', outcome: exited(3), at } });
      return judge(situation({ runs: [gone] })).memory.slots[0]?.exits[0]?.at;
    };
    expect(noted(NOW - 2000)).toBe(NOW - 2000);
    expect(noted(NOW + 86_400_000)).toBe(NOW);
  });

  it('leftovers are the end of their run, told once', () => {
    const left = mainEnded(exited(1));
    const first = judge(situation({ runs: [left] }));
    expect(first.notices).toHaveLength(1);
    const gone = over(exited(1));
    expect(judge(situation({ runs: [gone], memory: first.memory })).notices).toEqual([]);
  });

  it('a stop is told when nothing is left, with the status of the main process, and that SIGKILL was needed', () => {
    const left = mainEnded(exited(143));
    const asked = { reason: 'disabled', since: NOW - 30_000, grace: 30_000 } as const;
    const begun = { runs: runsRemembered([left, { stop: stopProgress(asked) }]) };
    const first = judge(situation({ runs: [left], memory: begun }));
    expect(first.notices).toEqual([]);
    expect(first.memory.slots[0]?.exits).toMatchObject([{ outcome: exited(143), by: 'stop' }]);
    const known = first.memory.runs[left.key.id];
    const stop = stopProgress({ ...asked, step: 'kill', killedAt: NOW, killedFrom: NOW });
    const memory = { ...first.memory, runs: runsRemembered([left, { ...known, stop }]) };
    // Also by a daemon that did not see how the main process ended.
    const gone = over({ kind: 'unknown', oom: false }, { adopted: true });
    const last = judge(situation({ runs: [gone], memory }));
    const notice = { notice: 'stopped', run: gone.key, outcome: exited(143) };
    expect(last.notices).toEqual([{ ...notice, reason: 'disabled_grace_timeout' }]);
    expect(last.memory.slots[0]?.exits).toHaveLength(1);
    expect(judge(situation({ runs: [gone], memory: last.memory })).notices).toEqual([]);
  });

  it('what is left of a run that ended by itself is no stop that is told', () => {
    const left = mainEnded(exited(1));
    const first = judge(situation({ runs: [left] }));
    const known = first.memory.runs[left.key.id];
    const stop = stopProgress({ reason: 'main_exited' });
    const memory = { ...first.memory, runs: runsRemembered([left, { ...known, stop }]) };
    expect(judge(situation({ runs: [over(exited(1))], memory })).notices).toEqual([]);
  });

  it('a run that nobody saw end has an unknown outcome', () => {
    const { memory } = judge(situation({ runs: [run({ members: 'none', main: { is: 'unknown' } })] }));
    expect(memory.slots[0]?.exits[0]?.outcome).toEqual({ kind: 'unknown', oom: false });
  });

  it('a place in which nothing ever lived counts as nothing', () => {
    const unborn = run({ members: 'none', main: { is: 'unknown' }, everRan: false });
    const { memory, notices } = judge(situation({ runs: [unborn] }));
    expect(notices).toEqual([]);
    expect(memory.slots[0]).toBeUndefined();
  });

  it('an end that was asked for is told with its reason', () => {
    const gone = over(exited(0));
    const told = (stop: Parameters<typeof stopProgress>[0]): unknown => {
      const memory = { runs: runsRemembered([gone, { stop: stopProgress(stop) }]) };
      return judge(situation({ runs: [gone], memory })).notices[0];
    };
    const notice = { notice: 'stopped', run: gone.key, outcome: exited(0) };
    expect(told({ reason: 'disabled' })).toEqual({ ...notice, reason: 'disabled' });
    const killed = { reason: 'disabled', step: 'kill', since: NOW - 30_000, killedAt: NOW } as const;
    expect(told(killed)).toEqual({ ...notice, reason: 'disabled_grace_timeout' });
    expect(told({ ...killed, killedAt: NOW - 29_000 })).toEqual({ ...notice, reason: 'disabled' });
  });

  it('says respawn only where a start follows', () => {
    const respawn = (changes: SituationChanges): unknown => judge(situation(changes)).notices[0];
    const runs = [over(exited(1))];
    const never = defined({ spec: { restart_policy: { policy: 'never' } } });
    expect(respawn({ runs })).toMatchObject({ respawn: true });
    expect(respawn({ runs, desired: never })).toMatchObject({ respawn: false });
    expect(respawn({ runs, intent: { held: { by: 'bob', at: NOW } } })).toMatchObject({ respawn: false });
    expect(respawn({ runs, desired: undefined })).toMatchObject({ respawn: false });
    expect(respawn({ runs: [over(exited(1), { slot: 1 })] })).toMatchObject({ respawn: false });
  });

  it('instances that end together are spread over the jitter', () => {
    const desired = defined({ spec: { instances: 10, restart_policy: { jitter: 1 } } });
    const runs = Array.from({ length: 10 }, (_, slot) => over(exited(1), { slot }));
    const { memory } = judge(situation({ desired, runs, chance: 0.9 }));
    const delays = Object.values(memory.slots).map(({ next }) => next?.delay ?? 0);
    const sorted = delays.sort((a, b) => a - b);
    const gaps = sorted.slice(1).map((delay, index) => delay - (sorted[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(30);
    expect(sorted[0]).toBeGreaterThanOrEqual(1000);
    expect(sorted.at(-1)).toBeLessThanOrEqual(2000);
  });

  it('runs that are gone are forgotten', () => {
    const memory = { runs: runsRemembered([run({ slot: 3 }), { main: { pid: 7, ticks: 8 } }]) };
    expect(judge(situation({ memory })).memory.runs).toEqual({});
  });
});

describe('an end under an older definition', () => {
  const desired = defined({ hash: 'b', spec: { restart_policy: { policy: 'never' } } });
  const applied = { a: spec({ restart_policy: { policy: 'never' } }), b: desired.spec };

  it('is no failure of the new one: it is started at once', () => {
    const judgement = judge(situation({ desired, applied, runs: [over(exited(1), { hash: 'a' })] }));
    expect(judgement.vacancies[0]?.answer).toEqual({ say: 'now' });
    expect(judgement.notices[0]).toMatchObject({ respawn: true });
  });

  it('is no back-off for the new one', () => {
    const judgement = judge(
      situation({
        desired,
        applied: { a: spec({ restart_policy: { restart_backoff: 60_000 } }), b: desired.spec },
        runs: [over(exited(1), { hash: 'a' })],
      }),
    );
    expect(judgement.vacancies[0]?.answer).toEqual({ say: 'now' });
  });

  it('is no failure or completion after a restart by hand either', () => {
    for (const code of [0, 1]) {
      const same = defined({ spec: { restart_policy: { policy: 'never' } } });
      const intent = { minGeneration: 2, pardon: 1 };
      const runs = [over(exited(code), { generation: 1 })];
      expect(judge(situation({ desired: same, runs, intent })).vacancies[0]?.answer).toEqual({ say: 'now' });
    }
  });

  it('counts when it is the definition in force', () => {
    const runs = [over(exited(1), { hash: 'b' })];
    const judgement = judge(situation({ desired, applied, runs }));
    expect(judgement.vacancies[0]?.answer).toEqual({ say: 'no', retryAt: null });
  });
});

describe('a memory that was lost', () => {
  it('takes generation and hash from the runs, and keeps them', () => {
    const judgement = judge(situation({ runs: [run({ generation: 6 })] }));
    expect(judgement).toMatchObject({ generation: 6, memory: { generation: 6, generationHash: hash('a') } });
    expect(judgement.runs[0]?.fate).toBe('keep');
  });

  it('learns from the run that ends which generation its place had', () => {
    const { memory } = judge(situation({ runs: [over(exited(1), { generation: 6 })] }));
    expect(memory.slots[0]?.generation).toBe(6);
  });
});

describe('live fields', () => {
  const desired = defined({ spec: { description: 'new' } });
  const old = { a: spec({ description: 'old' }) };

  it('are stale when a kept run was applied with others', () => {
    expect(judge(situation({ desired, applied: old, runs: [run()] })).live).toBe(true);
    expect(judge(situation({ desired, runs: [run()] })).live).toBe(false);
  });

  it('are not stale when the same was applied, read back from disk', () => {
    const applied = { a: structuredClone(desired.spec) };
    expect(judge(situation({ desired, applied, runs: [run()] })).live).toBe(false);
  });

  it('are stale when nobody knows what was applied', () => {
    expect(judge(situation({ desired, applied: {}, runs: [run()] })).live).toBe(true);
  });

  test.each([
    ['nothing runs', []],
    ['only an older definition runs', [run({ hash: 'b' })]],
  ])('need no look of their own when %s', (_title, runs) => {
    expect(judge(situation({ desired, applied: old, runs })).live).toBe(false);
  });
});

describe('a pardon', () => {
  it('is granted to every place when the definition changes', () => {
    const end = { kind: 'failed', at: NOW, reason: '', under: 'another', pardon: 0, retryAt: null } as const;
    const desired = defined({ spec: { instances: 2 } });
    const memory = { slots: { 0: slot({ end }), 1: slot({ end: { ...end, under: desired.digest } }) } };
    const { vacancies } = judge(situation({ desired, memory }));
    expect(vacancies.map(({ answer }) => answer.say)).toEqual(['now', 'no']);
  });

  it('is granted also while the service is stopped: what counts is the edit, not the moment', () => {
    const end = { kind: 'failed', at: NOW, reason: '', under: 'another', pardon: 0, retryAt: null } as const;
    const stopped = { stopped: { by: 'bob', at: NOW } };
    const { memory } = judge(situation({ intent: stopped, memory: { slots: { 0: slot({ end }) } } }));
    expect(memory.slots[0]?.end).toBeNull();
  });

  it('is granted when the policy changes to one under which nothing is ever complete', () => {
    const end = {
      kind: 'completed',
      at: NOW,
      reason: '',
      under: hash('a'),
      pardon: 0,
      retryAt: null,
    } as const;
    const say = (policy: 'always' | 'on_failure'): unknown => {
      const desired = defined({ spec: { restart_policy: { policy } } });
      return judge(situation({ desired, memory: { slots: { 0: slot({ end }) } } })).vacancies[0]?.answer.say;
    };
    expect(say('on_failure')).toBe('no');
    expect(say('always')).toBe('now');
  });

  it.each([
    ['never', 'no'],
    ['on_failure', 'now'],
    ['always', 'now'],
  ] as const)('of an end that nobody knows is the policy asked as well: %s', (policy, answer) => {
    const told = { kind: 'failed', at: NOW, reason: '', under: hash('a'), pardon: 0, retryAt: null } as const;
    const slots = { 0: slot({ end: { ...told, doubtful: true } }) };
    const desired = defined({ spec: { restart_policy: { policy } } });
    expect(judge(situation({ desired, memory: { slots } })).vacancies[0]?.answer.say).toBe(answer);
  });
});
