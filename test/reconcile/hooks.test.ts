import { describe, expect, it } from 'vitest';
import { decide } from '../../src/reconcile/decide.ts';
import { besides } from '../../src/reconcile/situation.ts';
import {
  defined,
  exited,
  memory,
  NOW,
  over,
  run,
  type SituationChanges,
  seen,
  situation,
  slot,
  spec,
} from '../builders.ts';

const HOOK = { command: ['/bin/true'], timeout: 1000 };

function withHook(hook: 'pre_start' | 'post_stop', changes: SituationChanges = {}) {
  return situation({ desired: defined({ spec: { hooks: { ...spec().hooks, [hook]: HOOK } } }), ...changes });
}

function doings(changes: Parameters<typeof decide>[0]) {
  return decide(changes).actions.map((action) => (action.do === 'hook' ? action.hook : action.do));
}

describe('before a start', () => {
  it('the hook is begun once, also for a definition that changes meanwhile', () => {
    const first = decide(withHook('pre_start'));
    expect(first.actions.map(({ do: what }) => what)).toEqual(['hook']);
    const id = first.memory.slots[0]?.preStart?.run;
    if (id === undefined) throw new Error('it is remembered');
    const inFlight = new Set([besides(id, 'pre_start')]);
    const { memory: known } = first;
    expect(doings(withHook('pre_start', { memory: known, inFlight }))).toEqual([]);
    const changed = defined({
      digest: 'other',
      spec: { description: 'other', hooks: { ...spec().hooks, pre_start: HOOK } },
    });
    expect(doings(withHook('pre_start', { desired: changed, memory: known, inFlight }))).toEqual([]);
  });

  it('a success does not outlast a stop by hand', () => {
    const first = decide(withHook('pre_start'));
    const preStart = first.memory.slots[0]?.preStart ?? null;
    const passed = {
      ...first.memory,
      slots: { 0: slot({ preStart: preStart && { ...preStart, state: 'passed' } }) },
    };
    expect(doings(withHook('pre_start', { memory: passed }))).toEqual(['start']);
    const intent = { stopped: { by: 'bob', at: NOW } };
    const stopped = decide(withHook('pre_start', { memory: passed, intent }));
    expect(doings(withHook('pre_start', { memory: stopped.memory }))).toEqual(['pre_start']);
  });
});

it('what was prepared is used up by a start that its daemon did not live to write down', () => {
  const first = decide(withHook('pre_start'));
  const preStart = first.memory.slots[0]?.preStart ?? null;
  const prepared = slot({ preStart: preStart && { ...preStart, state: 'passed' } });
  const unnoted = run({ adopted: true, generation: preStart?.generation ?? 0 });
  const known = { ...first.memory, slots: { 0: prepared } };
  const next = decide(withHook('pre_start', { memory: known, observed: seen(unnoted) }));
  expect(next.memory.slots[0]?.preStart).toBeNull();
});

describe('after an end', () => {
  it('the place is filled when the hook is over', () => {
    const ended = over(exited(0));
    const first = decide(withHook('post_stop', { observed: seen(ended), memory: memory({ generation: 1 }) }));
    expect(first.actions.map(({ do: what }) => what)).toEqual(['hook', 'clean_up']);
    const later = { memory: first.memory, now: NOW + 60_000 };
    const inFlight = new Set([besides(ended.key.id, 'post_stop')]);
    expect(doings(withHook('post_stop', { ...later, inFlight }))).toEqual([]);
    expect(doings(withHook('post_stop', later))).toEqual(['start']);
  });

  it('a service that was removed is forgotten when the hook is over, and waits for it when it comes back', () => {
    const ended = over(exited(0));
    const { desired, applied } = withHook('post_stop');
    const gone = {
      desired: undefined,
      applied: Object.fromEntries(applied),
      intent: { removalApproved: true },
    };
    const first = decide(situation({ ...gone, observed: seen(ended), memory: memory({ generation: 1 }) }));
    expect(first.actions.map(({ do: what }) => what)).toEqual(['hook', 'clean_up']);
    const inFlight = new Set([besides(ended.key.id, 'post_stop')]);
    const going = { memory: first.memory, now: NOW + 1500, inFlight };
    expect(doings(situation({ ...gone, ...going }))).toEqual([]);
    expect(doings(situation({ ...going, desired }))).toEqual([]);
    expect(doings(situation({ ...gone, ...going, inFlight: new Set() }))).toEqual(['forget']);
  });
});
