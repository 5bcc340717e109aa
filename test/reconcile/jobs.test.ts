import { describe, expect, it } from 'vitest';
import { noteFailedStart } from '../../src/daemon/failed-start.ts';
import { Jobs } from '../../src/daemon/jobs.ts';
import { Store } from '../../src/daemon/store.ts';
import { type RunId, runId } from '../../src/model/names.ts';
import type { ObservedRun } from '../../src/model/observed.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { wantedOf } from '../../src/reconcile/wanted.ts';
import {
  defined,
  memory,
  NOW,
  problem,
  run,
  runKey,
  type SituationChanges,
  schedule,
  seen,
  situation,
  slot,
  WEB,
} from '../builders.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';

const yearly = schedule('0 0 1 1 *');
const desired = defined({ spec: { process: { schedule: yearly } } });
const ids = ['aaaaaa', 'bbbbbb'].map((tail) => runId(NOW, tail));

function step(changes: SituationChanges) {
  let made = 0;
  return new Jobs(() => 'UTC').step(
    situation({ desired, ...changes }),
    () => ids[made++] ?? runId(NOW, 'cccccc'),
  );
}

describe('a trigger', () => {
  it('is followed once for each, one after the other', () => {
    const known = step({}).memory;
    const first = step({ memory: known, intent: { triggers: 2 } });
    expect(first.fired).toBe(true);
    expect(first.memory).toMatchObject({ triggered: 1, due: { run: ids[0], slot: null } });
    const done = { ...first.memory, due: null };
    expect(step({ memory: done, intent: { triggers: 2 } }).memory.triggered).toBe(2);
  });

  it('of which nobody remembers whether it was followed is not followed again', () => {
    const answer = step({ memory: memory(), intent: { triggers: 3 } });
    expect(answer.fired).toBe(false);
    expect(answer.memory.triggered).toBe(3);
  });
});

it('a run of which only the place was made gets another id: its launcher may be on its way still', () => {
  const place = run({ everRan: false, members: 'none', main: { is: 'unknown' } });
  const known = { ...step({}).memory, due: { run: place.key.id, slot: NOW } };
  const answer = step({ memory: known, runs: [place] });
  expect(answer.memory.due).toEqual({ run: ids[0], slot: NOW, before: place.key.id });
  expect(answer.fired).toBe(true);
});

describe('a run of which only the place was made, and whose launcher came after all', () => {
  const late = run({ everRan: true, hash: desired.hash[0] ?? '' });
  const due = { run: ids[0] as RunId, slot: NOW, before: late.key.id };

  it('is the run that was due', () => {
    const known = { ...step({}).memory, due };
    expect(step({ memory: known, runs: [late] }).memory.due).toBeNull();
  });

  it('is it also when it has ended by the time that it is looked at: nothing is started', () => {
    const ended: ObservedRun = { ...late, members: { is: 'none' }, main: { is: 'unknown' } };
    const known = { ...step({}).memory, due };
    const { actions, memory: after } = decide(situation({ desired, memory: known, runs: [ended] }));
    expect(actions.map((action) => action.do)).toEqual(['clean_up']);
    expect(after.due).toBeNull();
  });
});

it('the end of whichever run may have been the due one is written before its traces go', () => {
  const store = new Store(new MemoryFiles(new Injector()), '/state', 'boot');
  const [first, second] = ids as [RunId, RunId];
  store.setMemory(WEB, memory({ due: { run: second, slot: NOW, before: first } }));
  expect(store.flush()).toBeUndefined();
  expect([first, second].map((id) => store.owes({ ...runKey({}), id }))).toEqual([true, true]);
});

it('the end of a run is written before its traces go where the file says that its hook has passed and nothing more', () => {
  const files = new MemoryFiles(new Injector());
  const store = new Store(files, '/state', 'boot');
  const { key } = run();
  const prepared = (state: 'running' | 'passed') =>
    memory({
      slots: {
        [key.slot]: slot({ preStart: { run: key.id, generation: key.generation, digest: '', state } }),
      },
    });
  /** This one, and one that reads the file back. */
  const owes = () => {
    const next = new Store(files, '/state', 'boot');
    next.load();
    return [store, next].map((one) => one.owes(key));
  };
  store.setMemory(WEB, prepared('running'));
  store.flush();
  expect(owes()).toEqual([false, false]);
  store.setMemory(WEB, prepared('passed'));
  expect(owes()).toEqual([false, false]);
  store.flush();
  expect(owes()).toEqual([true, true]);
  // It was started: the file says so later.
  store.setMemory(WEB, memory());
  expect(owes()).toEqual([true, true]);
  store.flush();
  expect(owes()).toEqual([false, false]);
});

it('what was due and could not be started is not due any more', () => {
  const store = new Store(new MemoryFiles(new Injector()), '/state', 'boot');
  const key = runKey({});
  store.setMemory(WEB, memory({ due: { run: key.id, slot: NOW } }));
  const world = { clock: { now: () => NOW }, random: { next: () => 0 } };
  noteFailedStart(key, problem(), { desired, observed: seen() }, { store, world, report: () => {} } as never);
  expect(store.memory(WEB).due).toBeNull();
});

it('a file with errors does not make a schedule forget what it has done', () => {
  const known = step({}).memory;
  const broken = situation({ desired: { ...desired, kind: 'broken' } as never }).desired;
  expect(step({ desired: broken, memory: known }).memory.job).toEqual(known.job);
});

it('a scale from before it had a schedule makes no second place', () => {
  const intent = { scale: { by: 'bob', at: 0, instances: 3, file: 1 } };
  expect(wantedOf(situation({ desired, intent }))).toMatchObject({ kind: 'run', count: 1 });
});
