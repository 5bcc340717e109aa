import { expect, it } from 'vitest';
import { carryOut } from '../../src/daemon/carrying-out.ts';
import { NOTHING } from '../../src/daemon/following.ts';
import { Hands } from '../../src/daemon/hands.ts';
import { Store } from '../../src/daemon/store.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Decision } from '../../src/reconcile/situation.ts';
import type { Containment } from '../../src/world/world.ts';
import { memory, problem, situation, slot, WEB } from '../builders.ts';
import { fakeTools } from '../executor/fake-tools.ts';
import { Injector } from '../twins/injector.ts';
import { MemoryFiles } from '../twins/memory-files.ts';

/** @param left what is said of what is left of the service */
function forgetting(left: Problem | undefined) {
  const fake = fakeTools();
  const store = new Store(new MemoryFiles(new Injector()), '/state', 'boot');
  const remembered = memory({ slots: { 0: slot({ generation: 1 }) } });
  const intent = { removalApproved: true };
  store.setMemory(WEB, remembered);
  store.setIntents(new Map([[WEB, intent]]));
  const forget: Containment['forget'] = () => left;
  const clock = { now: () => 0, wall: () => 0, after: () => () => {} };
  const containment = { ...fake.world.containment, forget } as Containment;
  const settings = { ...fake.settings, pools: { start_port: 4000, end_port: 4099 } };
  const world = { ...fake.world, containment, clock };
  const hands = new Hands({
    ...{ ...fake, settings, world, store, loop: { desired: NOTHING } },
    report: () => {},
    mark: () => {},
  });
  const decision: Decision = {
    actions: [{ do: 'forget', service: WEB, because: 'file removed' }],
    memory: remembered,
    slots: [],
    notices: [],
    wakeAt: undefined,
    wakeFrom: undefined,
  };
  let told = false;
  const failed = carryOut(decision, situation({ desired: undefined, intent, memory: remembered }), {
    hands,
    complain: fake.complain,
    forgotten: () => {
      told = true;
    },
  });
  return { failed, told, names: store.names(), intent: store.intent(WEB), complaints: fake.complaints };
}

it('a removed service of which nothing is left is forgotten', () => {
  expect(forgetting(undefined)).toMatchObject({ failed: false, told: true, names: [], intent: {} });
});

it('one that left something is remembered with the approval of its removal, and is tried again', () => {
  const approved = { removalApproved: true };
  const kept = { failed: true, told: false, names: [WEB], intent: approved };
  const complaints = [{ code: 'stop-blocked', service: 'web' }];
  expect(forgetting(problem({ code: 'stop-blocked' }))).toMatchObject({ ...kept, complaints });
  // A probe that is being ended is nothing that a person should know.
  expect(forgetting(problem({ code: 'stop-blocked', passing: true }))).toMatchObject({
    ...kept,
    complaints: [],
  });
});
