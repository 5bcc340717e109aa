/** A rejected definition wanted more places than there were: what becomes of those? */
import { describe, expect, it } from 'vitest';
import type { Rejection } from '../../src/model/memory.ts';
import type { Outcome } from '../../src/model/observed.ts';
import type { RolloutSpec } from '../../src/model/spec.ts';
import { decide } from '../../src/reconcile/decide.ts';
import type { Decision, Situation } from '../../src/reconcile/situation.ts';
import {
  defined,
  exited,
  hash,
  memory,
  NOW,
  over,
  problem,
  run,
  runsRemembered,
  type SituationChanges,
  situation,
  slot,
  spec,
} from '../builders.ts';

const ROLLOUT = { surge: 1, overlap: 0, timeout: 5000, min_ready: 0, on_failure: 'keep_old' } as const;
const readiness = {
  ...{ how: { tcp: { host: 'web', port: 80 } }, interval: 1000, timeout: 500, initial_delay: 0 },
  ...{ failure_threshold: 1, success_threshold: 1 },
};

const OLD = run({ slot: 0, hash: 'a', generation: 1 });
const fresh = (slot: number) => run({ slot, hash: 'b', generation: 2, age: 10_000 });
const [BESIDE, SECOND, THIRD] = [fresh(0), fresh(1), fresh(2)];

/** One instance serves; the new definition wants three. */
function more(rollout: Partial<RolloutSpec> = {}) {
  return defined({
    hash: 'b',
    spec: { instances: 3, rollout: { ...ROLLOUT, ...rollout }, probes: { readiness } },
  });
}

const REJECTED: Rejection = {
  ...{ generation: 2, digest: more().digest, pardon: 0, at: NOW - 1000, reason: 'not ready', run: null },
};

function rolling(changes: SituationChanges = {}): Situation {
  const runs = runsRemembered([OLD, { met: true, readySince: NOW - 50_000, everReady: true }]);
  return situation({
    desired: more(),
    applied: { [hash('a')]: spec({ rollout: ROLLOUT }) },
    runs: [OLD],
    ...changes,
    memory: memory({
      generation: 2,
      generationHash: hash('b'),
      ...changes.memory,
      runs: { ...runs, ...changes.memory?.runs },
    }),
  });
}

const stopped = ({ actions }: Decision) =>
  actions.flatMap((action) =>
    action.do === 'signal' ? [[action.run.slot, action.run.generation, action.because]] : [],
  );
const started = ({ actions }: Decision) =>
  actions.flatMap((action) => (action.do === 'start' ? [action.slot] : []));

describe('when a definition is rejected, what of it runs in places that it added', () => {
  it('is told to stop', () => {
    const decision = decide(rolling({ runs: [OLD, BESIDE, SECOND, THIRD] }));
    expect(decision.memory.rejected).toMatchObject({ generation: 2, run: BESIDE.key.id });
    expect(stopped(decision)).toEqual([0, 1, 2].map((slot) => [slot, 2, 'rollout_failed']));
    expect(started(decision)).toEqual([]);
  });

  it('also where one is stopped before the next comes', () => {
    const desired = more({ surge: 0 });
    expect(stopped(decide(rolling({ desired, runs: [OLD, SECOND, THIRD] })))).toEqual(
      [1, 2].map((slot) => [slot, 2, 'rollout_failed']),
    );
  });

  it('also by a daemon that came after the rejection', () => {
    const adopted = { ...SECOND, adopted: true };
    const next = rolling({ runs: [{ ...OLD, adopted: true }, adopted], memory: { rejected: REJECTED } });
    expect(stopped(decide(next))).toEqual([[1, 2, 'rollout_failed']]);
  });

  it('goes on where it was ready: it serves', () => {
    const runs = runsRemembered([SECOND, { met: true, readySince: null, everReady: true }]);
    const decision = decide(rolling({ runs: [OLD, SECOND, THIRD], memory: { rejected: REJECTED, runs } }));
    expect(stopped(decision)).toEqual([[2, 2, 'rollout_failed']]);
  });

  it('goes on where the failure is accepted, and where nothing older runs', () => {
    const desired = more({ on_failure: 'replace' });
    const accepted = decide(rolling({ desired, runs: [OLD, BESIDE, SECOND] }));
    expect(stopped(accepted).map(([, generation]) => generation)).toEqual([1]);
    expect(stopped(decide(rolling({ runs: [BESIDE, SECOND, THIRD] })))).toEqual([]);
  });

  it('goes on in a place that is older than the rejection: what ran there cannot be had again', () => {
    const applied = { [hash('a')]: spec({ instances: 2, rollout: ROLLOUT }) };
    const three = rolling({ applied, runs: [OLD, BESIDE, SECOND, THIRD] });
    expect(stopped(decide(three)).map(([slot]) => slot)).toEqual([0, 2]);
  });
});

describe('a place that a rejected definition added', () => {
  const kept = (changes: SituationChanges = {}) =>
    rolling({ ...changes, memory: { rejected: REJECTED, ...changes.memory } });

  it('stays empty, and says why', () => {
    const decision = decide(kept());
    expect(started(decision)).toEqual([]);
    const reason = 'the new definition, which adds it, failed: not ready';
    expect(decision.slots).toMatchObject([
      { slot: 0, phase: 'running', outdated: true, rejected: 'not ready' },
      { slot: 1, phase: 'stopped', reason },
      { slot: 2, phase: 'stopped', reason },
    ]);
  });

  it('is not said to be filled again when what ran in it ends', () => {
    const ended = over(exited(1), { slot: 1, hash: 'b', generation: 2 });
    const { notices } = decide(kept({ runs: [OLD, ended] }));
    expect(notices).toMatchObject([{ notice: 'exited', run: { slot: 1 }, respawn: false }]);
  });

  it('is filled when somebody asks for another try, and when nothing older is left', () => {
    expect(started(decide(kept({ intent: { pardon: 1 } })))).toEqual([0, 1, 2]);
    expect(started(decide(kept({ runs: [] })))).toEqual([0, 1, 2]);
  });

  it('is none where the definition of what runs is lost: how many places it had is not known', () => {
    expect(started(decide(kept({ applied: {} })))).toEqual([1, 2]);
  });

  it('is none of a restart: its definition has had all of them', () => {
    const before = run({ slot: 0, hash: 'b', generation: 1 });
    const again = kept({ runs: [before], intent: { minGeneration: 2 }, applied: {} });
    const decision = decide(again);
    expect(decision.slots[0]).toMatchObject({ outdated: true, rejected: 'not ready' });
    expect(started(decision)).toEqual([1, 2]);
  });

  it('is one that was scaled to after the rejection, not one that was there before', () => {
    const scaled = (at: number) => ({ scale: { by: 'root', at, instances: 2, file: 3 } });
    expect(started(decide(kept({ intent: scaled(NOW - 500) })))).toEqual([]);
    expect(started(decide(kept({ intent: scaled(NOW - 2000) })))).toEqual([1]);
  });
});

describe('where one is stopped before the next comes, a definition is rejected', () => {
  const desired = more({ surge: 0 });
  interface Ended {
    readonly outcome?: Outcome;
    /** How long the run in the added place has lived. Milliseconds. */
    readonly age?: number;
    readonly everReady?: boolean;
    readonly desired?: typeof desired;
  }

  function ended({ outcome = exited(1), age = 10_000, everReady = false, ...changes }: Ended = {}) {
    const added = over(outcome, { slot: 1, hash: 'b', generation: 2, age });
    const runs = runsRemembered([added, { met: true, everReady }]);
    return rolling({ desired, ...changes, runs: [OLD, added], memory: { runs } });
  }

  const phaseOf = ({ slots }: Decision, wanted: number) => slots.find((phase) => phase.slot === wanted);

  it('by the end of a run in a place that it added, which then stays empty', () => {
    const decision = decide(ended());
    expect(decision.memory.rejected).toMatchObject({ generation: 2, reason: 'exited with code 1' });
    expect(started(decision)).toEqual([]);
    expect(stopped(decision)).toEqual([]);
    expect(phaseOf(decision, 0)).toMatchObject({ outdated: true, rejected: 'exited with code 1' });
    expect(phaseOf(decision, 1)).toMatchObject({ phase: 'stopped' });
    expect(phaseOf(decision, 2)).toMatchObject({ phase: 'stopped' });
  });

  it('by a start in such a place that was refused, unless the host was short of something', () => {
    const refused = (why: Parameters<typeof problem>[0]) => {
      const outcome = { kind: 'not_started', problem: problem(why) } as const;
      const exit = { outcome, at: NOW - 500, by: 'itself', run: null, uptime: 0 } as const;
      const next = { at: NOW + 500, delay: 1000, digest: desired.digest, pardon: 0 };
      const slots = { 1: slot({ generation: 2, exits: [exit], next }) };
      return decide(rolling({ desired, memory: { slots } })).memory.rejected;
    };
    expect(refused({})).toMatchObject({ generation: 2, reason: 'it did not work', run: null });
    expect(refused({ passing: true })).toBeNull();
  });

  it('also when it was taken for ready, but had not lived long enough to prove it', () => {
    expect(decide(ended({ age: 200, everReady: true })).memory.rejected).not.toBeNull();
  });

  it('not by the end of one that has served, which is tried again', () => {
    const decision = decide(ended({ everReady: true }));
    expect(decision.memory.rejected).toBeNull();
    expect(phaseOf(decision, 1)).toMatchObject({ phase: 'backoff' });
    // Nor later, when nothing is remembered of that run but how it ended.
    const later = decide(rolling({ desired, memory: { ...decision.memory, runs: {} } }));
    expect(later.memory.rejected).toBeNull();
  });

  it('not by a one-shot that has done its work, but by one that has failed', () => {
    const spec = { instances: 3, rollout: ROLLOUT, process: { type: 'oneshot' } } as const;
    const oneshot = defined({ hash: 'b', spec });
    const done = decide(ended({ desired: oneshot, outcome: exited(0), age: 50 }));
    expect(done.memory.rejected).toBeNull();
    expect(phaseOf(done, 1)).toMatchObject({ phase: 'completed' });
    expect(decide(ended({ desired: oneshot, age: 50 })).memory.rejected).toMatchObject({ generation: 2 });
  });

  it('not by what ended in a place that nobody wants any more', () => {
    const fewer = defined({ ...desired, hash: 'b', spec: { ...desired.spec, instances: 1 } });
    expect(decide(ended({ desired: fewer })).memory.rejected).toBeNull();
  });

  it('but goes on where the failure is accepted', () => {
    const decision = decide(ended({ desired: more({ surge: 0, on_failure: 'replace' }) }));
    expect(phaseOf(decision, 1)).toMatchObject({ phase: 'backoff' });
    expect(started(decision)).toEqual([2]);
  });
});
