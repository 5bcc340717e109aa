/** The fixed port of a service is still held: by a run of another one, which is on its way out? */
import type { ServiceName } from '../model/names.ts';
import { decide } from '../reconcile/decide.ts';
import type { Decision, Dependency, Situation, SlotPhase } from '../reconcile/situation.ts';
import { wantedOf } from '../reconcile/wanted.ts';
import type { World } from '../world/world.ts';
import type { Neighbours } from './neighbours.ts';
import type { Glance } from './outcome.ts';

type Ports = Pick<World['containment'], 'portHolder'>;

/** What is known of all services, without asking for each. */
interface Services {
  names(): readonly ServiceName[];
  glance(service: ServiceName): Glance;
}

type Held = Pick<Situation, 'portHeld' | 'portKept'>;

export class PortWaits {
  readonly #containment: Ports;
  readonly #services: Services;
  readonly #neighbours: Pick<Neighbours, 'dependencies'>;
  /** Who waits for the port of whom. */
  readonly #waits = new Map<ServiceName, ServiceName>();
  /** Who has begun to wait for one that gives way to it. */
  readonly #asked = new Map<ServiceName, ServiceName>();

  constructor(containment: Ports, services: Services, neighbours: Pick<Neighbours, 'dependencies'>) {
    this.#containment = containment;
    this.#services = services;
    this.#neighbours = neighbours;
  }

  /**
   * What is to be done: where something would be started now, or stopped for what is started next, the holder of its
   * port is asked for first.
   */
  decide(asked: Situation): Decision {
    const { name, desired } = asked;
    const before = this.#waits.get(name);
    this.#waits.delete(name);
    this.#asked.delete(name);
    const situation = this.#givingWay(asked);
    const decision = decide(situation);
    if (desired?.kind !== 'defined' || typeof desired.spec.port !== 'number') return decision;
    const starts = decision.actions.some(isStart);
    if (!starts && !decision.slots.some((phase) => isRetired(phase, situation))) return decision;
    const held = this.#held(name, desired.spec.port, starts);
    if (held === undefined) return decision;
    const holder = this.#waits.get(name);
    if (holder !== undefined && holder !== before && this.#givesWay(holder, name))
      this.#asked.set(name, holder);
    return decide({ ...situation, ...held });
  }

  /** Who has to be looked at because of what was noticed about this service, or because it waits now. */
  woken(service: ServiceName, { notices }: Decision): readonly ServiceName[] {
    const asked = this.#asked.get(service);
    const woken = asked === undefined ? [] : [asked];
    if (notices.length === 0 || this.#waits.size === 0) return woken;
    return [...woken, ...this.#waitingFor(service)];
  }

  #waitingFor(service: ServiceName): readonly ServiceName[] {
    return [...this.#waits].flatMap(([waiting, holder]) => (holder === service ? [waiting] : []));
  }

  /** What waits for the port of this one is not waited for before this one is stopped. */
  #givingWay(situation: Situation): Situation {
    if (this.#waits.size === 0 || situation.dependencies.length === 0) return situation;
    const waiting = this.#waitingFor(situation.name).filter((each) => this.#givesWay(situation.name, each));
    if (waiting.length === 0) return situation;
    const inItsWay = situation.dependencies
      .map((each) => each.name)
      .filter((each) => waiting.some((other) => each === other || this.#reliesOn(each, other)));
    return { ...situation, givesWayTo: new Set(inItsWay) };
  }

  /** @param starts false: something that serves would be stopped for it */
  #held(name: ServiceName, port: number, starts: boolean): Held | undefined {
    const containment = this.#containment;
    if (containment.portHolder(port, [name]) === undefined) return undefined;
    for (const other of this.#services.names()) {
      if (other === name) continue;
      const how = this.#leaving(other, name, port);
      // Who would be stopped goes on only for those that could not come without it.
      if (starts ? how === undefined : !this.#reliesOn(other, name)) continue;
      if (containment.portHolder(port, [name, other]) !== undefined) continue;
      this.#waits.set(name, other);
      return how === undefined
        ? { portKept: `port ${port} is held by ${other}, which depends on ${name}` }
        : { portHeld: `port ${port} is still held by ${other}, which ${how}` };
    }
    return undefined;
  }

  /** How it is about to give up the port, should it be the one that holds it; undefined: it is not. */
  #leaving(other: ServiceName, name: ServiceName, port: number): string | undefined {
    const glance = this.#services.glance(other);
    if (Object.keys(glance.memory.runs).length === 0) return undefined;
    const wanted = wantedOf(glance);
    if (wanted.kind === 'leave') return undefined;
    const wantsIt = wanted.kind === 'run' && wanted.count > 0 && wanted.desired.spec.port === port;
    if (wantsIt) return undefined;
    // It has its turn in a moment, and is asked about again after that.
    const slots = glance.decision?.slots;
    if (slots === undefined) return 'is about to stop';
    if (slots.some((phase) => phase.phase === 'stopping' && !phase.blocked)) return 'is stopping';
    const isMoving = slots.some(isMovingOn) && !slots.some(({ phase }) => phase === 'failed');
    return isMoving && !this.#waitsFor(other, name) ? 'is to be replaced' : undefined;
  }

  /** Whoever waits itself for the one that wants its port would keep it for good. */
  #waitsFor(other: ServiceName, name: ServiceName): boolean {
    if (this.#awaits(other, name) && !this.#givesWay(other, name)) return true;
    const seen = new Set<ServiceName>();
    for (let next: ServiceName | undefined = other; next !== undefined; next = this.#waits.get(next)) {
      // What has given way comes after the one that it made room for.
      if (next === name) return !this.#givesWay(name, other);
      if (seen.has(next)) return false;
      seen.add(next);
    }
    return false;
  }

  /** It relies on the other one, and its only run is stopped before the next one starts: it can be stopped first. */
  #givesWay(holder: ServiceName, other: ServiceName): boolean {
    const wanted = wantedOf(this.#services.glance(holder));
    if (wanted.kind !== 'run' || wanted.count !== 1 || wanted.desired.spec.rollout.surge > 0) return false;
    return this.#reliesOn(holder, other);
  }

  #awaits(service: ServiceName, other: ServiceName): boolean {
    return this.#reliesOn(service, other, (state) => state !== 'met');
  }

  /** Itself, or through others. */
  #reliesOn(
    service: ServiceName,
    other: ServiceName,
    counts = (_state: Dependency['state']) => true,
    seen = new Set<ServiceName>(),
  ): boolean {
    if (seen.has(service)) return false;
    seen.add(service);
    return this.#neighbours
      .dependencies(service)
      .filter(({ state }) => counts(state))
      .some(({ name }) => name === other || this.#reliesOn(name, other, counts, seen));
  }
}

/** What serves would be stopped now, for a newer definition. */
function isRetired(phase: SlotPhase, { memory, desired }: Situation): boolean {
  if (phase.phase !== 'stopping' || phase.after !== undefined || desired?.kind !== 'defined') return false;
  const stop = memory.runs[phase.run.id]?.stop ?? null;
  return phase.run.hash !== desired.hash && (stop === null || stop.step === 'due');
}

function isStart(action: Decision['actions'][number]): boolean {
  return action.do === 'start' || (action.do === 'hook' && action.hook === 'pre_start');
}

/** A run of an older definition whose successor is expected to take over. */
function isMovingOn(phase: SlotPhase): boolean {
  return (
    phase.phase === 'running' && phase.outdated && phase.rejected === null && phase.heldBack?.away !== true
  );
}
