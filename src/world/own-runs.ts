/** Which processes did this daemon start itself, and how did they end? */
import type { RunId, ServiceName } from '../model/names.ts';
import type { MainProcess, Outcome } from '../model/observed.ts';
import type { Problem } from '../model/problem.ts';
import { type LaunchedProcess, type LaunchOptions, launchProcess } from './launch.ts';
import { isAlive } from './procfs.ts';
import type { Clock, Launch, Started } from './world.ts';

interface OwnRun {
  readonly service: ServiceName;
  readonly process: LaunchedProcess;
  end: { readonly outcome: Outcome; readonly at: number } | undefined;
}

export interface OwnRunsOptions {
  readonly clock: Clock;
  readonly wake: (service: ServiceName) => void;
}

/** Children of this process, by run: their outcome is known exactly, and is kept until the run is forgotten. */
export class OwnRuns {
  readonly #options: OwnRunsOptions;
  readonly #runs = new Map<RunId, OwnRun>();
  /** The same runs by service: each look at a service asks for its own. */
  readonly #ofService = new Map<ServiceName, Set<RunId>>();
  readonly #commands = new Set<LaunchedProcess>();

  constructor(options: OwnRunsOptions) {
    this.#options = options;
  }

  /**
   * @param judge what the kernel tells about the end besides the code: was it the OOM killer?
   */
  start(
    run: { readonly service: ServiceName; readonly id: RunId },
    launch: Launch,
    place: Pick<LaunchOptions, 'cgroupProcs' | 'joined' | 'record'> & {
      readonly judge: (outcome: Outcome) => Outcome;
    },
  ): Started | Problem {
    const { clock, wake } = this.#options;
    const process = launchProcess(launch, {
      ended: (outcome) => {
        const own = this.#runs.get(run.id);
        if (own !== undefined) own.end = { outcome: place.judge(outcome), at: clock.now() };
        wake(run.service);
      },
      ...place,
    });
    if ('code' in process) return process;
    this.#runs.set(run.id, { service: run.service, process, end: undefined });
    const siblings = this.#ofService.get(run.service) ?? new Set();
    this.#ofService.set(run.service, siblings.add(run.id));
    return { pid: process.pid, ticks: process.ticks };
  }

  /** A command beside the main process: only its end matters. */
  command(launch: Launch, cgroupProcs: string | null, done: (outcome: Outcome) => void): Problem | undefined {
    const process = launchProcess(launch, {
      cgroupProcs,
      ended: (outcome) => {
        if (!('code' in process)) this.#commands.delete(process);
        done(outcome);
      },
    });
    if ('code' in process) return process;
    this.#commands.add(process);
    return undefined;
  }

  /** undefined: not started by this daemon. */
  main(run: RunId): Exclude<MainProcess, { is: 'unknown' }> | undefined {
    const own = this.#runs.get(run);
    if (own === undefined) return undefined;
    return own.end === undefined ? { is: 'running', pid: own.process.pid } : { is: 'ended', ...own.end };
  }

  /** The pid of the main process while it lives: it may not have reached its place yet. */
  livePid(run: RunId): number | undefined {
    const own = this.#runs.get(run);
    if (own === undefined || own.end !== undefined) return undefined;
    return isAlive(own.process.pid, own.process.ticks) ? own.process.pid : undefined;
  }

  forget(run: RunId): void {
    const own = this.#runs.get(run);
    if (own === undefined) return;
    own.process.release();
    this.#runs.delete(run);
    const siblings = this.#ofService.get(own.service);
    siblings?.delete(run);
    if (siblings?.size === 0) this.#ofService.delete(own.service);
  }

  /** Forgets the ended runs of a service that are not among `existing`: somebody removed their place by hand. */
  keepOnly(service: ServiceName, existing: ReadonlySet<RunId>): void {
    for (const run of this.#ofService.get(service) ?? []) {
      if (this.#runs.get(run)?.end !== undefined && !existing.has(run)) this.forget(run);
    }
  }

  /** Leaves every process alone and stops listening for its end. */
  close(): void {
    for (const own of this.#runs.values()) own.process.release();
    for (const command of this.#commands) command.release();
    this.#runs.clear();
    this.#ofService.clear();
    this.#commands.clear();
  }
}
