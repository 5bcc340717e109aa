/** Whose file is gone, and may what runs of it be stopped? */
import type { Intent } from '../model/memory.ts';
import type { ServiceName } from '../model/names.ts';
import type { DesiredState } from '../model/spec.ts';
import { count } from '../model/units.ts';
import { guardRemovals, type RecentRemovals } from '../reconcile/guard.ts';
import type { World } from '../world/world.ts';
import { isOutlived } from './scaling.ts';
import type { Store } from './store.ts';

export interface Removals {
  /** Held back until somebody confirms. */
  readonly held: readonly ServiceName[];
  readonly approved: readonly ServiceName[];
  /** Those of `approved` of which something runs. */
  readonly stopping: readonly ServiceName[];
  /** Why they are held back; empty when none is. */
  readonly reason: string;
  /** They stay so whatever the next reading says, unless it has their files. */
  readonly lasts: boolean;
}

export interface RemovalTools {
  readonly world: Pick<World, 'containment'>;
  readonly store: Store;
  readonly maxPercent: number;
  readonly recent: RecentRemovals;
}

/**
 * A file may be away for as long as somebody looks at another branch, or mends a deployment, and its service is the same
 * when it is back: what was stopped for a reason stays so. Milliseconds.
 */
const REMEMBERED = 24 * 60 * 60_000;

export const NO_REMOVALS: Removals = { held: [], approved: [], stopping: [], reason: '', lasts: false };

/** @param names every service that is wanted, seen or remembered */
export function removalsOf(
  desired: DesiredState,
  names: readonly ServiceName[],
  tools: RemovalTools,
): Removals {
  const { store } = tools;
  const open = names.filter((name) => store.intent(name).removalApproved !== true);
  const gone = open.filter((name) => !desired.services.has(name));
  if (gone.length === 0) return NO_REMOVALS;
  const running = gone.filter((name) => hasRuns(name, tools));
  const wanted = open.filter((name) => desired.services.has(name) && hasRuns(name, tools));
  const { files, readable } = desired;
  // A service whose file came back was not removed; what is gone anew is counted as such.
  const recent = [...tools.recent.keys()].filter(
    (name) => !desired.services.has(name) && !gone.includes(name),
  );
  const answer = guardRemovals({
    // Where the whole directory looks like a mistake, what is only remembered counts as well: a stop by hand or a
    // completed one-shot that is forgotten would run again as soon as the files are back.
    removed: readable && files > 0 ? running : gone,
    recent: recent.length,
    running: running.length + wanted.length,
    files,
    readable,
    maxPercent: tools.maxPercent,
  });
  if (answer.say === 'hold') {
    // Of a directory that cannot be believed, nothing was learnt about the single service.
    return { ...NO_REMOVALS, held: gone, reason: answer.reason, lasts: readable && files > 0 };
  }
  const held = gone.filter((name) => store.intent(name).removalHeld === true);
  const isMeant = (name: ServiceName): boolean => !held.includes(name);
  const [approved, stopping] = [gone.filter(isMeant), running.filter(isMeant)];
  return { held, approved, stopping, reason: heldBefore(held.length), lasts: held.length > 0 };
}

function heldBefore(held: number): string {
  return held === 0
    ? ''
    : `the removal of ${count(held, 'service')} was held back before and is not confirmed`;
}

/** What a new reading of the directory makes obsolete in the intents of its services. */
export function outlivedIntents(
  desired: DesiredState,
  store: Store,
  now: number,
): ReadonlyMap<ServiceName, Intent> {
  const changes = new Map<ServiceName, Intent>();
  for (const [name, service] of desired.services) {
    const { removalApproved, removalHeld, goneAt, ...before } = store.intent(name);
    let next: Intent = goneAt !== undefined && isForgotten(goneAt, now) ? unstopped(before) : before;
    if (service.kind === 'defined' && next.scale !== undefined) {
      const { scale, ...unscaled } = next;
      if (isOutlived(scale, service.spec)) next = unscaled;
    }
    const isBack = removalApproved === true || removalHeld === true || goneAt !== undefined;
    if (isBack || next !== before) changes.set(name, next);
  }
  return changes;
}

/** The stops of services without a file that are remembered no longer. */
export function forgottenStops(
  desired: DesiredState,
  store: Store,
  now: number,
): ReadonlyMap<ServiceName, Intent> {
  return stopsDropped(desired, store, ({ goneAt }) => goneAt !== undefined && isForgotten(goneAt, now));
}

/** The same of those services of which somebody has confirmed that they are gone. */
export function confirmedStops(
  desired: DesiredState,
  store: Store,
  only: ReadonlySet<string> | undefined,
): ReadonlyMap<ServiceName, Intent> {
  const isGoing = ({ goneAt, removalApproved }: Intent): boolean =>
    goneAt !== undefined || removalApproved === true;
  return stopsDropped(desired, store, (intent, name) => isGoing(intent) && (only?.has(name) ?? true));
}

function stopsDropped(
  { services }: DesiredState,
  store: Store,
  isOver: (intent: Intent, name: ServiceName) => boolean,
): ReadonlyMap<ServiceName, Intent> {
  const over = [...store.intents].filter(([name, intent]) => !services.has(name) && isOver(intent, name));
  const stopped = over.filter(([, intent]) => intent.stopped !== undefined);
  return new Map(stopped.map(([name, { goneAt: _, ...intent }]) => [name, unstopped(intent)]));
}

export function unstopped({ stopped: _, ...intent }: Intent): Intent {
  return intent;
}

function isForgotten(goneAt: number, now: number): boolean {
  return now - goneAt >= REMEMBERED;
}

/** "Could not look" counts as running: a removal that cannot be judged is not waved through. */
function hasRuns(name: ServiceName, { world }: RemovalTools): boolean {
  const observed = world.containment.look(name, () => null);
  return observed.kind === 'unseen' || observed.runs.length > 0;
}
