/** How does a program get to talk to a daemon? */
import type { CommandRequest, CommandResult, Verb, VersionView } from '../api/contract.ts';
import type { DefineView } from '../api/definition.ts';
import { type Daemon, daemonAt } from '../cli/daemon.ts';
import type { Address } from '../cli/http-over-socket.ts';
import { paintFor } from '../cli/paint.ts';
import { isRefusal, type Refusal, refusal, unknownServices } from '../cli/refusal.ts';
import { isActor } from '../model/actor.ts';
import type { CallOptions, Client, LogsOptions, OutcomeOptions } from './client.ts';
import { KNOWN } from './client-options.ts';
import { type ConnectOptions, daemonAddress } from './daemon-address.ts';
import { type EventSource, followEvents, newestEvent } from './follow-events.ts';
import { type Kind, PATH, TEXT } from './kinds.ts';
import { type KeysOf, onlyKnown } from './known-keys.ts';
import { logsRequest } from './logs-request.ts';
import { allDone, invalid, ProcessmasterError, refusedBy } from './processmaster-error.ts';
import { listOf, type Names, nameOf } from './service-names.ts';
import { newService, type ServiceRequest } from './service-request.ts';
import { pause, surroundings } from './surroundings.ts';

/** How long outcomes are waited for. Milliseconds. */
const WAIT = 60_000;

/** Applied states that are told. */
const HISTORY = 20;

/** How often a daemon that ends is looked for. Milliseconds. */
const EVERY = 25;

const CONNECT: KeysOf<ConnectOptions> = {
  ...{ sock: PATH, config: PATH, url: TEXT, token: TEXT, caFile: PATH, by: TEXT },
};

/**
 * Nothing is sent yet, and no daemon need be there.
 * @throws ProcessmasterError with the code `invalid` for a `by` that no event could tell, and for unknown options
 */
export function connect(options: ConnectOptions = {}): Client {
  onlyKnown('option', options, CONNECT);
  const { by } = options;
  if (by !== undefined && !isActor(by)) {
    throw new ProcessmasterError(
      'invalid',
      `by: ${JSON.stringify(by)} is not 1 to 64 of A-Z a-z 0-9 _ . @ + -`,
    );
  }
  return new Connection(options);
}

class Connection implements Client {
  readonly #options: ConnectOptions;
  readonly #closed = new AbortController();
  /** Fulfilled when it is known where every loop over events begins that was made so far. */
  #begun: Promise<unknown> = Promise.resolve();

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  async ensureDaemon(options: CallOptions = {}): Promise<VersionView> {
    return this.#ask(options, KNOWN.call, async (daemon, address) => {
      const running = await daemon.version();
      if (!isRefusal(running) || running.refused.exit !== 'noDaemon') return running;
      const { startDaemon } = await import('../cli/background-daemon.ts');
      const { config } = this.#options;
      const terminal = surroundings(undefined, address.cancel);
      const refused = await startDaemon(
        {
          words: [],
          options: config === undefined ? {} : { config },
          terminal,
          paint: paintFor({ terminal: false, refused: true, environment: {} }),
          daemon: () => Promise.resolve(daemon),
        },
        daemon,
      );
      return refused ?? daemon.version();
    });
  }

  version(options: CallOptions = {}): ReturnType<Client['version']> {
    return this.#ask(options, KNOWN.call, (daemon) => daemon.version());
  }

  start(services: Names, options?: OutcomeOptions): Promise<readonly CommandResult[]>;
  start(service: ServiceRequest, options?: OutcomeOptions): Promise<DefineView>;
  async start(
    what: Names | ServiceRequest,
    options: OutcomeOptions = {},
  ): Promise<readonly CommandResult[] | DefineView> {
    if (typeof what === 'string' || isList(what)) return this.#command('start', what, options);
    const service = newService(what, surroundings(undefined, this.#closed.signal).directory);
    const view = await this.#ask(options, KNOWN.outcome, (daemon) =>
      daemon.define({ ...service, wait: waitOf(options) }),
    );
    if (view.result === 'refused' && view.problems.length > 0) throw invalid(view.problems);
    allDone([view], waitOf(options));
    return view;
  }

  stop(services: Names, options: OutcomeOptions = {}): Promise<readonly CommandResult[]> {
    return this.#command('stop', services, options);
  }

  restart(services: Names, options: OutcomeOptions = {}): Promise<readonly CommandResult[]> {
    return this.#command('restart', services, options);
  }

  reload(services: Names, options: OutcomeOptions = {}): Promise<readonly CommandResult[]> {
    return this.#command('reload', services, options);
  }

  scale(services: Names, instances: number, options: OutcomeOptions = {}): Promise<readonly CommandResult[]> {
    return this.#command('scale', services, options, { instances });
  }

  async delete(services: Names, options: OutcomeOptions = {}): Promise<readonly CommandResult[]> {
    const { results } = await this.#ask(options, KNOWN.outcome, (daemon) =>
      daemon.delete({ services: listOf(services), wait: waitOf(options) }),
    );
    return allDone(results, waitOf(options));
  }

  status(options: CallOptions = {}): ReturnType<Client['status']> {
    return this.#ask(options, KNOWN.call, (daemon) => daemon.status());
  }

  async list(options: CallOptions = {}): ReturnType<Client['list']> {
    return (await this.status(options)).services;
  }

  async stats(service?: string, options: CallOptions = {}): ReturnType<Client['stats']> {
    if (service !== undefined) nameOf(service);
    const { services } = await this.#ask(options, KNOWN.call, (daemon) => daemon.stats());
    const asked = services.filter(({ name }) => service === undefined || name === service);
    if (service === undefined || asked.length > 0) return asked;
    throw refusedBy(
      unknownServices(
        [service],
        services.map(({ name }) => name),
      ),
    );
  }

  logs(options: LogsOptions = {}): ReturnType<Client['logs']> {
    return this.#ask(options, KNOWN.logs, (daemon) => daemon.logs(logsRequest(options)));
  }

  events(options: Parameters<Client['events']>[0] = {}): ReturnType<Client['events']> {
    // What later calls bring about is not to be missed, even if the first turn of the loop comes after them.
    const ready = this.#eventsFrom(options);
    this.#begun = Promise.all([this.#begun, ready.catch(() => undefined)]);
    return followEvents(ready, options);
  }

  async #eventsFrom(
    options: NonNullable<Parameters<Client['events']>[0]>,
  ): Promise<{ source: EventSource; after: number } | Refusal> {
    onlyKnown('option', options, KNOWN.events);
    const { after, signal } = options;
    const address = await this.#address(signal === undefined ? {} : { signal });
    if (isRefusal(address)) return address;
    const { now } = surroundings(undefined, address.cancel);
    const source = { address, daemon: daemonAt(address), now };
    const newest = after ?? (await newestEvent(source));
    return isRefusal(newest) ? newest : { source, after: newest };
  }

  diff(options: CallOptions = {}): ReturnType<Client['diff']> {
    return this.#ask(options, KNOWN.call, (daemon) => daemon.diff());
  }

  update(options: Parameters<Client['update']>[0] = {}): ReturnType<Client['update']> {
    return this.#ask(options, KNOWN.update, (daemon) => {
      const { services = [], prune = false, onFailure, plan } = options;
      return daemon.update({
        ...{ services: listOf(services), prune, wait: waitOf(options) },
        ...(onFailure === undefined ? {} : { on_failure: onFailure }),
        ...(plan === undefined ? {} : { plan }),
      });
    });
  }

  history(options: Parameters<Client['history']>[0] = {}): ReturnType<Client['history']> {
    return this.#ask(options, KNOWN.history, (daemon) => daemon.history(options.limit ?? HISTORY));
  }

  rollback(options: Parameters<Client['rollback']>[0] = {}): ReturnType<Client['rollback']> {
    return this.#ask(options, KNOWN.rollback, (daemon) => {
      const { id, prune = false } = options;
      return daemon.rollback({ ...(id === undefined ? {} : { id }), prune, wait: waitOf(options) });
    });
  }

  resume(options: Parameters<Client['resume']>[0] = {}): ReturnType<Client['resume']> {
    return this.#ask(options, KNOWN.resume, (daemon) =>
      daemon.resume({ prune: options.prune ?? false, wait: waitOf(options) }),
    );
  }

  sync(options: Parameters<Client['sync']>[0] = {}): ReturnType<Client['sync']> {
    return this.#ask(options, KNOWN.sync, (daemon) => {
      const { prune = false, dryRun = false, onFailure } = options;
      const on_failure = onFailure === undefined ? {} : { on_failure: onFailure };
      return daemon.sync({ prune, dryRun, wait: waitOf(options), ...on_failure });
    });
  }

  why(service: string, options: CallOptions = {}): ReturnType<Client['why']> {
    return this.#ask(options, KNOWN.call, (daemon) => daemon.why(nameOf(service)));
  }

  wait(service: string, options: Parameters<Client['wait']>[1] = {}): ReturnType<Client['wait']> {
    return this.#ask(options, KNOWN.goal, (daemon) => {
      const { for: goal = 'ready', timeout = WAIT } = options;
      return daemon.wait({ service: nameOf(service), for: goal, timeout });
    });
  }

  async killDaemon(options: Parameters<Client['killDaemon']>[0] = {}): Promise<void> {
    await this.#ask(options, KNOWN.kill, async (daemon, { cancel }) => {
      const { stopServices = false, wait = WAIT } = options;
      const { now } = surroundings(undefined, cancel);
      const before = await daemon.version();
      if (isRefusal(before)) return before.refused.exit === 'noDaemon' ? null : before;
      const refused = await daemon.shutdown({ stopServices });
      if (isRefusal(refused)) return refused;
      const from = now();
      while (!cancel.aborted && now() - from < wait) {
        const after = await daemon.version();
        if (isRefusal(after) ? after.refused.exit === 'noDaemon' : after.pid !== before.pid) return null;
        await pause(EVERY, cancel);
      }
      const late = `the daemon, pid ${before.pid}, was told to end and has not ended within ${wait / 1000}s`;
      return wait === 0 ? null : refusal('error', 'pending', late);
    });
  }

  close(): void {
    this.#closed.abort();
  }

  async #command(
    verb: Verb,
    services: Names,
    options: OutcomeOptions,
    more: Pick<CommandRequest, 'instances'> = {},
  ): Promise<readonly CommandResult[]> {
    const { results } = await this.#ask(options, KNOWN.outcome, (daemon) =>
      daemon.command({ verb, services: listOf(services), wait: waitOf(options), ...more }),
    );
    return allDone(results, waitOf(options));
  }

  async #ask<View>(
    options: CallOptions,
    known: Readonly<Record<string, Kind>>,
    question: (daemon: Daemon, address: Address) => Promise<View | Refusal>,
  ): Promise<View> {
    onlyKnown('option', options, known);
    this.#mayGoOn(options);
    await this.#begun;
    const address = await this.#address(options);
    const answer = isRefusal(address) ? address : await question(daemonAt(address), address);
    if (!isRefusal(answer)) return answer;
    if (answer.refused.exit === 'interrupted') this.#mayGoOn(options);
    throw refusedBy(answer);
  }

  #mayGoOn({ signal }: CallOptions): void {
    if (this.#closed.signal.aborted) throw new ProcessmasterError('closed', 'this client was closed');
    if (signal?.aborted === true) {
      throw new ProcessmasterError('aborted', 'the call was aborted', { cause: signal.reason });
    }
  }

  #address({ signal }: CallOptions): Promise<Address | Refusal> {
    const closed = this.#closed.signal;
    return daemonAddress(this.#options, signal === undefined ? closed : AbortSignal.any([closed, signal]));
  }
}

function waitOf({ wait = WAIT }: OutcomeOptions): number {
  return wait;
}

function isList(names: Names | ServiceRequest): names is readonly string[] {
  return Array.isArray(names);
}
