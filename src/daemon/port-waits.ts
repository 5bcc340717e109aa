/** The fixed port of a service is still held: by a run of another one, which is on its way out? */
import type { ServiceName, SpecHash } from '../model/names.ts';
import { decide, KEPT_AGAIN } from '../reconcile/decide.ts';
import type { Decision, KeptPort, Situation, SlotPhase } from '../reconcile/situation.ts';
import { wantedOf } from '../reconcile/wanted.ts';
import type { World } from '../world/world.ts';
import type { Neighbours } from './neighbours.ts';
import type { Glance } from './outcome.ts';

type Ports = Pick<World['containment'], 'portHolder'>;

/** What is known of all services, without asking for each. */
interface Services {
  names(): readonly ServiceName[];
  glance(service: ServiceName): Glance;
  /** The last one, also where something happened since. */
  decision(service: ServiceName): Decision | undefined;
}

type Failure = Pick<KeptPort, 'dueToFailure'>;

interface Kept extends KeptPort {
  /** The service that has the port. */
  readonly holder?: ServiceName;
}

const STUCK = { dueToFailure: true } as const;

export class PortWaits {
  readonly #containment: Ports;
  readonly #services: Services;
  readonly #neighbours: Pick<Neighbours, 'dependencies'>;
  /** Who waits for the port of whom. */
  readonly #waits = new Map<ServiceName, ServiceName>();
  /** Who keeps the port of whom: to find out is work, and a probe lets a service be looked at much more often. */
  readonly #answers = new Map<ServiceName, { readonly answer: Kept; readonly at: number }>();

  constructor(containment: Ports, services: Services, neighbours: Pick<Neighbours, 'dependencies'>) {
    this.#containment = containment;
    this.#services = services;
    this.#neighbours = neighbours;
  }

  /**
   * What is to be done: where something would be started now, or stopped for what is started next, the holder of its
   * port is asked for first.
   */
  decide(situation: Situation): Decision {
    const { name, desired } = situation;
    const decision = decide(situation);
    this.#waits.delete(name);
    if (desired?.kind !== 'defined' || typeof desired.spec.port !== 'number') return decision;
    const { port } = desired.spec;
    if (decision.actions.some(isStart)) {
      const portHeld = this.#held(name, port);
      return portHeld === undefined ? decision : decide({ ...situation, portHeld });
    }
    if (!decision.slots.some((phase) => isRetired(phase, situation))) return decision;
    const portKept = this.#kept(situation, port);
    return portKept === undefined ? decision : decide({ ...situation, portKept });
  }

  /** Who has to be looked at because of what was noticed about this service. */
  woken(service: ServiceName, { notices }: Decision): readonly ServiceName[] {
    if (notices.length === 0 || this.#waits.size === 0) return [];
    const woken = [...this.#waits].flatMap(([waiting, holder]) => (holder === service ? [waiting] : []));
    for (const waiting of woken) this.#answers.delete(waiting);
    return woken;
  }

  /** Something else is wanted of services: what was found out about ports may be over. */
  askAgain(): void {
    this.#answers.clear();
  }

  #held(name: ServiceName, port: number): string | undefined {
    const containment = this.#containment;
    if (containment.portHolder(port, [name]) === undefined) return undefined;
    for (const other of this.#services.names()) {
      const how = other === name ? undefined : this.#leaving(other, name, port);
      if (how === undefined || containment.portHolder(port, [name, other]) !== undefined) continue;
      this.#waits.set(name, other);
      return `port ${port} is still held by ${other}, which ${how}`;
    }
    return undefined;
  }

  /** Why a start on that port would be refused for as long as this service serves: then it is not stopped for it. */
  #kept({ name, now }: Situation, port: number): KeptPort | undefined {
    const known = this.#answers.get(name);
    const isRecent = known !== undefined && known.at <= now && now - known.at < KEPT_AGAIN;
    const answer = isRecent ? known.answer : this.#keptBy(name, port, []);
    if (answer === undefined) {
      this.#answers.delete(name);
      return undefined;
    }
    if (!isRecent) this.#answers.set(name, { answer, at: now });
    const { holder, ...kept } = answer;
    if (holder !== undefined) this.#waits.set(name, holder);
    return kept;
  }

  /** @param before who wants the port of the one that comes next, and the last of them that of this service */
  #keptBy(name: ServiceName, port: number, before: readonly ServiceName[]): Kept | undefined {
    const containment = this.#containment;
    const names = this.#services.names();
    const stranger = containment.portHolder(port, names);
    if (stranger !== undefined) return { why: `port ${port} is taken by ${stranger}`, ...STUCK };
    const other = this.#holderBeside(name, port, names);
    // Each look is another moment.
    if (other === undefined || containment.portHolder(port, [name]) === undefined) return undefined;
    // Who relies on this one is replaced after it.
    const relies = this.#reliesOn(other, name);
    const stays = this.#stays(other, port) ? STUCK : this.#stuck(other);
    const next = this.#fixedPortOf(other);
    const way = [...before, name];
    const further = stays ?? (next === undefined ? undefined : this.#keptFurther(other, next, way));
    if (!relies && further === undefined) return undefined;
    const why = `port ${port} is held by ${other}${relies ? `, which depends on ${name}` : ''}`;
    return { why, holder: other, ...(further?.dueToFailure === true ? STUCK : {}) };
  }

  /** By halves: each question is work, and there may be hundreds. Undefined also where several have it together. */
  #holderBeside(name: ServiceName, port: number, names: readonly ServiceName[]): ServiceName | undefined {
    const isAmong = (some: readonly ServiceName[]) =>
      this.#containment.portHolder(port, [name, ...some]) === undefined;
    let some = names.filter((other) => other !== name);
    while (some.length > 1) {
      const half = some.slice(0, some.length >> 1);
      some = isAmong(half) ? half : some.slice(half.length);
    }
    return isAmong(some) ? some[0] : undefined;
  }

  /** The holder of a port wants another one: what keeps it from going there? */
  #keptFurther(name: ServiceName, port: number, way: readonly ServiceName[]): Failure | undefined {
    const from = way.indexOf(name);
    if (from < 0) return this.#keptBy(name, port, way);
    const ring = way.slice(from);
    // One that stops first lets all others move up, unless another one has to be replaced before it.
    const isOpen = ring.some((each) => this.#clearsOut(each));
    const isOrdered = ring.some((each, at) => this.#reliesOn(ring[at + 1] ?? name, each));
    return isOpen && !isOrdered ? undefined : STUCK;
  }

  #fixedPortOf(other: ServiceName): number | undefined {
    const wanted = wantedOf(this.#services.glance(other));
    const port = wanted.kind === 'run' ? wanted.desired.spec.port : null;
    return typeof port === 'number' ? port : undefined;
  }

  /** To replace it begins with a stop, after which nothing of it has its port. */
  #clearsOut(name: ServiceName): boolean {
    const wanted = wantedOf(this.#services.glance(name));
    return wanted.kind === 'run' && wanted.desired.spec.rollout.surge === 0 && wanted.count === 1;
  }

  /** Why it is not going to be replaced, wherever it wants to go. */
  #stuck(other: ServiceName): Failure | undefined {
    const glance = this.#services.glance(other);
    const wanted = wantedOf(glance);
    if (glance.decision?.slots.some((phase) => phase.phase === 'stopping' && phase.blocked)) return STUCK;
    if (wanted.kind !== 'run') return undefined;
    const { digest, spec } = wanted.desired;
    const { rejected } = glance.memory;
    const isRejected = rejected?.digest === digest && rejected.pardon === (glance.intent.pardon ?? 0);
    const hasFailed = isRejected || glance.decision?.slots.some(({ phase }) => phase === 'failed') === true;
    if (hasFailed && spec.rollout.on_failure === 'keep_old') return STUCK;
    const away = this.#neighbours.dependencies(other).filter(({ state }) => state === 'away');
    if (away.length === 0) return undefined;
    return away.some(({ dueToFailure }) => dueToFailure === true) ? STUCK : {};
  }

  /** It wants that port itself, has it unasked and is not to be replaced, or is left alone. */
  #stays(other: ServiceName, port: number): boolean {
    const wanted = wantedOf(this.#services.glance(other));
    if (wanted.kind === 'leave') return true;
    if (wanted.kind !== 'run' || wanted.count === 0) return false;
    return wanted.desired.spec.port === port || this.#isCurrent(other, wanted.desired.hash);
  }

  /** As far as was seen last, every process of it is of the definition that is wanted now. */
  #isCurrent(other: ServiceName, hash: SpecHash): boolean {
    if (this.#services.glance(other).memory.generationHash !== hash) return false;
    const slots = this.#services.decision(other)?.slots.filter((phase) => 'run' in phase) ?? [];
    return slots.length > 0 && slots.every((phase) => phase.phase === 'running' && !phase.outdated);
  }

  /** How it is about to give up the port, should it be the one that holds it; undefined: it is not. */
  #leaving(other: ServiceName, name: ServiceName, port: number): string | undefined {
    const glance = this.#services.glance(other);
    if (Object.keys(glance.memory.runs).length === 0) return undefined;
    if (this.#stays(other, port)) return undefined;
    // It has its turn in a moment, and is asked about again after that.
    const slots = glance.decision?.slots;
    if (slots === undefined) return 'is about to stop';
    if (slots.some((phase) => phase.phase === 'stopping' && !phase.blocked)) return 'is stopping';
    if (this.#movesUp(other)) return 'is to be replaced';
    const isMoving = slots.some(isMovingOn) && !slots.some(({ phase }) => phase === 'failed');
    return isMoving && !this.#waitsFor(other, name) ? 'is to be replaced' : undefined;
  }

  /** What it waits for is over, or that of the one that it waits for: it has its turn then. */
  #movesUp(other: ServiceName): boolean {
    const seen = new Set<ServiceName>();
    let next = other;
    for (;;) {
      const holder = this.#waits.get(next);
      if (holder === undefined || seen.has(next)) return false;
      if (!this.#isHeldUp(next)) return true;
      seen.add(next);
      next = holder;
    }
  }

  /** Somebody still has the port for which it waited when it was looked at. */
  #isHeldUp(name: ServiceName): boolean {
    const port = this.#fixedPortOf(name);
    return port !== undefined && this.#containment.portHolder(port, [name]) !== undefined;
  }

  /** Whoever waits itself for the one that wants its port would keep it for good. */
  #waitsFor(other: ServiceName, name: ServiceName): boolean {
    const dependencies = this.#neighbours.dependencies(other);
    if (dependencies.some((each) => each.name === name && each.state !== 'met')) return true;
    return this.#isBehind(other, name);
  }

  /** Does it wait for the port of the service, itself or through others? */
  #isBehind(other: ServiceName, name: ServiceName): boolean {
    const seen = new Set<ServiceName>();
    for (let next: ServiceName | undefined = other; next !== undefined; next = this.#waits.get(next)) {
      if (next === name) return true;
      // What it waited for may be over: it is decided about in a moment.
      if (seen.has(next) || this.#services.glance(next).decision === undefined) return false;
      seen.add(next);
    }
    return false;
  }

  /** Itself, or through others. */
  #reliesOn(service: ServiceName, other: ServiceName, seen = new Set<ServiceName>()): boolean {
    if (seen.has(service)) return false;
    seen.add(service);
    return this.#neighbours
      .dependencies(service)
      .some(({ name }) => name === other || this.#reliesOn(name, other, seen));
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
