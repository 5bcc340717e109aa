import { expect, it } from 'vitest';
import { noteFailedStart } from '../../src/daemon/failed-start.ts';
import { Store } from '../../src/daemon/store.ts';
import { defined, memory, NOW, problem, runKey, slot, WEB } from '../builders.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';

/** What becomes of the place when the start of generation 2 is refused. */
function refused(before: Parameters<typeof slot>[0]) {
  const store = new Store(new MemoryFiles(new Injector()), '/state', 'boot');
  store.setMemory(WEB, memory({ slots: { 0: slot(before) } }));
  const desired = defined({ spec: { restart_policy: { crash_on_start: 'wait_for_change' } } });
  const clock = { now: () => NOW, wall: () => NOW, after: () => () => {} };
  const world = { clock, random: { next: () => 0 } };
  noteFailedStart(runKey({ generation: 2 }), problem(), desired, { world, store, report: () => {} });
  return store.memory(WEB).slots[0];
}

it('a start that a change caused waits for the next change when it is refused, any other is tried again', () => {
  expect(refused({ generation: 1 })).toMatchObject({ generation: 2, next: null, end: { kind: 'failed' } });
  const next = { at: NOW, delay: 1000, digest: '', pardon: 0 };
  expect(refused({ generation: 2, renewed: true, next })).toMatchObject({ end: null, next: { delay: 1000 } });
  expect(refused({})).toMatchObject({ end: null, next: { delay: 1000 } });
});
