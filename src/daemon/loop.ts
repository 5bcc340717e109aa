/**
 * The one loop: which services are due, what is decided about each, and what has to be done?
 *
 * Whatever happens (a file saved, a process gone, a timer due, a command typed) only marks a service as due by its
 * name. A pass then looks at the whole truth about each due service, decides, and carries the decision out. Every
 * action is short (a stop is a signal now and a look later), so no slow service delays another.
 */

import type { Change } from '../model/action.ts';
import type { Intent } from '../model/memory.ts';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { DesiredState } from '../model/spec.ts';
import { standingOf } from '../reconcile/dependencies.ts';
import type { Decision, Situation } from '../reconcile/situation.ts';
import { wantedOf } from '../reconcile/wanted.ts';
import { Adoptions } from './adoptions.ts';
import { BlindSpots } from './blind-spots.ts';
import { carryOut } from './carrying-out.ts';
import { Due } from './due.ts';
import { Flushing } from './flushing.ts';
import { definedIn, followed, NOTHING, userIn } from './following.ts';
import { Hands, newRun } from './hands.ts';
import { Jobs } from './jobs.ts';
import type { LoopTools, PassResult } from './loop-tools.ts';
import { Neighbours } from './neighbours.ts';
import type { Glance } from './outcome.ts';
import { type PlanTools, planOf, waitingIn } from './plan.ts';
import { PortWaits } from './port-waits.ts';
import { type Removals, removalsOf } from './removals.ts';
import { noticedEvents } from './run-events.ts';
import { Settlement } from './settlement.ts';
import { stopsAhead } from './stops-ahead.ts';
import { keepingTraces, removesTraces } from './traces.ts';
import { earliest, Wakes } from './wakes.ts';

/** After an action failed, the service is looked at again this much later. Milliseconds. */
const RETRY_ACTION = 1000;

export class Loop {
  readonly #tools: LoopTools;
  readonly #hands: Hands;
  readonly #settlement: Settlement;
  readonly #neighbours = new Neighbours();
  readonly #ports: PortWaits;
  readonly jobs: Jobs;
  readonly #due = new Due();
  readonly #wakes = new Wakes();
  readonly #decisions = new Map<ServiceName, Decision>();
  readonly #adoptions: Adoptions;
  readonly #flushing: Flushing;
  readonly #blindSpots = new BlindSpots();
  readonly #listeners = new Set<() => void>();
  #desired: DesiredState = NOTHING;
  #ending: { reason: string; hurry: boolean } | undefined;
  #unseen: Problem | undefined;
  /** Called when something became due outside of a pass. */
  onDue: () => void = () => {};

  constructor(tools: LoopTools) {
    this.#tools = tools;
    this.jobs = new Jobs(tools.zone);
    this.#adoptions = new Adoptions(tools);
    this.#flushing = new Flushing(tools);
    this.#hands = new Hands({ ...tools, loop: this, mark: (service) => this.mark(service) });
    this.#ports = new PortWaits(tools.world.containment, this, this.#neighbours);
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

  /** Set while what is remembered cannot be written. */
  get unwritten(): Problem | undefined {
    return this.#flushing.problem;
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
    this.#tools.world.containment.believe?.(userIn(this.#desired));
    this.#tools.store.prepare(definedIn(this.#desired));
    this.#neighbours.arrange(this.#desired);
    this.#ports.askAgain();
    this.#settlement.settle(this.#desired);
    this.markAll();
    return this.#desired;
  }

  /** A fresh reading that changes nothing: for `diff`. */
  peek(): DesiredState {
    return this.#tools.read();
  }

  /** Approves the removals that the guard holds back, or only those of these services. */
  prune(only?: ReadonlySet<string>): Problem | undefined {
    return this.#settlement.prune(this.#desired, only);
  }

  /** Durable when it answers undefined. */
  setIntents(changes: ReadonlyMap<ServiceName, Intent>): Problem | undefined {
    const problem = this.#tools.store.setIntents(changes);
    this.#ports.askAgain();
    if (problem === undefined) for (const name of changes.keys()) this.mark(name);
    else {
      this.#flushing.failed(problem);
      // Nothing is due but the next try, of which whoever wakes the loop has to learn.
      this.onDue();
    }
    return problem;
  }

  /** Everything is to end; asked again with `hurry`, no grace is left. */
  end(reason: string, hurry: boolean): void {
    this.#ending = { reason: this.#ending?.reason ?? reason, hurry: hurry || this.#ending?.hurry === true };
    this.markAll();
  }

  /** One decision each for the services that are due, for at most about `budget` milliseconds. */
  pass(budget: number): PassResult {
    const { clock } = this.#tools.world;
    const start = clock.now();
    if ((this.#settlement.wakeAt ?? start + 1) <= start) this.#settlement.resettle(this.#desired);
    for (const name of [...this.#wakes.due(start), ...this.jobs.wakes.due(start)]) this.#due.add(name);
    const { store, world } = this.#tools;
    const fired = this.jobs.consider(this.#due.unconsidered, {
      store,
      desired: this.#desired,
      situation: (name) => ({ ...this.situation(name), chance: world.random.next() }),
      newRun: () => newRun(world),
      clock,
    });
    this.#due.unconsidered.clear();
    if (fired) this.flush();
    const begun = clock.now();
    for (const name of this.#due.turns(this.#neighbours)) {
      this.#reconcile(name);
      if (clock.now() - begun >= budget) break;
    }
    this.#flushing.ifDue();
    for (const listener of [...this.#listeners]) listener();
    return { more: !this.#due.isEmpty, wakeAt: this.#nextWake() };
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

  /** Hooks of runs that have ended still run, and nobody is in a hurry. */
  get isCleaningUp(): boolean {
    return this.#hands.besides.isCleaningUp && this.#ending?.hurry !== true;
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
      inFlight: this.#hands.besides.inFlight,
      dependencies: this.#neighbours.dependencies(name),
      dependents: this.#neighbours.dependents(name, (other) => this.#isUnwanted(other)),
      now: world.clock.now(),
      chance: 0,
    };
  }

  /** It is to be down. */
  #isUnwanted(name: ServiceName): boolean {
    return wantedOf(this.glance(name)).kind === 'none';
  }

  /** What is known without asking the kernel. */
  glance(name: ServiceName): Glance {
    const { world, store } = this.#tools;
    const desired = this.#desired.services.get(name);
    return {
      desired,
      intent: store.intent(name),
      ending: this.#ending,
      now: world.clock.now(),
      memory: store.memory(name),
      nextRun: () => this.jobs.next(desired, world.clock.wall()),
      // What is due was decided about before something happened: that decision says nothing of now.
      ...(this.#due.has(name) ? { decision: undefined, due: true } : { decision: this.#decisions.get(name) }),
    };
  }

  /**
   * The plan: what a reading of the directory would change, service by service.
   * @param prune what the guard holds back is approved
   * @param only of these services; all others stay as they are wanted now
   */
  plan(reading: DesiredState, prune = false, only?: ReadonlySet<string>): readonly Change[] {
    const desired = followed(this.#desired, reading, only);
    const all = new Set([...desired.services.keys(), ...this.names()]);
    const names = [...all].filter((name) => only?.has(name) ?? true);
    return planOf(desired, names, this.#planTools(desired, prune));
  }

  /** What the end of the holds of these services would bring, if a reading of the directory was followed. */
  waiting(reading: DesiredState, names: readonly ServiceName[]): ReadonlyMap<ServiceName, Change> {
    if (names.length === 0) return new Map();
    const desired = followed(this.#desired, reading, undefined);
    return waitingIn(desired, names, this.#planTools(desired, false));
  }

  #planTools(desired: DesiredState, prune: boolean): PlanTools {
    return {
      removals: this.removalsOf(desired),
      prune,
      store: this.#tools.store,
      situation: (name) => this.situation(name, desired),
      inForce: this.#desired,
      now: this.#tools.world.clock.now(),
    };
  }

  /** What the guard says about a reading of the directory. */
  removalsOf(desired: DesiredState): Removals {
    const { world, store, settings } = this.#tools;
    const maxPercent = settings.prune.max_percent;
    return removalsOf(desired, this.names(), { world, store, maxPercent, recent: this.#settlement.recent });
  }

  /** Writes what is remembered, whether it is due or not; false when that failed. */
  flush(): boolean {
    return this.#flushing.now();
  }

  #reconcile(name: ServiceName): void {
    const { store, world, report, complain } = this.#tools;
    const situation = { ...this.situation(name), chance: world.random.next() };
    this.#blindSpots.note(name, situation.observed, complain);
    const decision = this.#ports.decide(situation);
    const taken = this.#adoptions.note(situation);
    const ahead = stopsAhead(decision, situation);
    store.setMemory(name, ahead.memory);
    // An end that decides about the future (a one-shot completed, what was due has run) must be on disk before its
    // traces are removed.
    const isKept = !(store.urgent || ahead.must || removesTraces(decision, store)) || this.flush();
    if (ahead.memory !== decision.memory) store.setMemory(name, decision.memory);
    this.#decisions.set(name, decision);
    for (const run of taken) this.#hands.besides.listenAgain(run, situation);
    for (const event of noticedEvents(decision.notices, situation)) report(event);
    const done = isKept ? decision : keepingTraces(decision);
    const carried = carryOut(done, situation, {
      hands: this.#hands,
      complain,
      forgotten: () => {
        this.#decisions.delete(name);
        this.jobs.wakes.set(name, undefined);
      },
    });
    // A probe that was asked changes nothing before it is answered.
    const changed = decision.actions.some((action) => action.do !== 'probe');
    const failed = carried || done !== decision;
    if (changed && !failed && this.#decisions.has(name)) this.#due.add(name);
    for (const other of this.#noteStanding(situation)) this.#due.postpone(other);
    for (const other of this.#ports.woken(name, decision)) this.#due.postpone(other);
    const again = failed ? world.clock.now() + RETRY_ACTION : undefined;
    this.#wakes.set(name, earliest(decision.wakeAt, again), earliest(decision.wakeFrom, again));
  }

  /** Answers who has to be looked at because of it. */
  #noteStanding(situation: Situation): readonly ServiceName[] {
    const { name, observed } = situation;
    const decision = this.#decisions.get(name);
    if (decision === undefined) return this.#neighbours.forget(name);
    const seen = observed.kind === 'seen' ? decision : undefined;
    return this.#neighbours.note(name, standingOf(wantedOf(situation), seen));
  }

  #nextWake(): number | undefined {
    const own = earliest(this.#flushing.at, this.#settlement.wakeAt);
    return earliest(own, earliest(this.#wakes.next, this.jobs.wakes.next));
  }
}
