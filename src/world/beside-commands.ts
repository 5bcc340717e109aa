/** How do commands beside a run come to an end, always and as a whole? */
import type { ServiceName } from '../model/names.ts';
import type { Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import { type LaunchOptions, launchProcess } from './launch.ts';
import { blockFor } from './pause.ts';
import { isAlive } from './procfs.ts';
import type { Beside, BesideOutcome, Clock, Launch, Started } from './world.ts';

/** The container of one command. */
export interface BesidePlace {
  /** SIGKILL to everything in it, and to this process that may not have reached it yet. */
  kill(also: number | undefined): void;
  /** Removes it if nothing lives in it; true when it is gone. */
  clear(): boolean;
}

export interface BesideInput {
  readonly service: ServiceName;
  /** Of the place; unique within the service. */
  readonly name: string;
  readonly launch: Launch;
  readonly place: BesidePlace;
  readonly into: Pick<LaunchOptions, 'cgroupProcs' | 'joined'>;
  /** Told when the process is there, before anything else can happen. */
  readonly started?: (process: Started) => void;
  /** What the kernel tells about the end besides the code: was it the OOM killer? */
  readonly judge: (outcome: Outcome) => Outcome;
  /** Milliseconds. */
  readonly timeout: number;
  readonly done: (outcome: BesideOutcome) => void;
}

interface Command {
  readonly service: ServiceName;
  readonly name: string;
  readonly place: BesidePlace;
  /** Its first process while that lives. */
  readonly pid: () => number | undefined;
  /** Stops listening for its end. */
  readonly release: () => void;
  /** Cancels the timer that is set for it. */
  stopTimer: () => void;
  /** Called when it has gone; afterwards the loop is told of its place. */
  tell: (() => void) | undefined;
}

/** After the kill the place is looked at again soon, and then less and less often; milliseconds. */
const PAUSE = { first: 1, longest: 1000 } as const;

/** Nobody waits longer than this for a process that SIGKILL does not end; milliseconds. */
const PATIENCE = 1000;

/** How often a containment that closes looks whether the killed are gone, a millisecond apart. */
const LAST_LOOKS = 50;

export class BesideCommands {
  readonly #clock: Clock;
  readonly #wake: (service: ServiceName) => void;
  /** Everything that runs or has not gone yet, by service and name. */
  readonly #commands = new Map<string, Command>();

  /** @param wake is told the service of which a place has gone that nobody waited for */
  constructor(clock: Clock, wake: (service: ServiceName) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  has(service: ServiceName, name: string): boolean {
    return this.#commands.has(`${service}/${name}`);
  }

  isBusy(service: ServiceName): boolean {
    return [...this.#commands.values()].some((command) => command.service === service);
  }

  run(input: BesideInput): Beside | Problem {
    const { service, name, place, done } = input;
    let ending = false;
    let wanted = true;
    const end = (outcome: BesideOutcome) => {
      if (ending) return;
      ending = true;
      command.stopTimer();
      command.tell = () => (wanted ? done(outcome) : this.#wake(service));
      this.#end(command);
    };
    const launched = launchProcess(input.launch, {
      ended: (outcome) => end(input.judge(outcome)),
      ...input.into,
    });
    if ('code' in launched) return launched;
    const { pid, ticks, release } = launched;
    const command: Command = {
      service,
      name,
      place,
      pid: () => (isAlive(pid, ticks) ? pid : undefined),
      release,
      stopTimer: this.#clock.after(input.timeout, () => end({ kind: 'timed_out' })),
      tell: undefined,
    };
    this.#commands.set(`${service}/${name}`, command);
    input.started?.({ pid, ticks });
    return {
      cancel: () => {
        wanted = false;
        end({ kind: 'timed_out' });
      },
    };
  }

  /** Ends what an earlier daemon left behind. */
  sweep(service: ServiceName, name: string, place: BesidePlace): void {
    if (place.clear()) return;
    const nothing = () => undefined;
    const command: Command = {
      ...{ service, name, place },
      ...{ pid: nothing, release: nothing, stopTimer: nothing, tell: undefined },
    };
    this.#commands.set(`${service}/${name}`, command);
    this.#end(command);
  }

  /** Kills everything; what is not gone within a moment is left to the next daemon. */
  close(): void {
    let left = [...this.#commands.values()];
    this.#commands.clear();
    for (const command of left) {
      command.stopTimer();
      command.release();
    }
    for (let look = 0; look < LAST_LOOKS; look++) {
      left = left.filter((command) => !isGone(command));
      if (left.length === 0) return;
      blockFor(1);
    }
  }

  #end(command: Command, pause: number = PAUSE.first, waited = 0): void {
    const gone = isGone(command);
    if (gone || waited >= PATIENCE) {
      const { tell } = command;
      command.tell = undefined;
      if (gone) this.#commands.delete(`${command.service}/${command.name}`);
      if (tell !== undefined) tell();
      else if (gone) this.#wake(command.service);
    }
    if (gone) return;
    command.stopTimer = this.#clock.after(pause, () => {
      this.#end(command, Math.min(pause * 2, PAUSE.longest), waited + pause);
    });
  }
}

/** Kills what is left. */
function isGone({ pid, place }: Command): boolean {
  const main = pid();
  if (main === undefined && place.clear()) return true;
  place.kill(main);
  return pid() === undefined && place.clear();
}
