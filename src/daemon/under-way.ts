/** Which services are on their way to what is in force, so that nothing is left to be begun, but not there yet? */
import type { Change, ChangeKind } from '../model/action.ts';
import { NO_SLOT } from '../model/memory.ts';
import { type ServiceName, startOfRun } from '../model/names.ts';
import type { ServiceSpec } from '../model/spec.ts';
import { PROOF_OF_LIFE } from '../policy/rollout.ts';
import type { SlotPhase } from '../reconcile/situation.ts';
import { wantedOf } from '../reconcile/wanted.ts';
import { noted } from './failing.ts';
import type { Loop } from './loop.ts';
import { type Glance, isOneShot, isUp } from './outcome.ts';

type Running = Extract<SlotPhase, { phase: 'running' }>;

/** Changes that have come about before the service itself is up. */
const ALONGSIDE: readonly ChangeKind[] = ['live', 'define', 'keep'];

/**
 * By the last decision about each: whoever asks when everything has settled has to wait for nothing, not even for a pass.
 * What has failed already, or came back after a failure, is on no such way; nor is what somebody has stopped or holds.
 * @param planned what is told of the services it names is waited for anyway
 */
export function underWay(
  loop: Pick<Loop, 'names' | 'glance' | 'decision'>,
  planned: readonly Change[],
  only?: ReadonlySet<string>,
): readonly ServiceName[] {
  const told = new Set(
    planned.flatMap(({ service, action }) => (ALONGSIDE.includes(action) ? [] : [service])),
  );
  return loop
    .names()
    .filter((name) => !told.has(name) && (only?.has(name) ?? true))
    .filter((name) => isUnderWay({ ...loop.glance(name), decision: loop.decision(name) }));
}

function isUnderWay(glance: Glance): boolean {
  const slots = glance.decision?.slots ?? [];
  const wanted = wantedOf(glance);
  if (wanted.kind === 'none') {
    const isAsked = glance.ending !== undefined || glance.intent.stopped !== undefined;
    return !isAsked && slots.some((phase) => phase.phase === 'stopping' && !phase.blocked);
  }
  if (wanted.kind === 'leave') return false;
  if (!slots.some((phase) => isOnItsWay(phase, glance, wanted.desired.spec, wanted.count))) return false;
  // Another instance of it has failed.
  return noted(glance) === undefined && isUp(glance).result === 'pending';
}

function isOnItsWay(phase: SlotPhase, glance: Glance, spec: ServiceSpec, count: number): boolean {
  switch (phase.phase) {
    case 'starting':
      return !hasComeBack(phase.slot, glance);
    case 'stopping': {
      // One of the newest generation was not well, or its time was over.
      const makesRoom = phase.slot >= count || phase.run.generation !== glance.memory.generation;
      return makesRoom && !phase.blocked;
    }
    case 'running': {
      const isJob = spec.process.schedule !== null;
      if (isJob || phase.outdated || hasComeBack(phase.slot, glance)) return false;
      // Whoever was ready once has come up.
      if (!phase.ready && glance.memory.runs[phase.run.id]?.everReady === true) return false;
      const age = glance.now - startOfRun(phase.run.id);
      return age >= 0 && age < timeFor(phase, glance, spec);
    }
    default:
      return false;
  }
}

/** What is ready again after a while, or was met by a new daemon, has come up long ago. */
function timeFor({ ready, run }: Running, { memory, now }: Glance, spec: ServiceSpec): number {
  const { timeout, min_ready } = spec.rollout;
  if (!ready || isOneShot(spec)) return timeout;
  const since = memory.runs[run.id]?.readySince ?? startOfRun(run.id);
  return now - since < min_ready ? timeout + min_ready : PROOF_OF_LIFE;
}

/** The newest generation was in the place already, and ended. */
function hasComeBack(slot: number, { memory }: Glance): boolean {
  const { generation, restarts, next, end } = memory.slots[slot] ?? NO_SLOT;
  return generation === memory.generation && (restarts > 0 || next !== null || end !== null);
}
