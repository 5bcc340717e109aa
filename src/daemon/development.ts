/** Which services are restarted when their sources change? */
import type { CommandRequest } from '../api/contract.ts';
import { logPattern } from '../model/log-path.ts';
import type { ServiceName } from '../model/names.ts';
import type { DesiredState, ServiceSpec, Watch } from '../model/spec.ts';
import { wantedOf } from '../reconcile/wanted.ts';
import type { Log } from './reports.ts';

export interface DevelopmentTools {
  readonly restart: (request: CommandRequest) => Promise<unknown>;
  readonly glance: (name: ServiceName) => Parameters<typeof wantedOf>[0];
  readonly log: Log;
}

interface Watched {
  readonly watch: Watch;
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
      await this.#open(name, service.spec.watch, ownFiles(service.spec), since);
    }
  }

  async #open(name: ServiceName, watch: Watch, own: readonly string[], since: number): Promise<void> {
    const { SourceWatch } = await import('../world/source-watch.ts');
    const sources = new SourceWatch({
      ...watch,
      since,
      ignore: [...watch.ignore, ...own],
      changed: (files) => void this.#changed(name, files),
      failed: (reason) =>
        this.#tools.log.warn(
          { service: name, reason },
          `the sources of ${name} cannot be watched: ${reason}`,
        ),
    });
    this.#watched.set(name, { watch, close: () => sources.close() });
  }

  /** What somebody stopped or holds is left alone. */
  async #changed(name: ServiceName, files: readonly string[]): Promise<void> {
    if (wantedOf(this.#tools.glance(name)).kind !== 'run') return;
    const shown = files.slice(0, 3).join(', ');
    const more = files.length > 3 ? ` and ${files.length - 3} more` : '';
    this.#tools.log.info(
      { service: name, files: files.length },
      `${name} is restarted: ${shown}${more} changed`,
    );
    await this.#tools.restart({ verb: 'restart', services: [name], by: 'watch', wait: 0 });
  }
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
  return [...TEMPORARY, ...files.flatMap((file) => (file === null ? [] : [file, `${file}.*`]))];
}
