import { describe, expect, it } from 'vitest';
import type { Exit } from '../../src/model/memory.ts';
import type { ServiceName } from '../../src/model/names.ts';
import { NO_PROBE } from '../../src/model/probe.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { judge } from '../../src/reconcile/judge.ts';
import {
  defined,
  exited,
  hash,
  memory,
  NOW,
  name,
  over,
  problem,
  run,
  runsRemembered,
  type SituationChanges,
  seen,
  situation,
  slot,
  spec,
} from '../builders.ts';

const ROLLOUT = { surge: 1, overlap: 0, timeout: 60_000, min_ready: 0, on_failure: 'keep_old' } as const;
const desired = defined({ hash: 'b', spec: { rollout: ROLLOUT } });

const older = run({ hash: 'a', generation: 1, age: 60_000 });
const newer = run({ hash: 'b', generation: 2, age: 10_000 });

function rolling(changes: SituationChanges = {}) {
  return situation({
    desired,
    applied: { [hash('a')]: spec({ rollout: ROLLOUT }) },
    observed: seen(older, newer),
    memory: memory({ generation: 2, generationHash: hash('b'), slots: { 0: slot({ generation: 2 }) } }),
    ...changes,
  });
}

describe('a new definition for which the host is short of something', () => {
  const place = (passing: true | undefined) => {
    const outcome = {
      kind: 'not_started',
      problem: problem(passing === true ? { passing } : {}),
    } as const;
    const exit = { outcome, at: NOW - 500, by: 'itself', run: null, uptime: 0 } as const;
    const { digest } = desired;
    const next = { at: NOW + 500, delay: 1000, digest, pardon: 0 };
    const slots = { 0: slot({ generation: 2, exits: [exit], next }) };
    return rolling({
      observed: seen(older),
      memory: memory({ generation: 2, generationHash: hash('b'), slots }),
    });
  };

  it('is not rejected, and tried again when its time has come', () => {
    const waiting = place(true);
    const decision = decide(waiting);
    expect(decision.memory.rejected).toBeNull();
    expect(decision.actions.map((action) => action.do)).not.toContain('start');
    expect(decision.wakeAt).toBe(NOW + 500);
    const later = decide({ ...waiting, memory: decision.memory, now: NOW + 500 });
    expect(later.actions.map((action) => action.do)).toContain('start');
  });

  it('which any other failed start is', () => {
    expect(decide(place(undefined)).memory.rejected).toMatchObject({ generation: 2 });
  });
});

describe('an older run beside its successor', () => {
  it('is told to stop when that is ready', () => {
    const first = decide(rolling());
    const { actions } = decide(rolling({ memory: first.memory, now: NOW + 1000 }));
    expect(actions.concat(first.actions)).toContainEqual(
      expect.objectContaining({ do: 'signal', run: older.key, because: 'reload_retire_generation_1' }),
    );
  });

  it('stays while that cannot be seen', () => {
    const unseen = {
      ...newer,
      members: { is: 'unseen', problem: { code: 'observe-failed' } },
    } as typeof newer;
    const { actions } = decide(rolling({ observed: seen(older, unseen), now: NOW + 1000 }));
    expect(actions.filter((action) => action.do === 'signal')).toEqual([]);
  });

  it('keeps its place against another older one that came later', () => {
    const newest = defined({ hash: 'c', spec: { rollout: ROLLOUT } });
    const applied = Object.fromEntries(
      [hash('a'), hash('b')].map((each) => [each, spec({ rollout: ROLLOUT })]),
    );
    const before = decide(rolling()).memory;
    const runs = {
      [older.key.id]: { ...before.runs[older.key.id], met: true, stop: null, readySince: NOW - 50_000 },
      [newer.key.id]: { ...before.runs[newer.key.id], met: true, stop: null, readySince: NOW - 100 },
    };
    const { runs: judged } = judge(
      rolling({ desired: newest, applied, memory: { ...before, runs } as typeof before }),
    );
    expect(judged.map(({ run: { key }, fate }) => [key.id, fate])).toEqual([
      [older.key.id, 'outdated'],
      [newer.key.id, 'surplus'],
    ]);
  });

  it('gets no successor while a second one in its place waits to be told to go', () => {
    const [a, b] = [hash('a'), hash('b')];
    const crowded = rolling({
      applied: { [a]: spec({ rollout: ROLLOUT }), [b]: spec({ rollout: ROLLOUT }) },
      desired: defined({ hash: 'c', spec: { rollout: { ...ROLLOUT, surge: 2 } } }),
    });
    const starts = (dependents: readonly ServiceName[]) =>
      decide({ ...crowded, dependents }).actions.map((action) => action.do);
    expect(starts([name('mail')])).not.toContain('start');
    expect(starts([])).toContain('start');
  });

  it('serves on when its successor was not ready in time, and that one is told to stop', () => {
    const times = { interval: 1000, timeout: 500, initial_delay: 0 };
    const how = { tcp: { host: 'web', port: 80 } };
    const readiness = { how, ...times, failure_threshold: 1, success_threshold: 1 };
    const slow = defined({
      hash: 'b',
      spec: { rollout: { ...ROLLOUT, timeout: 5000 }, probes: { readiness } },
    });
    const { actions, memory: after } = decide(rolling({ desired: slow }));
    expect(actions.filter((action) => action.do === 'signal')).toEqual([
      expect.objectContaining({ run: newer.key, because: 'rollout_failed' }),
    ]);
    expect(after.rejected).toMatchObject({ generation: 2, run: newer.key.id });
  });

  describe('that is wanted again, since the change was taken back,', () => {
    const times = { interval: 1000, timeout: 500, initial_delay: 0 };
    const how = { tcp: { host: 'web', port: 80 } };
    const readiness = { how, ...times, failure_threshold: 1, success_threshold: 1 };
    const back = defined({ hash: 'a', spec: { instances: 2, rollout: ROLLOUT, probes: { readiness } } });
    const answered = (passed: number | null) => ({
      ...{ met: true, readySince: passed },
      probes: { readiness: { ...NO_PROBE, asked: NOW - 1, failures: passed === null ? 1 : 0, passed } },
    });
    const first = run({ hash: 'a', generation: 1, age: 3_600_000 });
    const second = run({ hash: 'b', generation: 2, age: 5000 });
    const told = (
      runs: ReturnType<typeof runsRemembered>,
      others: readonly ReturnType<typeof run>[] = [],
      original = first,
    ) => {
      const known = memory({ generation: 2, generationHash: hash('b'), runs });
      const applied = { [hash('a')]: back.spec, [hash('b')]: back.spec };
      const observed = seen(original, second, ...others);
      const { actions, memory: after } = decide(
        situation({ desired: back, applied, observed, memory: known }),
      );
      const stopped = actions.flatMap((action) => (action.do === 'signal' ? [action] : []));
      return { stopped: stopped.map(({ run: { id }, because }) => [id, because]), rejected: after.rejected };
    };

    it('stays also when it is not ready, and its successor goes', () => {
      const runs = runsRemembered([first, answered(null)], [second, answered(NOW - 1)]);
      const { stopped, rejected } = told(runs);
      expect(stopped).toEqual([[second.key.id, 'reload_retire_generation_2']]);
      expect(rejected).toBeNull();
    });

    it('has its successor beside it for as long as it cannot be seen', () => {
      const members = { is: 'unseen', problem: problem({ code: 'observe-failed' }) } as const;
      const runs = runsRemembered([first, answered(NOW - 9)], [second, answered(NOW - 1)]);
      expect(told(runs, [], { ...first, members }).stopped).toEqual([]);
    });

    it('stays also when it cannot be had again in another place', () => {
      const late = run({ slot: 1, hash: 'a', generation: 3, age: 60_000 });
      const served = run({ slot: 1, hash: 'b', generation: 2, age: 65_000 });
      const runs = runsRemembered(
        [first, answered(null)],
        [second, answered(NOW - 1)],
        [late, answered(null)],
        [served, answered(NOW - 1)],
      );
      const { stopped, rejected } = told(runs, [late, served]);
      expect(stopped).toEqual([
        [late.key.id, 'rollout_failed'],
        [second.key.id, 'reload_retire_generation_2'],
      ]);
      expect(rejected).toMatchObject({ generation: 3, run: late.key.id });
    });
  });

  it('leaves the wait of the place alone when it ends: that is about its successor', () => {
    const next = { at: NOW + 5000, delay: 5000, digest: desired.digest, pardon: 0 };
    const gone = {
      ...older,
      members: { is: 'none' },
      main: { is: 'ended', outcome: { kind: 'exited', code: 0 }, at: NOW },
    };
    const decision = decide(
      rolling({
        observed: seen(gone as typeof older),
        memory: memory({
          generation: 2,
          generationHash: hash('b'),
          slots: { 0: slot({ generation: 2, next }) },
        }),
      }),
    );
    expect(decision.memory.slots[0]?.next).toEqual(next);
    expect(decision.actions.map((action) => action.do)).toEqual(['clean_up']);
  });
});

describe('a place whose older run ended after the new definition was rejected', () => {
  const more = defined({ hash: 'b', spec: { instances: 2, rollout: ROLLOUT } });
  const rejected = {
    ...{ generation: 2, digest: more.digest, pardon: 0, at: NOW - 60_000, reason: 'not ready', run: null },
  };
  const serving = run({ slot: 0, hash: 'a', generation: 1 });
  const crashed = over(exited(3), { slot: 1, hash: 'a', generation: 1 });
  const base = { desired: more, applied: { [hash('a')]: spec({ instances: 2, rollout: ROLLOUT }) } };
  const known = memory({ generation: 2, generationHash: hash('b'), rejected });
  const first = decide(situation({ ...base, observed: seen(serving, crashed), memory: known }));
  const starts = ({ actions }: typeof first) => actions.filter((action) => action.do === 'start');

  it('is not filled at once, and it is said with what it will be', () => {
    expect(starts(first)).toEqual([]);
    expect(first.slots.find(({ slot }) => slot === 1)).toEqual({
      slot: 1,
      phase: 'backoff',
      until: NOW + 1000,
      reason: 'exited with code 3; the new definition, which failed, is tried in its place',
    });
    expect(first.wakeAt).toBe(NOW + 1000);
  });

  it('is filled after the back-off of the new definition', () => {
    const later = { ...base, observed: seen(serving), memory: first.memory };
    expect(starts(decide(situation({ ...later, now: NOW + 999 })))).toEqual([]);
    expect(starts(decide(situation({ ...later, now: NOW + 1000 })))).toMatchObject([
      { slot: 1, generation: 2 },
    ]);
  });

  it('is filled at once where the failure is accepted, where no older run is left, and after a stop', () => {
    const later = { ...base, observed: seen(serving), memory: first.memory };
    const replace = defined({
      hash: 'b',
      digest: more.digest,
      spec: { ...more.spec, rollout: { ...ROLLOUT, on_failure: 'replace' } },
    });
    expect(starts(decide(situation({ ...later, desired: replace })))).toHaveLength(1);
    expect(starts(decide(situation({ ...later, observed: seen() })))).toHaveLength(2);
    const exit = { ...first.memory.slots[1]?.exits[0], by: 'stop' } as Exit;
    const slots = { 1: slot({ generation: 1, exits: [exit] }) };
    const stopped = { ...first.memory, slots };
    expect(starts(decide(situation({ ...later, memory: stopped })))).toHaveLength(1);
  });
});
