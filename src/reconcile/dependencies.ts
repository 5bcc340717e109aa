/** How does a service stand, for those that depend on it? */
import type { ServiceName } from '../model/names.ts';
import type { Decision, Dependency, SlotPhase } from './situation.ts';
import { type Wanted, whyNothing } from './wanted.ts';

/** What is told about a service to those around it. */
export interface Standing {
  /** Some instance runs, or it has run to its end. */
  readonly started: boolean;
  /** Some instance runs and its probes say that it is ready. */
  readonly ready: boolean;
  /** It is a one-shot, and has run to its end. */
  readonly completed: boolean;
  /** A newer definition is taking over, and nothing keeps it from that. */
  readonly rolling: boolean;
  /** What is not yet as others need it is on its way there. */
  readonly coming: boolean;
  /** Processes of it are left. */
  readonly present: boolean;
  /** It is to be down. */
  readonly unwanted: boolean;
  /** It will not come up by itself; why. */
  readonly failed: string | null;
  /** It has failed, or waits for one that has. */
  readonly dueToFailure: boolean;
  /** The one thing that it waits for. */
  readonly detail: string;
}

/** @param decision the last one about it; undefined: it could not be seen */
export function standingOf(wanted: Wanted, decision: Decision | undefined): Standing {
  const slots = decision?.slots ?? [];
  const running = slots.flatMap((phase) => (phase.phase === 'running' ? [phase] : []));
  const failed = slots.find((phase) => phase.phase === 'failed');
  const unready = running.find((phase) => !phase.ready);
  // What is left alone has no places to tell of, and is complete all the same.
  const ends = wanted.kind === 'leave' ? Object.values(decision?.memory.slots ?? {}) : [];
  const completed =
    (slots.length > 0 && slots.every((phase) => phase.phase === 'completed')) ||
    (slots.length === 0 && ends.length > 0 && ends.every(({ end }) => end?.kind === 'completed'));
  const waiting = slots.find((phase) => phase.phase === 'waiting');
  const blocked = slots.some((phase) => phase.phase === 'stopping' && phase.blocked);
  // Whoever got stuck on the way, or waits itself for what does not come, is not waited for.
  const rolling =
    failed === undefined &&
    !blocked &&
    (running.some((phase) => phase.outdated && phase.rejected === null && phase.heldBack?.away !== true) ||
      (running.length > 0 && slots.some((phase) => phase.phase === 'starting')));
  return {
    started: running.length > 0 || completed,
    ready: running.some((phase) => phase.ready),
    completed,
    rolling,
    coming: rolling || (wanted.kind !== 'none' && slots.some(isOnItsWay)) || decision === undefined,
    // Whoever survives SIGKILL is not waited for.
    present:
      slots.some((phase) => 'run' in phase && !(phase.phase === 'stopping' && phase.blocked)) ||
      decision === undefined,
    unwanted: wanted.kind === 'none',
    failed: failed?.phase === 'failed' ? failed.reason : null,
    dueToFailure: failed !== undefined || slots.some(waitsForFailure),
    detail: unready?.health || (waiting?.phase === 'waiting' ? waiting.reason : '') || whyNothing(wanted),
  };
}

function waitsForFailure(phase: SlotPhase): boolean {
  if (phase.phase === 'waiting') return phase.dueToFailure === true;
  return phase.phase === 'running' && phase.heldBack?.dueToFailure === true;
}

function isOnItsWay(phase: SlotPhase): boolean {
  switch (phase.phase) {
    case 'starting':
    case 'backoff':
      return true;
    case 'stopping':
      return !phase.blocked;
    case 'waiting':
      return phase.away !== true;
    case 'running':
      return phase.settling === true;
    default:
      return false;
  }
}

/** @param standing undefined: no file defines it */
export function dependencyOf(
  name: ServiceName,
  condition: 'started' | 'ready' | 'completed',
  standing: Standing | undefined,
): Dependency {
  if (standing === undefined) return { name, state: 'away', detail: `${name} is not defined` };
  const toFailure = standing.dueToFailure ? ({ dueToFailure: true } as const) : {};
  if (standing[condition]) {
    const detail = `${name} is ${condition}`;
    return standing.rolling
      ? { name, state: 'rolling', detail, ...toFailure }
      : { name, state: 'met', detail };
  }
  // What runs may complete at any time.
  const isComing = standing.coming || (condition === 'completed' && standing.started);
  const state = isComing ? 'waiting' : 'away';
  const because = state === 'away' && standing.dueToFailure ? ({ dueToFailure: true } as const) : {};
  if (standing.failed !== null) {
    return { name, state, detail: `${name} has failed: ${standing.failed}`, ...because };
  }
  const detail = standing.detail === '' ? '' : `: ${standing.detail}`;
  return { name, state, detail: `${name} is not ${condition}${detail}`, ...because };
}

/** Does anything change for those around it? */
export function isSameStanding(a: Standing, b: Standing): boolean {
  return (Object.keys(a) as (keyof Standing)[]).every((key) => a[key] === b[key]);
}
