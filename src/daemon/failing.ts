/** A service of an update has failed: what becomes of the rest of it? */
import type { FailureView, OnFailure, UpdateRequest } from '../api/changes.ts';
import type { Trigger } from '../api/deploys.ts';
import type { Change } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import { firstAndMore } from '../model/shown-words.ts';
import type { Desired, DesiredState } from '../model/spec.ts';
import { describeExit, isUnder } from '../policy/restart.ts';
import { awayOf } from '../reconcile/filling.ts';
import type { Situation } from '../reconcile/situation.ts';
import { wantedOf } from '../reconcile/wanted.ts';
import type { Clock } from '../world/world.ts';
import { differing } from './comparison.ts';
import type { KeptText } from './freeze.ts';
import type { Loop } from './loop.ts';
import { type Glance, isUpItself, type Outcome } from './outcome.ts';
import { idOf, type Snapshot } from './snapshots.ts';
import { untilSettled } from './waiting.ts';

export interface FailingTools {
  readonly clock: Clock;
  readonly loop: Loop;
  /** Makes this the state in force, and keeps it until somebody resumes; a sentence when it could not. */
  readonly goBack: (
    to: Snapshot | readonly KeptText[],
    because: { readonly by: string; readonly failed: ServiceName; readonly detail: string },
  ) => string | undefined;
  /** The last state that converged, other than the current one. */
  readonly lastGood: () => Snapshot | undefined;
  readonly textsOf: (desired: DesiredState) => readonly KeptText[];
}

/** What an update says about its services besides what is seen of them. */
export interface Verdicts {
  of(service: ServiceName): Outcome | undefined;
  readonly failure: FailureView | undefined;
}

/** Why there is nothing to go back to; docs/deploys.md tells how it is chosen. */
export const NOWHERE = 'of no other state is it known that all that going back would change came up there';

const NONE: Verdicts = { of: () => undefined, failure: undefined };

/** Services whose env files or secrets cannot be taken back, in the sentence about that. */
const MOST_NAMED = 5;

/** What is neither ready nor failed by then is left to itself, also what comes back after a failure. Milliseconds. */
export const LONGEST_WATCH = 3600_000;

interface Watched {
  readonly policy: Exclude<OnFailure, 'continue'>;
  readonly by: string;
  /** Of services that it changes. */
  readonly planned: readonly Change[];
  /** What was followed before it. */
  readonly baseline: DesiredState;
  /** Not ready yet. */
  readonly open: Set<ServiceName>;
  readonly verdicts: Map<ServiceName, Outcome>;
  failure: FailureView | undefined;
  isOver: boolean;
}

export class Failing {
  readonly #tools: FailingTools;
  #watched: Watched | undefined;

  constructor(tools: FailingTools) {
    this.#tools = tools;
  }

  /**
   * Looks after an update that was begun just now, and in its place after what the one before has begun and is not
   * ready yet. What a file that was saved changes meanwhile belongs to no update.
   * @param before what was followed until then
   */
  watch(
    request: UpdateRequest,
    trigger: Trigger,
    planned: readonly Change[],
    before: DesiredState,
  ): Verdicts {
    if (trigger === 'watch' || trigger === 'resync') return NONE;
    const former = this.#watched;
    const changed = new Set(differing(before, this.#tools.loop.desired));
    const own = planned.filter(({ service }) => changed.has(service));
    // What had failed before, and is not changed by this, is no news that could keep the rest from being begun.
    const starting = planned.filter(
      (change) =>
        STARTING.includes(change.action) &&
        (changed.has(change.service) || this.#isUnderWay(change)) &&
        noted(this.#tools.loop.glance(change.service)) === undefined,
    );
    const isNew = changed.size > 0 || starting.some(({ service }) => former?.open.has(service) !== true);
    // Who only asks again does not take back what becomes of the update that is under way, and is told of it.
    if (former !== undefined && !isNew && trigger !== 'rollback') return verdictsOf(former);
    if (former !== undefined) former.isOver = true;
    this.#watched = undefined;
    const policy = request.on_failure ?? (trigger === 'update' ? 'stop' : 'continue');
    const open = new Set([...(former?.open ?? []), ...starting.map(({ service }) => service)]);
    if (policy === 'continue' || open.size === 0) return NONE;
    const watched: Watched = {
      policy,
      by: request.by ?? trigger,
      planned: [...(former?.planned ?? []).filter(({ service }) => !changed.has(service)), ...own],
      baseline: former?.baseline ?? before,
      open,
      // Whoever waits for the one before is told as well.
      verdicts: former?.verdicts ?? new Map(),
      failure: undefined,
      isOver: false,
    };
    this.#watched = watched;
    const { loop, clock } = this.#tools;
    void untilSettled(loop, clock, LONGEST_WATCH, () => this.#look(watched)).then(() => this.#end(watched));
    return verdictsOf(watched);
  }

  /**
   * Where the watch was quicker than the update, a roll-out is on its way. Whatever else is planned of a service that
   * nobody has changed only waits, perhaps for what comes much later, and then by another command.
   */
  #isUnderWay({ action, service }: Change): boolean {
    return action !== 'start' && awayOf(this.#tools.loop.situation(service)) === undefined;
  }

  #end(watched: Watched): void {
    watched.isOver = true;
    if (this.#watched === watched) this.#watched = undefined;
  }

  #look(watched: Watched): Outcome {
    let again: number | undefined;
    for (const service of [...watched.open]) {
      if (watched.isOver) return OVER;
      const glance = this.#tools.loop.glance(service);
      // Somebody stopped or holds it: that is no failure. Nor is it one to wait for a service that has failed: the update
      // fails by that one, if it is of it.
      const outcome: Outcome = wantedOf(glance).kind === 'run' ? (noted(glance) ?? isUpItself(glance)) : OVER;
      if (outcome.result === 'done') watched.open.delete(service);
      if (outcome.result === 'pending')
        again = Math.min(outcome.again ?? LONGEST_WATCH, again ?? LONGEST_WATCH);
      if (outcome.result !== 'failed') continue;
      this.#end(watched);
      watched.verdicts.set(service, outcome);
      if (watched.policy === 'stop') this.#stop(watched, service, outcome.detail);
      else this.#rollBack(watched, service, outcome.detail);
      return OVER;
    }
    if (watched.open.size === 0) return OVER;
    return { result: 'pending', detail: '', ...(again === undefined ? {} : { again }) };
  }

  /** What was not begun is not begun: what is in force is the new for what was, and the old for the rest. */
  #stop(watched: Watched, failed: ServiceName, detail: string): void {
    const { loop, textsOf } = this.#tools;
    const held = watched.planned
      .filter(({ service, action }) => service !== failed && !AT_ONCE.includes(action))
      .filter((change) => !hasBegun(loop.situation(change.service), change.action))
      .map(({ service }) => service);
    if (held.length === 0) return;
    const { desired } = loop;
    const mixed = textsOf(withServices(desired, watched.baseline, held));
    const refused = this.#goBack(mixed, { by: watched.by, failed, detail });
    if (refused !== undefined) {
      watched.failure = { did: 'stopped', detail: `nothing could be held back: ${refused}`, services: [] };
      return;
    }
    const followed = held.filter(among(differing(watched.baseline, loop.desired)));
    const services = held.filter(among(differing(desired, loop.desired)));
    for (const service of services) {
      const but = followed.includes(service) ? ', but for its env files and secrets' : '';
      const because = `not begun, because ${failed} failed${but}; pmctl update or pmctl resume begins it`;
      watched.verdicts.set(service, { result: 'failed', detail: because });
    }
    watched.failure = { did: 'stopped', detail: `${failed} failed: ${detail}${nowIn(followed)}`, services };
  }

  #rollBack(watched: Watched, failed: ServiceName, detail: string): void {
    const { loop, textsOf, lastGood } = this.#tools;
    const before = loop.desired;
    const isNew = differing(watched.baseline, before).length > 0;
    // Where the watch was quicker than the update, what it applied is what has failed.
    const to = isNew ? textsOf(watched.baseline) : lastGood();
    const refused = to === undefined ? NOWHERE : this.#goBack(to, { by: watched.by, failed, detail });
    if (refused !== undefined) {
      watched.failure = {
        did: 'rolled_back',
        detail: `it could not be rolled back: ${refused}`,
        services: [],
      };
      return;
    }
    const services = differing(before, loop.desired);
    for (const service of services) {
      if (service === failed) continue;
      watched.verdicts.set(service, { result: 'failed', detail: `rolled back, because ${failed} failed` });
    }
    const others = isNew ? differing(watched.baseline, loop.desired) : [];
    watched.failure = { did: 'rolled_back', detail: `${failed} failed: ${detail}${nowIn(others)}`, services };
  }

  #goBack(...[to, because]: Parameters<FailingTools['goBack']>): string | undefined {
    const { goBack, textsOf, loop } = this.#tools;
    const isSame = !('files' in to) && idOf(to) === idOf(textsOf(loop.desired));
    return isSame ? `only env files or secrets have changed, and ${NOT_KEPT}` : goBack(to, because);
  }
}

function among(names: readonly ServiceName[]): (name: ServiceName) => boolean {
  const all = new Set(names);
  return (name) => all.has(name);
}

const NOT_KEPT = 'nothing is kept of what they said before';

/** What follows the new env files or secrets, whatever became of its text. */
function nowIn(services: readonly ServiceName[]): string {
  if (services.length === 0) return '';
  return `; env files or secrets of ${firstAndMore(services, MOST_NAMED)} have changed as well, and are in force: ${NOT_KEPT}`;
}

function verdictsOf(watched: Watched): Verdicts {
  return {
    of: (service) => watched.verdicts.get(service),
    get failure() {
      return watched.failure;
    },
  };
}

/**
 * A failure of this very definition that is remembered. It is seen here right after the decision that noted it, before
 * the next one lets those begin that waited for its outcome.
 */
export function noted(glance: Glance): Outcome | undefined {
  const { memory, intent } = glance;
  const wanted = wantedOf(glance);
  if (wanted.kind !== 'run' || wanted.count === 0) return undefined;
  const { hash, digest, spec } = wanted.desired;
  const pardon = intent.pardon ?? 0;
  const { rejected, slots } = memory;
  if (rejected?.digest === digest && rejected.pardon === pardon) {
    const { reason } = rejected;
    return spec.rollout.on_failure === 'replace'
      ? {
          result: 'failed',
          detail: `the new definition failed, and replaces the old one all the same: ${reason}`,
        }
      : { result: 'failed', detail: `the new definition failed, the old one goes on: ${reason}`, kept: true };
  }
  const stays = Object.values(memory.runs).some(({ stop }) => stop === null);
  for (const [slot, { end, next, exits }] of Object.entries(slots)) {
    // What failed in a place that is wanted no longer stays remembered there.
    if (Number(slot) >= wanted.count) continue;
    // A start was refused, and whether what runs beside it goes on for good is told by the next decision.
    if (stays && exits[0]?.run === null) continue;
    if (end?.kind === 'failed' && isUnder(end, { hash, digest }) && end.pardon === pardon) {
      return { result: 'failed', detail: end.reason };
    }
    const [exit] = exits;
    if (next?.digest === digest && next.pardon === pardon && exit !== undefined) {
      return { result: 'failed', detail: `${describeExit(exit)}; it is tried again` };
    }
  }
  return undefined;
}

/** Nothing is to be held back of what is over as soon as it is in force. */
const AT_ONCE: readonly Change['action'][] = ['keep', 'live', 'define', 'forget'];

const REPLACING: readonly Change['action'][] = ['roll', 'reload', 'replace'];

const STARTING: readonly Change['action'][] = ['start', ...REPLACING];

const OVER: Outcome = { result: 'done', detail: '' };

/**
 * Something of the newer definition was started, or something of the older was told to stop. In doubt it has.
 * @param action how it was planned: of what was to be replaced, something ran then
 */
export function hasBegun({ observed, memory, desired }: Situation, action: Change['action']): boolean {
  if (observed.kind === 'unseen') return true;
  if (observed.runs.length === 0 && REPLACING.includes(action)) return true;
  const isStopping = observed.runs.some(({ key }) => (memory.runs[key.id]?.stop ?? null) !== null);
  if (isStopping) return true;
  if (desired?.kind !== 'defined' || !desired.spec.enabled) return observed.runs.length === 0;
  if (observed.runs.some(({ key }) => key.hash === desired.hash)) return true;
  if (memory.generationHash !== desired.hash) return false;
  return Object.values(memory.slots).some(
    ({ generation, preStart }) =>
      generation === memory.generation || preStart?.generation === memory.generation,
  );
}

function withServices(
  state: DesiredState,
  others: DesiredState,
  names: readonly ServiceName[],
): DesiredState {
  const services = new Map<ServiceName, Desired>(state.services);
  for (const name of names) {
    const other = others.services.get(name);
    if (other === undefined) services.delete(name);
    else services.set(name, other);
  }
  return { ...state, services };
}
