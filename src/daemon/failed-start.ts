/** A start was refused, by the launch itself or by the hook before it: what is remembered and told of that? */

import type { LogSizes } from '../executor/start.ts';
import type { Event } from '../model/action.ts';
import { NO_SLOT } from '../model/memory.ts';
import type { RunKey } from '../model/names.ts';
import type { Observed } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import type { Defined } from '../model/spec.ts';
import { afterExit, endingOf, renewal } from '../policy/restart.ts';
import { startReason } from '../reconcile/filling.ts';
import type { World } from '../world/world.ts';
import { failedEvent } from './run-events.ts';
import type { Store } from './store.ts';

export interface FailedStartTools {
  readonly world: Pick<World, 'clock' | 'random'>;
  readonly store: Store;
  readonly report: (event: Event) => void;
}

/**
 * It counts as a run that ended at once; what was due is not tried again, its next time comes by itself.
 * @param logs before the hook wrote anything, when it was one that failed
 */
export function noteFailedStart(
  key: RunKey,
  problem: Problem,
  { desired, observed }: { readonly desired: Defined; readonly observed: Observed },
  tools: FailedStartTools,
  logs?: LogSizes,
): void {
  const { world, store, report } = tools;
  const { spec, hash, digest } = desired;
  const memory = store.memory(key.service);
  const slot = memory.slots[key.slot] ?? NO_SLOT;
  const at = world.clock.now();
  const outcome = { kind: 'not_started', problem } as const;
  const exit = { outcome, at, by: 'itself', run: null, uptime: 0, ...logs } as const;
  const { generation } = key;
  const renewed = startReason(slot, generation) === renewal(generation);
  const next = afterExit({ ...slot, generation, renewed, preStart: null }, exit, {
    policy: spec.restart_policy,
    type: endingOf(spec),
    hash,
    digest,
    pardon: store.intent(key.service).pardon ?? 0,
    chance: world.random.next(),
  });
  store.setMemory(key.service, { ...memory, slots: { ...memory.slots, [key.slot]: next }, due: null });
  // The next decision rejects a generation that fails beside an older run, unless the host was short of something.
  const isRejected = problem.passing !== true && servesBeside(key, observed);
  report(failedEvent(key, problem, next.next !== null && !isRejected, at));
}

function servesBeside({ slot, generation }: RunKey, observed: Observed): boolean {
  if (observed.kind === 'unseen') return false;
  return observed.runs.some(
    ({ key, main, members }) =>
      key.slot === slot && key.generation < generation && members.is !== 'none' && main.is !== 'ended',
  );
}
