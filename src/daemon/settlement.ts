/** What follows from a reading of the directory for the intents: which are outlived, which removals are approved? */
import type { Intent } from '../model/memory.ts';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { firstOf } from '../model/shown-words.ts';
import type { DesiredState } from '../model/spec.ts';
import { type RecentRemovals, stillRecent } from '../reconcile/guard.ts';
import type { World } from '../world/world.ts';
import {
  confirmedStops,
  forgottenStops,
  NO_REMOVALS,
  outlivedIntents,
  type Removals,
  unstopped,
} from './removals.ts';
import type { Store } from './store.ts';

export interface SettlementTools {
  readonly world: Pick<World, 'clock'>;
  readonly store: Store;
  readonly complain: (problem: Problem) => void;
  /** Durable when it answers undefined. */
  readonly setIntents: (changes: ReadonlyMap<ServiceName, Intent>) => Problem | undefined;
  /** What the guard says about a reading; `sure`: the kernel could be asked which services there are. */
  readonly judge: (desired: DesiredState) => { readonly removals: Removals; readonly sure: boolean };
}

/** What could not be settled is tried again this much later. Milliseconds. */
const TRY_AGAIN = 1000;

export class Settlement {
  readonly #tools: SettlementTools;
  #removals: Removals = NO_REMOVALS;
  /** In memory only: a new daemon begins to count anew. */
  #recent: RecentRemovals = new Map();
  #tryAt: number | undefined;
  /** What was judged last is not on disk. */
  #unwritten = false;

  constructor(tools: SettlementTools) {
    this.#tools = tools;
  }

  get removals(): Removals {
    return this.#removals;
  }

  /**
   * What counts together with the removals of the next reading. While any is held back the count does not run out: what
   * waits for a person must not go because a minute has passed.
   */
  get recent(): RecentRemovals {
    return this.#removals.held.length > 0
      ? this.#recent
      : stillRecent(this.#recent, this.#tools.world.clock.now());
  }

  /** When something is to be tried again; milliseconds since 1970. */
  get wakeAt(): number | undefined {
    return this.#tryAt;
  }

  /** To be called with each new reading. */
  settle(desired: DesiredState): void {
    this.#settle(desired, true);
  }

  /** To be called now and then with the reading in force: judges and writes what could not be before. */
  resettle(desired: DesiredState): void {
    // What the guard holds back stays held until somebody confirms or the directory says something new.
    this.#settle(desired, this.#removals.held.length === 0 || this.#unwritten);
  }

  /**
   * Approves removals that the guard holds back. Somebody has looked at all of them: what went before counts no more, and
   * nobody waits for their files.
   * @param only these services; what is held besides stays held, and those that go now count together with it
   */
  prune(desired: DesiredState, only?: ReadonlySet<string>): Problem | undefined {
    const { store } = this.#tools;
    const unwritten = writtenStops(store, confirmedStops(desired, store, only));
    if (unwritten !== undefined) return unwritten;
    const { held } = this.#removals;
    const named = held.filter((name) => only?.has(name) ?? true);
    const rest = held.filter((name) => !named.includes(name));
    const problem = this.#write(named, rest, true);
    if (problem !== undefined) return problem;
    if (rest.length > 0) {
      this.#removals = { ...this.#removals, held: rest, lasts: true };
      this.#recent = recorded(this.#recent, named, this.#tools.world.clock.now());
      return undefined;
    }
    this.#removals = NO_REMOVALS;
    this.#recent = new Map();
    return undefined;
  }

  #settle(desired: DesiredState, judge: boolean): void {
    const { store, setIntents, world } = this.#tools;
    const now = world.clock.now();
    const outlived = outlivedIntents(desired, store, now);
    const unwritten =
      (outlived.size === 0 ? undefined : setIntents(outlived)) ??
      writtenStops(store, forgottenStops(desired, store, now));
    const judged = !judge || this.#judge(desired);
    this.#tryAt = unwritten === undefined && judged ? undefined : now + TRY_AGAIN;
  }

  #judge(desired: DesiredState): boolean {
    const before = this.#removals.reason;
    this.#recent = this.recent;
    const { removals: judged, sure } = this.#tools.judge(desired);
    // A service that nobody saw was not counted: what would be too many removals may look like a single one.
    const removals = sure ? judged : { ...judged, approved: [], stopping: [], lasts: false };
    this.#removals = removals;
    const { held, approved, stopping, reason } = removals;
    const problem = this.#write(approved, removals.lasts ? held : []);
    this.#unwritten = problem !== undefined;
    if (problem === undefined) this.#remember(stopping, desired);
    if (held.length > 0 && reason !== before) {
      this.#tools.complain({
        code: 'directory-suspicious',
        severity: 'error',
        message: `${reason}; nothing is stopped: ${firstOf(held, 10)}`,
        hint: 'pmctl update --prune stops them',
      });
    }
    return problem === undefined && sure;
  }

  #remember(removed: readonly ServiceName[], desired: DesiredState): void {
    const now = this.#tools.world.clock.now();
    const gone = new Map([...this.#recent].filter(([name]) => !desired.services.has(name)));
    this.#recent = recorded(gone, removed, now);
  }

  /** Whose removal is approved, and whose waits for somebody, with this daemon or the next one. */
  #write(
    approved: readonly ServiceName[],
    held: readonly ServiceName[],
    confirmed = false,
  ): Problem | undefined {
    const { store, setIntents } = this.#tools;
    const changes = new Map<ServiceName, Intent>();
    for (const name of approved) {
      const { removalHeld: _, ...intent } = store.intent(name);
      if (intent.removalApproved === true) continue;
      changes.set(name, { ...(confirmed ? unstopped(intent) : intent), removalApproved: true });
    }
    for (const name of held) {
      const intent = store.intent(name);
      if (intent.removalHeld !== true) changes.set(name, { ...intent, removalHeld: true });
    }
    return changes.size === 0 ? undefined : setIntents(changes);
  }
}

/** Not by the loop: there is nothing to be looked at of who is gone. */
function writtenStops(store: Store, changes: ReadonlyMap<ServiceName, Intent>): Problem | undefined {
  return changes.size === 0 ? undefined : store.setIntents(changes);
}

function recorded(before: RecentRemovals, removed: readonly ServiceName[], now: number): RecentRemovals {
  return new Map([...before, ...removed.map((name) => [name, now] as const)]);
}
