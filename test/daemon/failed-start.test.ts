/** What is told of a start that was refused, and what becomes of its place? */
import { expect, it } from 'vitest';
import { noteFailedStart } from '../../src/daemon/failed-start.ts';
import { Store } from '../../src/daemon/store.ts';
import type { Event } from '../../src/model/action.ts';
import type { ObservedRun } from '../../src/model/observed.ts';
import {
  defined,
  exited,
  mainEnded,
  memory,
  NOW,
  problem,
  run,
  runKey,
  seen,
  slot,
  WEB,
} from '../builders.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';

const older = run({ generation: 1 });

interface Refused {
  /** The place before. */
  readonly before?: Parameters<typeof slot>[0];
  readonly besides?: readonly ObservedRun[];
  readonly passing?: true;
}

/** The start of generation 2 is refused. */
function refused({ before, besides = [], passing }: Refused) {
  const store = new Store(new MemoryFiles(new Injector()), '/state', 'boot');
  if (before !== undefined) store.setMemory(WEB, memory({ slots: { 0: slot(before) } }));
  const events: Event[] = [];
  const clock = { now: () => NOW, wall: () => NOW, after: () => () => {} };
  const world = { clock, random: { next: () => 0 } };
  const spec = { restart_policy: { crash_on_start: 'wait_for_change' as const } };
  const desired = defined({ hash: 'b', ...(before === undefined ? {} : { spec }) });
  const why = problem(passing === undefined ? {} : { passing });
  const service = { desired, observed: seen(...besides) };
  noteFailedStart(runKey({ generation: 2 }), why, service, {
    world,
    store,
    report: (event) => events.push(event),
  });
  return { place: store.memory(WEB).slots[0], told: events[0]?.fields };
}

it('a start that a change caused waits for the next change when it is refused, any other is tried again', () => {
  expect(refused({ before: { generation: 1 } }).place).toMatchObject({
    generation: 2,
    next: null,
    end: { kind: 'failed' },
  });
  const next = { at: NOW, delay: 1000, digest: '', pardon: 0 };
  const again = { end: null, next: { delay: 1000 } };
  expect(refused({ before: { generation: 2, renewed: true, next } }).place).toMatchObject(again);
  expect(refused({ before: {} }).place).toMatchObject(again);
});

it.each([
  ['again', 'nothing serves in its place', [], 'respawn'],
  ['not again', 'an older run serves on in its place', [older], 'none'],
  ['again', 'the older run is in another place', [run({ slot: 1, generation: 1 })], 'respawn'],
  ['again', 'the older run has ended', [mainEnded(exited(0), { generation: 1 })], 'respawn'],
] as const)('it is tried %s when %s', (_, __, besides, action) => {
  expect(refused({ besides }).told).toMatchObject({ exit_reason: 'not_started', restart_action: action });
});

it('it is tried again beside an older run when the host was short of something', () => {
  expect(refused({ besides: [older], passing: true }).told).toMatchObject({ restart_action: 'respawn' });
});
