/** How does one simulated daemon see and move the simulated kernel? */
import { type RunId, type RunKey, type ServiceName, startOfRun } from '../../src/model/names.ts';
import type { MainProcess, Members, Observed, ObservedRun, Outcome } from '../../src/model/observed.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Signal } from '../../src/model/signals.ts';
import type { Containment, KnownMain, Launch, Started, Usage } from '../../src/world/world.ts';
import type { Injector } from './injector.ts';
import { type Machine, type Place, type Process, withLauncher } from './machine.ts';

/** What is done to runs, for the record. */
export type Deed =
  | { readonly what: 'start'; readonly run: RunKey; readonly pid: number }
  | { readonly what: 'refused'; readonly run: RunKey }
  | { readonly what: 'stop_command'; readonly run: RunKey }
  | { readonly what: 'signal'; readonly run: RunKey; readonly signal: Signal }
  | { readonly what: 'kill'; readonly run: RunKey }
  | { readonly what: 'remove'; readonly run: RunKey; readonly done: boolean }
  | { readonly what: 'forget'; readonly service: ServiceName }
  | { readonly what: 'limit'; readonly service: ServiceName };

/** What cannot be seen at the moment. */
export interface Blindness {
  readonly tree: boolean;
  readonly services: ReadonlySet<string>;
  readonly runs: ReadonlySet<string>;
}

export interface TwinTools {
  readonly machine: Machine;
  readonly injector: Injector;
  readonly clock: { now(): number };
  readonly blindness: () => Blindness;
  /** Signals, kills and removals fail. */
  readonly refuses: () => boolean;
  readonly record: (deed: Deed) => void;
  /** Brings a message of the kernel to the daemon: between two passes, and only while that daemon lives. */
  readonly deliver: (tell: () => void) => void;
  /** Something about the service may have changed; whether and when the daemon is woken is another question. */
  readonly changed: (service: ServiceName) => void;
}

type OwnEnd = { readonly outcome: Outcome; readonly at: number };

/** The exit of a process is known only to the daemon that started it, as it is with wait(2). */
export class SimulatedContainment implements Containment {
  readonly kind = 'cgroup';
  readonly shortcomings: readonly Problem[] = [];
  /** Set by the loop: is told the name of a service. */
  wake: (service: ServiceName) => void = () => {};
  readonly #tools: TwinTools;
  readonly #own = new Map<RunId, { readonly main: Process; end: OwnEnd | undefined }>();
  readonly #foundGone = new Map<RunId, number>();

  constructor(tools: TwinTools) {
    this.#tools = tools;
  }

  services(): readonly ServiceName[] | { readonly unseen: Problem } {
    if (this.#tools.blindness().tree) return { unseen: UNSEEN };
    return [...this.#tools.machine.services].sort();
  }

  look(service: ServiceName, known: KnownMain): Observed {
    const { machine, blindness } = this.#tools;
    machine.spend();
    const blind = blindness();
    if (blind.tree || blind.services.has(service)) return { kind: 'unseen', problem: UNSEEN };
    return {
      kind: 'seen',
      runs: machine.placesOf(service).map((place) => this.#lookAt(place, known, blind)),
    };
  }

  start(key: RunKey, launch: Launch): Started | Problem {
    const { machine, injector, record } = this.#tools;
    machine.spend();
    const program = machine.program(launch.argv[0] ?? '');
    const act = (): Started | Problem => {
      if (!program.there) {
        record({ what: 'refused', run: key });
        return { code: 'command-missing', severity: 'error', message: `${launch.argv[0]} does not exist` };
      }
      const main = machine.startMain(machine.makePlace(key), program, (outcome) =>
        this.#tools.deliver(() => this.#ended(key, outcome)),
      );
      this.#own.set(key.id, { main, end: undefined });
      record({ what: 'start', run: key, pid: main.pid });
      return { pid: main.pid, ticks: main.ticks };
    };
    return injector.perform(`start of ${key.service}/${key.slot}`, act, () => {
      const place = machine.makePlace(key);
      // The launcher may live on and still reach its container, or the daemon died before it.
      if (program.there && key.id.charCodeAt(key.id.length - 1) % 2 === 0) {
        const main = machine.startMain(place, program, undefined);
        record({ what: 'start', run: key, pid: main.pid });
      }
    });
  }

  runInside(key: RunKey, launch: Launch, done: (outcome: Outcome) => void): Problem | undefined {
    const { machine, injector, record, deliver } = this.#tools;
    machine.spend();
    const program = machine.program(launch.argv[1] ?? '');
    return injector.perform(`stop command of ${key.service}/${key.slot}`, () => {
      const place = machine.place(key);
      if (place === undefined)
        return { code: 'start-failed', severity: 'error', message: 'its place is gone' };
      record({ what: 'stop_command', run: key });
      machine.startCommand(place, program, (outcome) => deliver(() => done(outcome)));
      return undefined;
    });
  }

  signal(key: RunKey, signal: Signal): Problem | undefined {
    const { machine, injector, record } = this.#tools;
    machine.spend();
    return injector.perform(`${signal} to ${key.service}/${key.slot}`, () => {
      record({ what: 'signal', run: key, signal });
      if (this.#tools.refuses()) return REFUSED;
      const place = machine.place(key);
      if (place !== undefined) machine.signal(place, signal, this.#own.get(key.id)?.main);
      return undefined;
    });
  }

  kill(key: RunKey): Problem | undefined {
    const { machine, injector, record } = this.#tools;
    machine.spend();
    return injector.perform(`kill of ${key.service}/${key.slot}`, () => {
      record({ what: 'kill', run: key });
      if (this.#tools.refuses()) return REFUSED;
      const place = machine.place(key);
      if (place === undefined) return undefined;
      for (const process of withLauncher(place, this.#own.get(key.id)?.main)) machine.kill(process);
      return undefined;
    });
  }

  remove(key: RunKey): Problem | undefined {
    const { machine, injector, record } = this.#tools;
    machine.spend();
    return injector.perform(`removal of ${key.service}/${key.slot}`, () => {
      if (this.#tools.refuses()) return REFUSED;
      const place = machine.place(key);
      const own = this.#own.get(key.id);
      const launching = own?.main.alive === true;
      const done = place === undefined || (!launching && machine.removePlace(place));
      record({ what: 'remove', run: key, done });
      if (!done) return { code: 'stop-blocked', severity: 'error', message: 'EBUSY' };
      this.#own.delete(key.id);
      return undefined;
    });
  }

  forget(service: ServiceName): void {
    const { machine, injector, record } = this.#tools;
    injector.perform(`forgetting ${service}`, () => {
      record({ what: 'forget', service });
      if (machine.placesOf(service).length === 0) machine.services.delete(service);
    });
  }

  limit(service: ServiceName): readonly Problem[] {
    const { machine, injector, record } = this.#tools;
    machine.spend();
    return injector.perform(`limits of ${service}`, () => {
      record({ what: 'limit', service });
      machine.services.add(service);
      return [];
    });
  }

  members(key: RunKey): readonly number[] {
    return [...(this.#tools.machine.place(key)?.processes ?? [])].map((process) => process.pid);
  }

  describe(pid: number): string {
    return String(pid);
  }

  environment(): undefined {
    return undefined;
  }

  usage(): Usage {
    return { cpuMicroseconds: null, memoryBytes: null };
  }

  portHolder(): undefined {
    return undefined;
  }

  onChange(wake: (service: ServiceName) => void): void {
    this.wake = wake;
  }

  close(): void {
    this.wake = () => {};
  }

  #ended(key: RunKey, outcome: Outcome): void {
    const own = this.#own.get(key.id);
    if (own !== undefined) own.end = { outcome, at: this.#tools.clock.now() };
    this.#tools.changed(key.service);
  }

  #lookAt(place: Place, known: KnownMain, blind: Blindness): ObservedRun {
    const { key } = place;
    const own = this.#own.get(key.id);
    let members: Members = { is: place.processes.size > 0 ? 'some' : 'none' };
    if (blind.runs.has(key.id)) members = { is: 'unseen', problem: UNSEEN };
    if (own !== undefined && own.end === undefined && members.is === 'none') members = { is: 'some' };
    return {
      key,
      startedAt: startOfRun(key.id),
      main: own === undefined ? this.#adoptedMain(place, known, members) : ownMain(own),
      members,
      everRan: own !== undefined || place.everRan || members.is !== 'none',
      adopted: own === undefined,
    };
  }

  #adoptedMain(place: Place, known: KnownMain, members: Members): MainProcess {
    const main = known(place.key.id);
    if (main === null || members.is === 'unseen') return { is: 'unknown' };
    const process = this.#tools.machine.processes.get(main.pid);
    const same = process !== undefined && (main.ticks === null || process.ticks === main.ticks);
    if (same && place.processes.has(process)) return { is: 'running', pid: main.pid };
    const at = this.#foundGone.get(place.key.id) ?? this.#tools.clock.now();
    this.#foundGone.set(place.key.id, at);
    return { is: 'ended', outcome: { kind: 'unknown', oom: place.oom }, at };
  }
}

function ownMain(own: { readonly main: Process; readonly end: OwnEnd | undefined }): MainProcess {
  return own.end === undefined ? { is: 'running', pid: own.main.pid } : { is: 'ended', ...own.end };
}

const REFUSED: Problem = { code: 'stop-blocked', severity: 'error', message: 'EIO' };

const UNSEEN: Problem = { code: 'observe-failed', severity: 'error', message: 'cannot be read: EMFILE' };
