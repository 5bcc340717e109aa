import { expect, it } from 'vitest';
import { failedServices } from '../../src/daemon/failed-services.ts';
import type { Glance } from '../../src/daemon/outcome.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { SlotPhase } from '../../src/reconcile/situation.ts';
import { defined, memory, NOW, name } from '../builders.ts';

const FAILED: SlotPhase = { slot: 0, phase: 'failed', reason: 'exited with code 3', retryAt: null };
const STARTING: SlotPhase = { slot: 0, phase: 'starting' };
const HELD = { held: { by: 'bob', at: NOW } };

function loopOf(services: Readonly<Record<string, { phase: SlotPhase; more?: Partial<Glance> }>>) {
  const of = (service: ServiceName) => services[service];
  return {
    names: () => Object.keys(services).map(name),
    // Everything is due again.
    glance: (service: ServiceName): Glance => ({
      ...{ desired: defined({ name: service }), intent: {}, ending: undefined, now: NOW },
      ...{ memory: memory(), decision: undefined, due: true, ...of(service)?.more },
    }),
    decision: (service: ServiceName) => {
      const { phase = STARTING } = of(service) ?? {};
      const nothing = { actions: [], notices: [], wakeAt: undefined, wakeFrom: undefined };
      return { ...nothing, memory: memory(), slots: [phase] };
    },
  };
}

it('tells those that have failed by the last decision, of which the plan does not tell', () => {
  const loop = loopOf({
    down: { phase: FAILED },
    coming: { phase: STARTING },
    changing: { phase: FAILED },
    held: { phase: FAILED, more: { intent: HELD } },
  });
  expect(failedServices(loop, new Set(['changing']))).toEqual([
    { service: 'down', reason: 'instance 0: exited with code 3' },
  ]);
});
