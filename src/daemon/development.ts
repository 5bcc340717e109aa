/** Which services are restarted when their sources change? */
import { relative } from 'node:path';
import type { CommandRequest } from '../api/contract.ts';
import { logPattern } from '../model/log-path.ts';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { DesiredState, ServiceSpec, Watch } from '../model/spec.ts';
import { type Past, runTimesOf } from '../reconcile/run-times.ts';
import { wantedOf } from '../reconcile/wanted.ts';
import type { Clock } from '../world/world.ts';
import type { Log } from './reports.ts';
import { type Restart, WatchRestarts } from './watch-restarts.ts';

export interface DevelopmentTools {
  readonly restart: (request: CommandRequest) => Promise<unknown>;
  readonly situation: (name: ServiceName) => Past;
  readonly clock: Clock;
  readonly log: Log;
  /** What the daemon itself appends to, absolute: it does so for each restart. */
  readonly written: readonly string[];
  /** Tells of a problem that begins or ends. */
  readonly lasting: (before: readonly Problem[], now: readonly Problem[]) => void;
}

interface Watched {
  readonly watch: Watch;
  readonly restarts: WatchRestarts;
  close(): Promise<void>;
}

export class Development {
  readonly #tools: DevelopmentTools;
  readonly #watched = new Map<ServiceName, Watched>();
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(tools: DevelopmentTools) {
    this.#tools = tools;
  }

  /**
   * To be called with each new desired state.
   * @param since when it was read, before anything of it was started; milliseconds since 1970
   */
  follow(desired: DesiredState, since: number): Promise<void> {
    return this.#inTurn(() => this.#follow(desired, since));
  }

  /** What is wrong with how the files of the service change. */
  problems(name: ServiceName): readonly Problem[] {
    return this.#watched.get(name)?.restarts.problems ?? [];
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#inTurn(async () => {
      const all = [...this.#watched.values()];
      this.#watched.clear();
      await Promise.all(all.map((each) => each.close()));
    });
  }

  /** Closing a watch takes as long as the look through its directories: a newer state must not be overtaken meanwhile. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #follow({ services }: DesiredState, since: number): Promise<void> {
    if (this.#isClosed) return;
    for (const [name, { watch, close }] of [...this.#watched]) {
      const service = services.get(name);
      const wanted = service?.kind === 'defined' ? service.spec.watch : null;
      if (JSON.stringify(wanted) === JSON.stringify(watch)) continue;
      this.#watched.delete(name);
      await close();
    }
    for (const [name, service] of services) {
      if (service.kind !== 'defined' || service.spec.watch === null || this.#watched.has(name)) continue;
      const own = [...ownFiles(service.spec), ...this.#tools.written.flatMap(withRotated)];
      await this.#open(name, service.spec.watch, own, since);
    }
  }

  async #open(name: ServiceName, watch: Watch, own: readonly string[], since: number): Promise<void> {
    const { SourceWatch } = await import('../world/source-watch.ts');
    const { clock, lasting } = this.#tools;
    const restarts = new WatchRestarts({
      ...{ service: name, debounce: watch.debounce, clock, lasting },
      times: () => runTimesOf(this.#tools.situation(name)),
      restart: (restart) => void this.#restart(name, restart),
    });
    const sources = new SourceWatch({
      ...watch,
      since,
      ignore: [...watch.ignore, ...own],
      changed: (files) => {
        if (this.#isWanted(name)) restarts.changed(files.map((file) => shownPath(file, watch.paths)));
      },
      failed: (reason) =>
        this.#tools.log.warn(
          { service: name, reason },
          `the sources of ${name} cannot be watched: ${reason}`,
        ),
    });
    const close = (): Promise<void> => {
      restarts.close();
      return sources.close();
    };
    this.#watched.set(name, { watch, restarts, close });
  }

  /** What somebody stopped or holds is left alone. */
  #isWanted(name: ServiceName): boolean {
    return wantedOf(this.#tools.situation(name)).kind === 'run';
  }

  async #restart(name: ServiceName, { files, shown }: Restart): Promise<void> {
    // Somebody may have stopped it while the restart waited.
    if (!this.#isWanted(name)) return;
    const reason = `${shown} changed`;
    this.#tools.log.info({ service: name, files }, `${name} is restarted: ${reason}`);
    await this.#tools.restart({ verb: 'restart', services: [name], by: 'watch', reason, wait: 0 });
  }
}

/** As seen from the watched directory. */
function shownPath(file: string, paths: readonly string[]): string {
  for (const path of paths) {
    const way = relative(path, file);
    if (way !== '' && way !== '..' && !way.startsWith('../')) return way;
  }
  return file;
}

/** What rotation leaves beside a log for a moment. */
const TEMPORARY: readonly string[] = ['.pm-*.rotating', '.pm-*.gz.tmp'];

/** What the service itself writes is no source of it: it would be restarted for each line of its log. */
function ownFiles({ logs, pid_file }: ServiceSpec): readonly string[] {
  const { stdout, stderr, hints, stop_command_stdout, stop_command_stderr } = logs;
  const files = [
    logPattern(stdout),
    logPattern(stderr),
    ...hints,
    stop_command_stdout,
    stop_command_stderr,
    pid_file,
  ];
  return [...TEMPORARY, ...files.flatMap((file) => (file === null ? [] : withRotated(file)))];
}

function withRotated(file: string): readonly string[] {
  return [file, `${file}.*`];
}

/** What the daemon with these settings appends to. */
export function ownLogs({ log, lifecycle_log }: Pick<Settings, 'log' | 'lifecycle_log'>): readonly string[] {
  return [log.file, lifecycle_log].filter((file) => file !== null);
}
