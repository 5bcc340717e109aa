/** How does one simulated daemon see and move the simulated kernel? */
import type { HookName } from '../../src/model/action.ts';
import { type RunId, type RunKey, type ServiceName, startOfRun } from '../../src/model/names.ts';
import type { MainProcess, Members, Observed, ObservedRun, Outcome } from '../../src/model/observed.ts';
import type { ProbeKind } from '../../src/model/probe.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Signal } from '../../src/model/signals.ts';
import type {
  Beside,
  BesideOutcome,
  Containment,
  Figures,
  KnownMain,
  Launch,
  Prober,
  Started,
  Usage,
} from '../../src/world/world.ts';
import type { Injector } from './injector.ts';
import { type Machine, type Place, type Process, withLauncher } from './machine.ts';
import { isWell, type Program } from './program.ts';

/** What is done to runs, for the record. */
export type Deed =
  | { readonly what: 'start'; readonly run: RunKey; readonly pid: number }
  | { readonly what: 'refused'; readonly run: RunKey }
  | { readonly what: 'stop_command'; readonly run: RunKey }
  /** Something begins beside a run; `twice`: while the same goes on. */
  | { readonly what: 'beside'; readonly run: RunKey; readonly word: string; readonly twice: boolean }
  /** Its end is not told any more. */
  | { readonly what: 'taken_back'; readonly run: RunKey; readonly word: string }
  /** Its end is told. */
  | { readonly what: 'answer'; readonly run: RunKey; readonly word: string; readonly ok: boolean }
  | { readonly what: 'signal'; readonly run: RunKey; readonly signal: Signal }
  /** To its first process, and not to end it. */
  | { readonly what: 'tell'; readonly run: RunKey; readonly signal: Signal }
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
  /** Which run is asked at the address of a place: two in one place have the same. Undefined: whichever is there. */
  readonly asked: (
    service: ServiceName,
    kind: ProbeKind,
    slot: number,
    generation: number,
  ) => RunId | undefined;
  /** The program that a run was started with. */
  readonly programOf: (run: RunKey) => string;
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
  readonly #beside = new Set<string>();
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

  /** Its end comes as it was scripted. Nothing of it outlives the daemon. */
  runBeside(
    key: RunKey,
    what: string,
    launch: Launch,
    timeout: number,
    done: (outcome: BesideOutcome) => void,
  ): Beside | Problem {
    const { machine, injector, record } = this.#tools;
    machine.spend();
    const kind = isProbe(what) ? what : undefined;
    const program = machine.program(launch.argv[1] ?? '');
    const begin = (): Beside | Problem => {
      const twice = this.#beside.has(`${key.id} ${what}`);
      record({ what: 'beside', run: key, word: what, twice });
      if (twice) return { code: 'start-failed', severity: 'error', message: `the last ${what} is not over` };
      machine.services.add(key.service);
      const script = kind === undefined ? program.hooks[what as HookName] : this.#answer(key, kind, program);
      const late = script.after > timeout;
      return this.#later(key, what, Math.min(script.after, timeout), !late && script.code === 0, () =>
        done(late ? { kind: 'timed_out' } : { kind: 'exited', code: script.code }),
      );
    };
    // Probes change nothing.
    return kind !== undefined ? begin() : injector.perform(`${what} of ${key.service}/${key.slot}`, begin);
  }

  /** The network side of the same. */
  readonly prober: Prober = {
    http: ({ url }, timeout, done) => {
      const [, , , service, slot, generation, kind] = url.split('/');
      const { machine, asked } = this.#tools;
      const name = service as ServiceName;
      const places = machine
        .placesOf(name)
        .filter(({ key }) => key.slot === Number(slot) && key.generation === Number(generation));
      const id = isProbe(kind ?? '')
        ? asked(name, kind as ProbeKind, Number(slot), Number(generation))
        : undefined;
      const place = id === undefined ? places.at(-1) : places.find(({ key }) => key.id === id);
      if (place === undefined || !isProbe(kind ?? '')) {
        const cancel = machine.agenda.add(machine.now + 1, () =>
          this.#tools.deliver(() => done({ ok: false, detail: 'refused', elapsed: 1 })),
        );
        return cancel;
      }
      const word = kind as ProbeKind;
      const twice = this.#beside.has(`${place.key.id} ${word}`);
      this.#tools.record({ what: 'beside', run: place.key, word, twice });
      const path = this.#tools.programOf(place.key);
      const { after, code } = this.#answer(place.key, word, machine.program(path));
      const ok = after <= timeout && code === 0;
      const { cancel } = this.#later(place.key, word, Math.min(after, timeout), ok, () =>
        done({ ok, detail: ok ? '200' : '503', elapsed: after }),
      );
      return cancel;
    },
    tcp: () => () => {},
    sizeOf: () => 0,
  };

  #answer(key: RunKey, kind: ProbeKind, program: Program): { readonly after: number; readonly code: number } {
    const { machine } = this.#tools;
    const place = machine.place(key);
    const launched = this.#own.get(key.id)?.main.alive === true;
    const lives = place !== undefined && (launched || [...place.processes].some(({ alive }) => alive));
    const age = machine.now - (place?.since ?? machine.now);
    const well = lives && isWell(program, kind, age);
    return { after: program.health.answersAfter, code: well ? 0 : 1 };
  }

  #later(key: RunKey, word: string, after: number, ok: boolean, tell: () => void): Beside {
    const { machine, deliver, record } = this.#tools;
    const name = `${key.id} ${word}`;
    this.#beside.add(name);
    let wanted = true;
    const takeBack = machine.agenda.add(machine.now + after, () =>
      deliver(() => {
        if (!wanted) return;
        this.#beside.delete(name);
        record({ what: 'answer', run: key, word, ok });
        tell();
      }),
    );
    const cancel = () => {
      if (wanted && this.#beside.has(name)) record({ what: 'taken_back', run: key, word });
      wanted = false;
      takeBack();
      this.#beside.delete(name);
    };
    return { cancel };
  }

  hear(): undefined {
    return undefined;
  }

  signalMain(key: RunKey, _main: Started | null, signal: Signal): Problem | undefined {
    const { machine, injector, record } = this.#tools;
    return injector.perform(`${signal} to the first process of ${key.service}/${key.slot}`, () => {
      record({ what: 'tell', run: key, signal });
      return this.#tools.refuses() || machine.place(key) === undefined ? REFUSED : undefined;
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

  forget(service: ServiceName): Problem | undefined {
    const { machine, injector, record } = this.#tools;
    return injector.perform(`forgetting ${service}`, () => {
      record({ what: 'forget', service });
      if (machine.placesOf(service).length > 0)
        return { code: 'stop-blocked', severity: 'error', message: 'EBUSY' };
      machine.services.delete(service);
      return undefined;
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

  figures(): Figures {
    return { residentBytes: null, io: null };
  }

  portHolder(): undefined {
    return undefined;
  }

  freezer(): null {
    return null;
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

function isProbe(word: string): word is ProbeKind {
  return word === 'startup' || word === 'readiness' || word === 'liveness';
}

const REFUSED: Problem = { code: 'stop-blocked', severity: 'error', message: 'EIO' };

const UNSEEN: Problem = { code: 'observe-failed', severity: 'error', message: 'cannot be read: EMFILE' };
