/** Which processes and containers are there? A simulated kernel that survives every daemon. */
import { type RunKey, runDirectory, type ServiceName } from '../../src/model/names.ts';
import type { Outcome } from '../../src/model/observed.ts';
import type { Signal } from '../../src/model/signals.ts';
import { Agenda } from './agenda.ts';
import { GOOD, GOOD_ONCE, type Program } from './program.ts';
import type { Chance } from './random.ts';

export interface Process {
  readonly pid: number;
  /** Start time in clock ticks: together with the pid it is unique. */
  readonly ticks: number;
  readonly role: 'main' | 'child' | 'command' | 'foreign';
  readonly program: Program;
  readonly place: Place | undefined;
  readonly ended: ((outcome: Outcome) => void) | undefined;
  alive: boolean;
  /** It has reached its container. */
  joined: boolean;
  killed: boolean;
}

/** The container of one run. */
export interface Place {
  readonly key: RunKey;
  /** When it was made. */
  readonly since: number;
  /** Zombies included. */
  readonly processes: Set<Process>;
  everRan: boolean;
  oom: boolean;
}

export interface Watcher {
  /** Something about this service may have changed. */
  changed(service: ServiceName): void;
  ended(process: Process, outcome: Outcome): void;
}

/** Pids come from a small range, so that they are soon used again. */
const PIDS = 400;

/** Signals that end a process unless it minds them; the others are taken as notes. */
const DEADLY: ReadonlySet<Signal> = new Set<Signal>(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1']);

export class Machine {
  now = 1_000_000;
  readonly places = new Map<string, Place>();
  /** Also a service without a run has its place, once limits were set. */
  readonly services = new Set<ServiceName>();
  readonly processes = new Map<number, Process>();
  readonly programs = new Map<string, Program>();
  readonly agenda = new Agenda();
  watcher: Watcher | undefined;
  readonly #chance: Chance;
  /** Signals that reached a process that is in no container; a correct daemon leaves it empty. */
  readonly strayed: number[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
    for (let count = 0; count < 20; count++) this.#spawn('foreign', undefined, GOOD, undefined);
  }

  /** Lets time pass, with all that happens meanwhile. */
  advance(to: number): void {
    for (let due = this.agenda.take(to); due !== undefined; due = this.agenda.take(to)) {
      this.now = Math.max(this.now, due.at);
      due.act();
    }
    this.now = Math.max(this.now, to);
  }

  /** A system call takes a moment, and the world does not wait for it. */
  spend(): void {
    const long = this.#chance.happens(0.01);
    if (long || this.#chance.happens(0.3)) this.advance(this.now + this.#chance.between(1, long ? 20 : 2));
  }

  /** Unless it was told otherwise a program is a good one: it runs for ever, or ends well if that is what it is for. */
  program(path: string): Program {
    return this.programs.get(path) ?? (path.endsWith('-once') ? GOOD_ONCE : GOOD);
  }

  makePlace(key: RunKey): Place {
    const place: Place = { key, since: this.now, processes: new Set(), everRan: false, oom: false };
    this.places.set(pathOf(key), place);
    this.services.add(key.service);
    return place;
  }

  place(key: RunKey): Place | undefined {
    return this.places.get(pathOf(key));
  }

  placesOf(service: ServiceName): readonly Place[] {
    return [...this.places.values()].filter((place) => place.key.service === service);
  }

  /** Starts the main process; it reaches its container a moment later. */
  startMain(place: Place, program: Program, ended: ((outcome: Outcome) => void) | undefined): Process {
    const main = this.#spawn('main', place, program, ended);
    this.agenda.add(this.now + this.#chance.between(0, 2), () => this.#join(main, place));
    return main;
  }

  startCommand(place: Place, program: Program, ended: (outcome: Outcome) => void): void {
    const command = this.#spawn('command', place, program, ended);
    command.joined = true;
    place.processes.add(command);
    const { after, code, works } = program.stopCommand;
    this.agenda.add(this.now + after, () => {
      if (works && command.alive) {
        for (const each of place.processes) if (each !== command) this.#tell(each, 'SIGTERM');
      }
      this.end(command, { kind: 'exited', code });
    });
  }

  /** @param launcher a main process that may not have reached its container yet */
  signal(place: Place, signal: Signal, launcher: Process | undefined): void {
    for (const process of withLauncher(place, launcher)) this.#tell(process, signal);
  }

  kill(process: Process): void {
    if (!process.alive || process.killed) return;
    process.killed = true;
    this.agenda.add(this.now + process.program.killTakes, () =>
      this.end(process, { kind: 'signaled', signal: 'SIGKILL', oom: false }),
    );
  }

  /** False: a process, or what is left of one, is in it. */
  removePlace(place: Place): boolean {
    if (place.processes.size > 0) return false;
    this.places.delete(pathOf(place.key));
    return true;
  }

  end(process: Process, outcome: Outcome): void {
    if (!process.alive) return;
    process.alive = false;
    this.processes.delete(process.pid);
    const { place } = process;
    if (place === undefined) return;
    if (outcome.kind === 'signaled' && outcome.oom) place.oom = true;
    this.watcher?.ended(process, outcome);
    process.ended?.(outcome);
    this.watcher?.changed(place.key.service);
    // A container stays populated until the last zombie in it is reaped.
    this.agenda.add(this.now + this.#chance.between(0, 4), () => {
      place.processes.delete(process);
      if (place.processes.size === 0) this.watcher?.changed(place.key.service);
    });
  }

  /** The host starts anew: nothing of what ran is left. */
  reboot(): void {
    this.agenda.clear();
    for (const process of [...this.processes.values()]) {
      if (process.role === 'foreign') continue;
      process.alive = false;
      this.processes.delete(process.pid);
      this.watcher?.ended(process, { kind: 'unknown', oom: false });
    }
    this.places.clear();
    this.services.clear();
  }

  #join(main: Process, place: Place): void {
    if (!main.alive) return;
    if (this.place(place.key) !== place) {
      // Its container was removed before it got there: it does not go on to the program.
      this.end(main, { kind: 'exited', code: 1 });
      return;
    }
    main.joined = true;
    place.processes.add(main);
    place.everRan = true;
    this.#live(main, place);
  }

  #live(main: Process, place: Place): void {
    const { ends, child } = main.program;
    if (ends.how === 'exit') {
      this.agenda.add(this.now + ends.after, () => this.end(main, { kind: 'exited', code: ends.code }));
    }
    if (ends.how === 'signal') {
      const { signal, oom } = ends;
      this.agenda.add(this.now + ends.after, () => this.end(main, { kind: 'signaled', signal, oom }));
    }
    if (child !== null) this.agenda.add(this.now + child.after, () => this.#fork(main, place));
  }

  #fork(main: Process, place: Place): void {
    const { child } = main.program;
    if (!main.alive || child === null) return;
    const program: Program = child.ignoresStop
      ? { ...main.program, onStop: { how: 'ignores' } }
      : { ...main.program, onStop: { how: 'dies', after: 5, code: null } };
    const process = this.#spawn('child', place, program, undefined);
    process.joined = true;
    place.processes.add(process);
    if (child.lives !== null) {
      this.agenda.add(this.now + child.lives, () => this.end(process, { kind: 'exited', code: 0 }));
    }
  }

  #tell(process: Process, signal: Signal): void {
    if (process.place === undefined) this.strayed.push(process.pid);
    if (!process.alive || process.role === 'command') return;
    if (signal === 'SIGKILL') this.kill(process);
    const { onStop } = process.program;
    if (onStop.how === 'ignores' || !DEADLY.has(signal)) return;
    const outcome: Outcome =
      onStop.code === null ? { kind: 'signaled', signal, oom: false } : { kind: 'exited', code: onStop.code };
    this.agenda.add(this.now + onStop.after, () => this.end(process, outcome));
  }

  #spawn(
    role: Process['role'],
    place: Place | undefined,
    program: Program,
    ended: Process['ended'],
  ): Process {
    let pid = this.#chance.between(100, 100 + PIDS);
    while (this.processes.has(pid)) pid = pid > 100 + PIDS ? 100 : pid + 1;
    const ticks = Math.floor(this.now / 10);
    const process: Process = {
      pid,
      ticks,
      role,
      program,
      place,
      ended,
      alive: true,
      joined: false,
      killed: false,
    };
    this.processes.set(pid, process);
    return process;
  }
}

export function withLauncher(place: Place, launcher: Process | undefined): readonly Process[] {
  return [...place.processes, ...(launcher === undefined || launcher.joined ? [] : [launcher])];
}

function pathOf(key: RunKey): string {
  return `${key.service}/${runDirectory(key)}`;
}
