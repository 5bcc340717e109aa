/** How is an action carried out? Each has its hands here, and none has an opinion. */

import { NO_ORIGIN } from '../config/raw-tree.ts';
import { type Who, whoRuns, whoWanted } from '../config/who.ts';
import { type StartTools, startRun } from '../executor/start.ts';
import { runStopCommand } from '../executor/stop-command.ts';
import type { Action, Event } from '../model/action.ts';
import { NO_RUN, NO_SLOT } from '../model/memory.ts';
import { type RunKey, runId, type ServiceName } from '../model/names.ts';
import type { Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import type { Signal } from '../model/signals.ts';
import type { Defined, ServiceSpec } from '../model/spec.ts';
import { afterExit, afterStart } from '../policy/restart.ts';
import { specOf } from '../reconcile/notice-exits.ts';
import type { Situation } from '../reconcile/situation.ts';
import { failedEvent, startedEvent, stopRequestedEvent } from './run-events.ts';
import type { Store } from './store.ts';

export interface HandsTools extends StartTools {
  readonly store: Store;
  readonly report: (event: Event) => void;
  /** Something that a person should know and that no event tells. */
  readonly complain: (problem: Problem) => void;
  /** The service is to be looked at again. */
  readonly mark: (service: ServiceName) => void;
}

export class Hands {
  readonly #tools: HandsTools;
  readonly #warnings = new Map<ServiceName, readonly Problem[]>();

  constructor(tools: HandsTools) {
    this.#tools = tools;
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
        return containment.remove(action.run);
      case 'apply_live':
        return this.#applyLive(situation);
      case 'forget':
        return this.#forget(action.service);
      default:
        return action satisfies never;
    }
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
      id: runId(world.clock.now(), tail(world.random.next())),
    };
    this.#applyLimits(desired, situation);
    const started = startRun(key, desired, this.#tools);
    const memory = store.memory(action.service);
    const slot = memory.slots[action.slot] ?? NO_SLOT;
    const at = world.clock.now();
    if ('code' in started) {
      const outcome = { kind: 'not_started', problem: started } as const;
      const exit = { outcome, at, by: 'itself', run: null, uptime: 0 } as const;
      const next = afterExit({ ...slot, generation: action.generation }, exit, {
        policy: desired.spec.restart_policy,
        type: desired.spec.process.type,
        hash: desired.hash,
        digest: desired.digest,
        pardon: situation.intent.pardon ?? 0,
        chance: world.random.next(),
      });
      store.setMemory(action.service, { ...memory, slots: { ...memory.slots, [action.slot]: next } });
      this.#tools.report(failedEvent(key, started, next.next !== null, at));
      return undefined;
    }
    store.setMemory(action.service, {
      ...memory,
      slots: { ...memory.slots, [action.slot]: afterStart(slot, action.generation, action.because) },
      runs: { ...memory.runs, [key.id]: { ...NO_RUN, main: started } },
    });
    this.#tools.report(startedEvent(key, started.pid, action.because, at));
    return undefined;
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
    const spec = specOf(situation, run.hash);
    if (spec === undefined) return undefined;
    const desired = situation.desired?.kind === 'defined' ? situation.desired : undefined;
    const own = desired?.hash === run.hash;
    const who = own ? { credentials: desired.credentials } : this.#whoRan(spec);
    this.#reportStop(run, 'stop_command', because, situation);
    const ended = (outcome: Outcome) => {
      if (outcome.kind !== 'exited' || outcome.code !== 0) this.#unsent(run);
      this.#tools.mark(run.service);
    };
    const secrets = own ? desired.secrets : undefined;
    // A user who is gone is not replaced by the daemon's own: what it may do, the command was never meant to do.
    const problem =
      'problems' in who
        ? who.problems[0]
        : runStopCommand({ key: run, spec, secrets, ...who }, this.#tools, ended);
    if (problem === undefined) return undefined;
    this.#tools.complain({ ...problem, service: run.service });
    this.#unsent(run);
    return undefined;
  }

  #signal(run: RunKey, signal: Signal): Problem | undefined {
    const problem = this.#tools.world.containment.signal(run, signal);
    if (problem !== undefined) this.#unsent(run);
    return problem;
  }

  /** Nothing was stopped: a later decision sends the signal (again), as long as there is grace. */
  #unsent(run: RunKey): void {
    const { store } = this.#tools;
    const memory = store.memory(run.service);
    const known = memory.runs[run.id];
    if (known?.stop?.step !== 'command' && known?.stop?.step !== 'signal') return;
    const stop = { ...known.stop, step: 'unsent' } as const;
    store.setMemory(run.service, { ...memory, runs: { ...memory.runs, [run.id]: { ...known, stop } } });
  }

  /** As whom the run of an older definition was started, by the users and groups of now. */
  #whoRan(spec: ServiceSpec): Who {
    return whoRuns(whoWanted(spec.process), this.#tools.world.users, NO_ORIGIN);
  }

  #reportStop(run: RunKey, signal: string, because: string, situation: Situation): void {
    const main = situation.memory.runs[run.id]?.main?.pid;
    this.#tools.report(stopRequestedEvent(run, main, signal, because, situation.now));
  }

  #forget(name: ServiceName): Problem | undefined {
    this.#tools.world.containment.forget(name);
    this.#warnings.delete(name);
    return this.#tools.store.forget(name);
  }

  #warn(name: ServiceName, problems: readonly Problem[]): void {
    const before = this.warnings(name).map((problem) => problem.message);
    for (const problem of problems) {
      if (!before.includes(problem.message)) this.#tools.complain({ ...problem, service: name });
    }
    this.#warnings.set(name, problems);
  }
}

/** Six characters of chance: two runs of one slot never start in the same millisecond anyway. */
function tail(chance: number): string {
  return Math.floor(chance * 36 ** 6)
    .toString(36)
    .padStart(6, '0');
}
