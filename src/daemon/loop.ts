/**
 * The one loop: which services are due, what is decided about each, and what has to be done?
 *
 * Whatever happens (a file saved, a process gone, a timer due, a command typed) only marks a service as due by its
 * name. A pass then looks at the whole truth about each due service, decides, and carries the decision out. Every
 * action is short (a stop is a signal now and a look later), so no slow service delays another.
 */

import type { StartTools } from '../executor/start.ts';
import type { Change, Event } from '../model/action.ts';
import type { Intent } from '../model/memory.ts';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Defined, DesiredState } from '../model/spec.ts';
import { changeOf } from '../reconcile/change.ts';
import { decide } from '../reconcile/decide.ts';
import type { Decision, Situation } from '../reconcile/situation.ts';
import { followed } from './following.ts';
import { Hands } from './hands.ts';
import type { Glance } from './outcome.ts';
import { outlivedIntents, type Removals, removalsOf } from './removals.ts';
import { adoptedEvent, exitedEvent, stoppedEvent } from './run-events.ts';
import { Settlement } from './settlement.ts';
import { stopsAhead } from './stops-ahead.ts';
import type { Store } from './store.ts';

export interface LoopTools extends StartTools {
  readonly settings: Settings;
  readonly store: Store;
  /** Reads the directory afresh. */
  readonly read: () => DesiredState;
  readonly report: (event: Event) => void;
  /** Something that a person should know and that no event tells. */
  readonly complain: (problem: Problem) => void;
}

export interface PassResult {
  /** Some services are still due. */
  readonly more: boolean;
  /** When the next pass is due at the latest; milliseconds since 1970. */
  readonly wakeAt: number | undefined;
}

/** After an action failed, the service is looked at again this much later. Milliseconds. */
const RETRY_ACTION = 1000;

/** Memory that nothing depends on at once is written at most this often. Milliseconds. */
const FLUSH_DELAY = 1000;

const NOTHING: DesiredState = { services: new Map(), problems: [], files: 0, readable: true };

export class Loop {
  readonly #tools: LoopTools;
  readonly #hands: Hands;
  readonly #settlement: Settlement;
  readonly #due = new Set<ServiceName>();
  readonly #wakeAt = new Map<ServiceName, number>();
  readonly #decisions = new Map<ServiceName, Decision>();
  readonly #announced = new Map<ServiceName, ReadonlySet<string>>();
  readonly #listeners = new Set<() => void>();
  #desired: DesiredState = NOTHING;
  #ending: { reason: string; hurry: boolean } | undefined;
  #flushAt: number | undefined;
  #unseen: Problem | undefined;
  /** Called when something became due outside of a pass. */
  onDue: () => void = () => {};

  constructor(tools: LoopTools) {
    this.#tools = tools;
    this.#hands = new Hands({ ...tools, mark: (service) => this.mark(service) });
    this.#settlement = new Settlement({
      ...tools,
      setIntents: (changes) => this.setIntents(changes),
      judge: (desired) => ({ removals: this.removalsOf(desired), sure: this.#unseen === undefined }),
    });
    tools.world.containment.onChange((service) => this.mark(service));
  }

  get desired(): DesiredState {
    return this.#desired;
  }

  get removals(): Removals {
    return this.#settlement.removals;
  }

  /** Set while the kernel could not even be asked which services there are. */
  get unseen(): Problem | undefined {
    return this.#unseen;
  }

  mark(service: ServiceName): void {
    this.#due.add(service);
    this.onDue();
  }

  /** The slow look: everything is due, and what is left of services without a file is judged again. */
  resync(): void {
    this.#settlement.resettle(this.#desired);
    this.markAll();
  }

  markAll(): void {
    for (const name of this.names()) this.#due.add(name);
    this.onDue();
  }

  /** Every service that is wanted, seen or remembered. */
  names(): readonly ServiceName[] {
    const { world, store } = this.#tools;
    const names = new Set<ServiceName>([...this.#desired.services.keys(), ...store.names()]);
    const seen = world.containment.services();
    this.#unseen = 'unseen' in seen ? seen.unseen : undefined;
    if (!('unseen' in seen)) for (const name of seen) names.add(name);
    return [...names].sort();
  }

  /**
   * Makes what the directory says now the desired state.
   * @param only these services; all others stay as they were wanted before
   */
  reload(only?: ReadonlySet<string>): DesiredState {
    return this.use(this.#tools.read(), only);
  }

  /** The same with a reading made before. */
  use(fresh: DesiredState, only?: ReadonlySet<string>): DesiredState {
    this.#desired = followed(this.#desired, fresh, only);
    this.#tools.store.prepare(definedIn(this.#desired));
    this.#settlement.settle(this.#desired);
    this.markAll();
    return this.#desired;
  }

  /** A fresh reading that changes nothing: for `diff`. */
  peek(): DesiredState {
    return this.#tools.read();
  }

  /** Approves every removal that the guard holds back. */
  prune(): Problem | undefined {
    return this.#settlement.prune();
  }

  /** Durable when it answers undefined. */
  setIntents(changes: ReadonlyMap<ServiceName, Intent>): Problem | undefined {
    const problem = this.#tools.store.setIntents(changes);
    if (problem === undefined) for (const name of changes.keys()) this.mark(name);
    return problem;
  }

  /** Everything is to end; asked again with `hurry`, no grace is left. */
  end(reason: string, hurry: boolean): void {
    this.#ending = { reason: this.#ending?.reason ?? reason, hurry };
    this.markAll();
  }

  /** One decision each for the services that are due, for at most about `budget` milliseconds. */
  pass(budget: number): PassResult {
    const { clock } = this.#tools.world;
    const start = clock.now();
    if ((this.#settlement.wakeAt ?? start + 1) <= start) this.#settlement.resettle(this.#desired);
    for (const [name, at] of this.#wakeAt) if (at <= start) this.#due.add(name);
    for (const name of [...this.#due]) {
      this.#due.delete(name);
      this.#reconcile(name);
      if (clock.now() - start >= budget) break;
    }
    this.#flushIfDue();
    for (const listener of [...this.#listeners]) listener();
    return { more: this.#due.size > 0, wakeAt: this.#nextWake() };
  }

  /** Calls back after every pass, until the answer is called. */
  onPass(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The last decision about a service; undefined before the first. */
  decision(service: ServiceName): Decision | undefined {
    return this.#decisions.get(service);
  }

  intent(service: ServiceName): Intent {
    return this.#tools.store.intent(service);
  }

  warnings(service: ServiceName): readonly Problem[] {
    return this.#hands.warnings(service);
  }

  /** What is known about a service now; `desired` may be another reading of the directory than the one in force. */
  situation(name: ServiceName, desired: DesiredState = this.#desired): Situation {
    const { world, store } = this.#tools;
    const memory = store.memory(name);
    return {
      name,
      desired: desired.services.get(name),
      intent: store.intent(name),
      memory,
      observed: world.containment.look(name, (id) => memory.runs[id]?.main ?? null),
      applied: store.applied(name),
      ending: this.#ending,
      now: world.clock.now(),
      chance: 0,
    };
  }

  /** What is known without asking the kernel. */
  glance(name: ServiceName): Glance {
    const { world, store } = this.#tools;
    return {
      desired: this.#desired.services.get(name),
      intent: store.intent(name),
      ending: this.#ending,
      now: world.clock.now(),
      memory: store.memory(name),
      // What is due was decided about before something happened: that decision says nothing of now.
      ...(this.#due.has(name) ? { decision: undefined, due: true } : { decision: this.#decisions.get(name) }),
    };
  }

  /**
   * The plan: what a reading of the directory would change, service by service.
   * @param prune what the guard holds back is approved
   */
  plan(reading: DesiredState, prune = false): readonly Change[] {
    const desired = followed(this.#desired, reading, undefined);
    const removals = this.removalsOf(desired);
    const approved = prune ? [...removals.approved, ...removals.held] : removals.approved;
    const outlived = outlivedIntents(desired, this.#tools.store);
    const changes: Change[] = [];
    for (const name of new Set([...desired.services.keys(), ...this.names()])) {
      const situation = this.situation(name, desired);
      const kept = outlived.get(name) ?? situation.intent;
      const intent = approved.includes(name) ? { ...kept, removalApproved: true } : kept;
      const change = changeOf({ ...situation, intent });
      if (change !== undefined) changes.push(change);
    }
    return changes.sort((a, b) => (a.service < b.service ? -1 : 1));
  }

  /** What the guard says about a reading of the directory. */
  removalsOf(desired: DesiredState): Removals {
    const { world, store, settings } = this.#tools;
    const maxPercent = settings.prune.max_percent;
    return removalsOf(desired, this.names(), { world, store, maxPercent, recent: this.#settlement.recent });
  }

  /** Writes what is remembered, whether it is due or not. */
  flush(): void {
    this.#flushAt = undefined;
    const problem = this.#tools.store.flush();
    if (problem === undefined) return;
    this.#flushAt = this.#tools.world.clock.now() + 10 * FLUSH_DELAY;
    this.#tools.complain(problem);
  }

  #reconcile(name: ServiceName): void {
    const { store, world, report } = this.#tools;
    const situation = { ...this.situation(name), chance: world.random.next() };
    const decision = decide(situation);
    this.#announceAdopted(situation);
    const ahead = stopsAhead(decision, situation);
    store.setMemory(name, ahead.memory);
    // An end that decides about the future (a one-shot completed) must be on disk before its traces are removed.
    if (store.urgent || ahead.must) this.flush();
    if (ahead.memory !== decision.memory) store.setMemory(name, decision.memory);
    this.#decisions.set(name, decision);
    for (const notice of decision.notices) {
      const main = situation.memory.runs[notice.run.id]?.main?.pid;
      const tell = notice.notice === 'exited' ? exitedEvent(notice, main, situation.now) : undefined;
      if (tell !== undefined) report(tell);
      if (notice.notice === 'stopped') report(stoppedEvent(notice, main, situation.now));
    }
    const failed = this.#carryOut(decision, situation);
    if (decision.actions.length > 0 && !failed && this.#decisions.has(name)) this.#due.add(name);
    const wakeAt = earliest(decision.wakeAt, failed ? world.clock.now() + RETRY_ACTION : undefined);
    if (wakeAt === undefined) this.#wakeAt.delete(name);
    else this.#wakeAt.set(name, wakeAt);
  }

  /** True when something could not be done. */
  #carryOut({ actions }: Decision, situation: Situation): boolean {
    const { name } = situation;
    const occupied = new Set<number>();
    let failed = false;
    for (const action of actions) {
      // What was thought to be gone is not: a start in its place has to wait for the next look.
      if (action.do === 'start' && occupied.has(action.slot)) continue;
      const problem = this.#hands.carryOut(action, situation);
      if (action.do === 'forget') this.#decisions.delete(name);
      if (problem === undefined) continue;
      failed = true;
      this.#tools.complain({ ...problem, service: name });
      if (action.do === 'clean_up') occupied.add(action.run.slot);
    }
    return failed;
  }

  /** Tells of each run once that it was taken over, and drops definitions that no run needs any more. */
  #announceAdopted({ name, observed, desired, now }: Situation): void {
    if (observed.kind !== 'seen') return;
    const hashes = new Set(observed.runs.map((run) => run.key.hash));
    if (desired?.kind === 'defined') hashes.add(desired.hash);
    this.#tools.store.keepApplied(name, hashes);
    const known = this.#announced.get(name);
    for (const run of observed.runs) {
      if (run.adopted && run.members.is === 'some' && known?.has(run.key.id) !== true) {
        const [oldest] = this.#tools.world.containment.members(run.key);
        this.#tools.report(adoptedEvent(run, now, oldest));
      }
    }
    this.#announced.set(name, new Set(observed.runs.map((run) => run.key.id)));
  }

  #flushIfDue(): void {
    const { store, world } = this.#tools;
    if (!store.dirty) {
      this.#flushAt = undefined;
      return;
    }
    this.#flushAt ??= world.clock.now() + FLUSH_DELAY;
    if (this.#flushAt <= world.clock.now()) this.flush();
  }

  #nextWake(): number | undefined {
    let next = earliest(this.#flushAt, this.#settlement.wakeAt);
    for (const at of this.#wakeAt.values()) next = earliest(next, at);
    return next;
  }
}

function definedIn({ services }: DesiredState): ReadonlyMap<ServiceName, Defined> {
  const defined = [...services].flatMap(([name, each]) =>
    each.kind === 'defined' ? [[name, each] as const] : [],
  );
  return new Map(defined);
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}
