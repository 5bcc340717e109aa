/** How is an action carried out? Each has its hands here, and none has an opinion. */

import { type StartTools, startRun } from '../executor/start.ts';
import { runStopCommand } from '../executor/stop-command.ts';
import type { Action, Event } from '../model/action.ts';
import { NO_RUN, NO_SLOT, type RunMemory } from '../model/memory.ts';
import { drawRunId, type RunId, type RunKey, type ServiceName, startOfRun } from '../model/names.ts';
import type { Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Signal } from '../model/signals.ts';
import type { Defined, DesiredState } from '../model/spec.ts';
import { afterStart } from '../policy/restart.ts';
import type { Situation } from '../reconcile/situation.ts';
import type { World } from '../world/world.ts';
import { Besides } from './besides.ts';
import { noteFailedStart } from './failed-start.ts';
import { identityOf } from './identity.ts';
import { startedEvent, stopRequestedEvent } from './run-events.ts';
import { noteUnsent } from './stop-notes.ts';
import type { Store } from './store.ts';

/** A start that follows so soon is the one that was written down. Milliseconds. */
const PROMPT = 1000;

export interface HandsTools extends StartTools {
  readonly settings: Pick<Settings, 'cluster' | 'pools'>;
  readonly store: Store;
  readonly loop: { readonly desired: DesiredState };
  readonly report: (event: Event) => void;
  /** A process is going to be started. */
  readonly starting?: (run: RunKey, service: Defined, reason: string) => void;
  /** Something that a person should know and that no event tells. */
  readonly complain: (problem: Problem) => void;
  /** The service is to be looked at again. */
  readonly mark: (service: ServiceName) => void;
}

export class Hands {
  readonly besides: Besides;
  readonly #tools: HandsTools;
  readonly #begun: number;
  readonly #warnings = new Map<ServiceName, readonly Problem[]>();

  constructor(tools: HandsTools) {
    this.#tools = tools;
    this.#begun = tools.world.clock.now();
    this.besides = new Besides(tools);
  }

  /** Limits that could not be applied to the service. */
  warnings(service: ServiceName): readonly Problem[] {
    return this.#warnings.get(service) ?? [];
  }

  /** A Problem: it could not be done; the service is to be looked at again a little later. */
  carryOut(action: Action, situation: Situation): Problem | undefined {
    const { containment } = this.#tools.world;
    switch (action.do) {
      case 'start':
        return this.#start(action, situation);
      case 'stop_command':
        return this.#stopCommand(action.run, action.because, situation);
      case 'signal':
        this.#reportStop(action.run, action.signal, action.because, situation);
        return this.#signal(action.run, action.signal);
      case 'kill':
        this.#reportStop(action.run, 'SIGKILL', action.because, situation);
        return containment.kill(action.run);
      case 'clean_up':
        return this.#cleanUp(action.run);
      case 'probe':
        return this.besides.probe(action, situation);
      case 'hook':
        // Its place is made by the first hook: no process of the service may run without its limits.
        if (action.hook === 'pre_start' && situation.desired?.kind === 'defined') {
          this.#applyLimits(situation.desired, situation);
        }
        return this.besides.hook(action, situation);
      case 'reload':
        return this.besides.reload(action, situation);
      case 'apply_live':
        return this.#applyLive(situation);
      case 'forget':
        return this.#forget(action.service);
      default:
        return action satisfies never;
    }
  }

  #cleanUp(run: RunKey): Problem | undefined {
    this.besides.forget(run);
    const problem = this.#tools.world.containment.remove(run);
    if (problem === undefined) this.besides.removed(run);
    return problem;
  }

  #start(action: Extract<Action, { do: 'start' }>, situation: Situation): Problem | undefined {
    const { world, store } = this.#tools;
    const desired = situation.desired;
    if (desired?.kind !== 'defined' || desired.hash !== action.hash) return undefined;
    const key: RunKey = {
      service: action.service,
      slot: action.slot,
      generation: action.generation,
      hash: action.hash,
      id: action.run === null ? newRun(world) : this.#dueRun(action.service, action.run),
    };
    this.#applyLimits(desired, situation);
    const port = this.#portFor(desired);
    this.#tools.starting?.(key, desired, action.because);
    const started = typeof port === 'object' && port !== null ? port : this.#launch(key, desired, port);
    if ('code' in started) {
      noteFailedStart(key, started, { desired, observed: situation.observed }, this.#tools);
      return undefined;
    }
    const memory = store.memory(action.service);
    const slot = memory.slots[action.slot] ?? NO_SLOT;
    const at = world.clock.now();
    const { pid, ticks, logFrom, errFrom } = started;
    this.besides.started(key, desired, typeof port === 'number' ? port : null);
    const run: RunMemory = {
      ...NO_RUN,
      main: { pid, ticks },
      met: true,
      port: typeof port === 'number' ? port : null,
      logFrom,
      errFrom,
      reloaded: situation.intent.reloads ?? 0,
    };
    store.setMemory(action.service, {
      ...memory,
      slots: { ...memory.slots, [action.slot]: afterStart(slot, action.generation, action.because) },
      runs: { ...memory.runs, [key.id]: run },
      due: null,
    });
    this.#tools.report(startedEvent(key, started.pid, action.because, at));
    return undefined;
  }

  /**
   * The id tells when a run was started. What was due long ago, and had to wait, gets another one; on disk before
   * it is started, as the one before it was. All that wait are written at once: a start of a thousand jobs must not
   * write a thousand times. What an earlier daemon left is not touched: it may have been started.
   */
  #dueRun(service: ServiceName, run: RunId): RunId {
    const { world, store, complain } = this.#tools;
    const age = world.clock.now() - startOfRun(run);
    if (age >= 0 && age < PROMPT) return run;
    let id = newRun(world);
    for (const [name, memory] of store.due()) {
      const from = startOfRun(memory.due.run);
      if (name !== service && (from < this.#begun || world.clock.now() - from < PROMPT)) continue;
      const renewed = newRun(world);
      if (name === service) id = renewed;
      store.setMemory(name, { ...memory, due: { ...memory.due, run: renewed } });
    }
    const problem = store.flush();
    if (problem !== undefined) complain(problem);
    return id;
  }

  #launch(key: RunKey, desired: Defined, port: number | null): ReturnType<typeof startRun> {
    const { spec } = desired;
    const { startup } = spec.probes;
    const notify =
      startup !== null && 'fd' in startup.how
        ? { fd: startup.how.fd, heard: () => this.besides.heard(key, startup) }
        : undefined;
    // Whoever runs once is told from one that failed, also by a daemon that was not there.
    const record = spec.process.type === 'oneshot' || spec.process.schedule !== null;
    return startRun(key, desired, this.#tools, { port, record, notify });
  }

  /** `auto`: a port of the pool that no run of ours was given, that no service names, and on which nobody listens. */
  #portFor({ spec }: Defined): number | null | Problem {
    if (spec.port !== 'auto') return spec.port;
    const { store, settings, world, loop } = this.#tools;
    const taken = new Set(store.ports());
    for (const each of loop.desired.services.values()) {
      if (each.kind === 'defined' && typeof each.spec.port === 'number') taken.add(each.spec.port);
    }
    const { start_port, end_port } = settings.pools;
    for (let port = start_port; port <= end_port; port++) {
      if (!taken.has(port) && world.containment.portHolder(port, []) === undefined) return port;
    }
    return {
      code: 'port-exhausted',
      severity: 'error',
      message: `no port from ${start_port} to ${end_port} is free`,
      path: 'port',
      hint: 'widen pools.start_port and pools.end_port in the master file',
    };
  }

  /** Limits come first: no process of the service may run without them. */
  #applyLimits(desired: Defined, situation: Situation): void {
    const { store, world } = this.#tools;
    const applied = situation.applied.get(desired.hash);
    const same = applied === desired.spec;
    const fresh = situation.observed.kind === 'seen' && situation.observed.runs.length === 0;
    const unlimited = Object.values(desired.spec.resources).every((limit) => limit === null);
    if ((!same || fresh) && !(unlimited && fresh)) {
      this.#warn(desired.name, world.containment.limit(desired.name, desired.spec.resources));
    }
    store.setApplied(desired.name, desired.hash, desired.spec);
    // A daemon that dies right after the start must not leave a run of which nobody knows how it is stopped.
    const problem = store.flushApplied();
    if (problem !== undefined) this.#tools.complain(problem);
  }

  #applyLive(situation: Situation): Problem | undefined {
    if (situation.desired?.kind !== 'defined') return undefined;
    const { store, world } = this.#tools;
    const { name, hash, spec } = situation.desired;
    this.#warn(name, world.containment.limit(name, spec.resources));
    store.setApplied(name, hash, spec);
    return undefined;
  }

  #stopCommand(run: RunKey, because: string, situation: Situation): Problem | undefined {
    const identity = identityOf(run, situation, this.#tools.world.users);
    if (identity === undefined) return undefined;
    const port = situation.memory.runs[run.id]?.port ?? null;
    this.#reportStop(run, 'stop_command', because, situation);
    const ended = (outcome: Outcome) => {
      if (outcome.kind !== 'exited' || outcome.code !== 0) noteUnsent(run, this.#tools.store);
      this.#tools.mark(run.service);
    };
    const problem =
      'code' in identity ? identity : runStopCommand({ key: run, ...identity, port }, this.#tools, ended);
    if (problem === undefined) return undefined;
    this.#tools.complain({ ...problem, service: run.service });
    noteUnsent(run, this.#tools.store);
    return undefined;
  }

  #signal(run: RunKey, signal: Signal): Problem | undefined {
    const problem = this.#tools.world.containment.signal(run, signal);
    if (problem !== undefined) noteUnsent(run, this.#tools.store);
    return problem;
  }

  #reportStop(run: RunKey, signal: string, because: string, situation: Situation): void {
    const main = situation.memory.runs[run.id]?.main?.pid;
    this.#tools.report(stopRequestedEvent(run, main, signal, because, situation.now));
  }

  #forget(name: ServiceName): Problem | undefined {
    // What is not remembered would look like something that somebody has to approve of.
    const left = this.#tools.world.containment.forget(name);
    if (left !== undefined) return left;
    this.#warnings.delete(name);
    return this.#tools.store.forget(name, this.#tools.world.clock.now());
  }

  #warn(name: ServiceName, problems: readonly Problem[]): void {
    const before = this.warnings(name).map((problem) => problem.message);
    for (const problem of problems) {
      if (!before.includes(problem.message)) this.#tools.complain({ ...problem, service: name });
    }
    this.#warnings.set(name, problems);
  }
}

/** The id of a run that starts now: two runs of one slot never start in the same millisecond. */
export function newRun({ clock, random }: Pick<World, 'clock' | 'random'>): RunId {
  return drawRunId(clock.now(), random.next());
}
