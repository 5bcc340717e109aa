/** How does a program run services of its own, without a daemon and without files? */
import type { UpdateView } from '../api/changes.ts';
import type {
  CommandResult,
  LogsView,
  ServiceView,
  StatusView,
  Verb,
  WaitView,
  WhyView,
} from '../api/contract.ts';
import type { ServiceStats } from '../api/stats.ts';
import type { NumberedEvent } from '../model/action.ts';
import type { GoalOptions, LogsOptions, OutcomeOptions } from './client.ts';
import { KNOWN } from './client-options.ts';
import type { Embedding } from './embedding.ts';
import { checkOptions, type ProcessmasterOptions } from './embedding-options.ts';
import type { Services } from './given-services.ts';
import { COUNT, FLAG, FUNCTION, type Kind, NAMES, SIGNAL } from './kinds.ts';
import { type KeysOf, ofKind, onlyKnown } from './known-keys.ts';
import { logsRequest } from './logs-request.ts';
import { eventsOf } from './own-events.ts';
import { allDone, ProcessmasterError } from './processmaster-error.ts';
import { listOf, type Names, nameOf } from './service-names.ts';

export interface EmbeddedEventsOptions {
  /** Only events with a higher number; without it, what happens from now on, or everything from the start. */
  readonly after?: number;
  /** Only those of these services. */
  readonly services?: readonly string[];
  /** Ends the loop, without an error. */
  readonly signal?: AbortSignal;
}

export interface CloseOptions {
  /** Services go on, and the next manager with this state directory takes them over. */
  readonly leave?: boolean;
}

type Phase =
  | { readonly is: 'new' }
  | { readonly is: 'begun'; readonly embedding: Promise<Embedding> }
  | { readonly is: 'over' };

const WAIT = 60_000;

const EVENTS: KeysOf<EmbeddedEventsOptions> = { after: COUNT, services: NAMES, signal: SIGNAL };
const CLOSE: KeysOf<CloseOptions> = { leave: FLAG };

const EVENT: Kind = (name) => (name === 'event' ? undefined : 'write event, the one that there is');

/**
 * The control loop inside of this program. Nothing of the program is touched: no signal is caught, nothing printed, no
 * descriptor closed. While it runs it keeps node from ending; `close` ends it with its services.
 */
export class Processmaster {
  readonly #options: ProcessmasterOptions;
  readonly #listeners = new Set<(event: NumberedEvent) => void>();
  readonly #over = new AbortController();
  #phase: Phase = { is: 'new' };
  #tellBegun: (embedding: Embedding | undefined) => void = () => undefined;
  readonly #begun = new Promise<Embedding | undefined>((tell) => {
    this.#tellBegun = tell;
  });

  /** @throws ProcessmasterError with the code `invalid` for options that are unknown, or of another kind */
  constructor(options: ProcessmasterOptions = {}) {
    checkOptions(options);
    this.#options = options;
  }

  /** Starts the loop and with it the services; fulfilled when every one that can be has been started. */
  start(): Promise<void>;
  /** Starts services that were stopped. */
  start(services: Names, options?: OutcomeOptions): Promise<readonly CommandResult[]>;
  async start(services?: Names, options: OutcomeOptions = {}): Promise<unknown> {
    if (services !== undefined) return this.#command('start', services, options);
    if (this.#phase.is !== 'new')
      throw misuse(`it was ${this.#phase.is === 'over' ? 'closed' : 'started'} already`);
    const embedding = this.#begin();
    this.#phase = { is: 'begun', embedding };
    await embedding.catch((error: unknown) => {
      this.#end();
      throw error;
    });
    return undefined;
  }

  async #begin(): Promise<Embedding> {
    const { openEmbedding } = await import('./embedding.ts');
    const embedding = openEmbedding(this.#options);
    let unserved: string | undefined;
    embedding.control.onEvent((event) => {
      if (event.name === 'manager_stopping') unserved = String(event.fields['reason']);
      // In a turn of its own: what is thrown there is not thrown into the loop.
      for (const listener of this.#listeners) void Promise.resolve(event).then(listener);
    });
    this.#tellBegun(embedding);
    void embedding.ended.then(() => this.#end());
    await embedding.start();
    if (unserved === undefined) return embedding;
    await embedding.ended;
    throw new ProcessmasterError(
      unserved,
      `it ended while it was starting: ${unserved.replaceAll('_', ' ')}`,
    );
  }

  /**
   * From now on exactly these are the services: what is new is started, what is gone is stopped, what is the same is
   * left alone.
   * @throws ProcessmasterError with the code `invalid` and everything that is wrong; then nothing has changed
   */
  async update(services: Services, options: OutcomeOptions = {}): Promise<UpdateView> {
    onlyKnown('option', options, KNOWN.outcome);
    const { wait = WAIT, signal } = options;
    const { control, give } = await this.#running();
    give(services);
    return aborting(control.update({ services: [], prune: true, wait, by: BY, gone: signal }), signal);
  }

  /** They stay stopped until they are started. */
  stop(services: Names, options: OutcomeOptions = {}): Promise<readonly CommandResult[]> {
    return this.#command('stop', services, options);
  }

  restart(services: Names, options: OutcomeOptions = {}): Promise<readonly CommandResult[]> {
    return this.#command('restart', services, options);
  }

  reload(services: Names, options: OutcomeOptions = {}): Promise<readonly CommandResult[]> {
    return this.#command('reload', services, options);
  }

  /** Stops every service; the loop goes on. */
  async stopAll(options: OutcomeOptions = {}): Promise<readonly CommandResult[]> {
    const { services } = await this.status();
    return services.length === 0
      ? []
      : this.#command(
          'stop',
          services.map(({ name }) => name),
          options,
        );
  }

  async status(): Promise<StatusView> {
    return (await this.#running()).control.status();
  }

  /** The services of the status. */
  async list(): Promise<readonly ServiceView[]> {
    return (await this.status()).services;
  }

  async stats(service?: string): Promise<readonly ServiceStats[]> {
    if (service !== undefined) nameOf(service);
    const { services } = (await this.#running()).control.stats();
    const asked = services.filter(({ name }) => service === undefined || name === service);
    if (service !== undefined && asked.length === 0) throw unknownService(service);
    return asked;
  }

  async why(service: string): Promise<WhyView> {
    nameOf(service);
    const view = (await this.#running()).control.why(service);
    if (view === undefined) throw unknownService(service);
    return view;
  }

  /** Whether the service got there in time. */
  async wait(service: string, options: GoalOptions = {}): Promise<WaitView> {
    nameOf(service);
    onlyKnown('option', options, KNOWN.goal);
    const { control } = await this.#running();
    const request = { service, for: options.for ?? 'ready', timeout: options.timeout ?? WAIT };
    const view = await aborting(control.wait({ ...request, gone: options.signal }), options.signal);
    if (view === undefined) throw unknownService(service);
    return view;
  }

  /** The last lines of logs. */
  async logs(options: LogsOptions = {}): Promise<LogsView> {
    onlyKnown('option', options, KNOWN.logs);
    const { control } = await this.#running();
    return aborting(control.logs(logsRequest(options)), options.signal);
  }

  /** What happens, oldest first. Before the start, it begins with the start. Ends with the manager. */
  events(options: EmbeddedEventsOptions = {}): AsyncGenerator<NumberedEvent, void, void> {
    onlyKnown('option', options, EVENTS);
    const { after, services = [], signal } = options;
    const over = this.#over.signal;
    const end = signal === undefined ? over : AbortSignal.any([over, signal]);
    const begunAlready = this.#phase.is === 'begun';
    const from = this.#begun.then((embedding) => {
      if (embedding === undefined) return undefined;
      const { control, before } = embedding;
      const now = control.events(Number.POSITIVE_INFINITY).last;
      return { feed: control.feed, after: after ?? (begunAlready ? now : before) };
    });
    return eventsOf(from, listOf(services), end);
  }

  on(name: 'event', listener: (event: NumberedEvent) => void): this {
    ofListening(name, listener);
    this.#listeners.add(listener);
    return this;
  }

  off(name: 'event', listener: (event: NumberedEvent) => void): this {
    ofListening(name, listener);
    this.#listeners.delete(listener);
    return this;
  }

  /** Ends the loop, and every service with it unless they are to be left; fulfilled when that is done. */
  async close(options: CloseOptions = {}): Promise<void> {
    onlyKnown('option', options, CLOSE);
    const { leave = false } = options;
    if (leave && this.#options.stateDirectory === undefined) {
      throw misuse('services can only be left to somebody who knows the state directory: give one');
    }
    const phase = this.#phase;
    if (phase.is !== 'begun') {
      this.#end();
      return;
    }
    const embedding = await phase.embedding.catch(() => undefined);
    embedding?.control.shutdown({ stopServices: !leave, by: BY });
    await embedding?.ended;
  }

  #end(): void {
    this.#phase = { is: 'over' };
    this.#tellBegun(undefined);
    this.#over.abort();
  }

  async #command(verb: Verb, services: Names, options: OutcomeOptions): Promise<readonly CommandResult[]> {
    onlyKnown('option', options, KNOWN.outcome);
    const { wait = WAIT, signal } = options;
    const names = listOf(services);
    const { control } = await this.#running();
    const { results } = await aborting(
      control.command({ verb, services: names, by: BY, wait, gone: signal }),
      signal,
    );
    return allDone(results, wait);
  }

  async #running(): Promise<Embedding> {
    const phase = this.#phase;
    if (phase.is === 'begun') return phase.embedding;
    if (phase.is === 'over') throw new ProcessmasterError('closed', 'this manager was closed');
    throw misuse('it was not started: await start() first');
  }
}

/** Whom events name. */
const BY = 'program';

/** @throws ProcessmasterError with the code `invalid`: nobody would ever be called */
function ofListening(name: unknown, listener: unknown): void {
  ofKind('name', name, EVENT);
  ofKind('listener', listener, FUNCTION);
}

function misuse(message: string): ProcessmasterError {
  return new ProcessmasterError('misused', message);
}

function unknownService(name: string): ProcessmasterError {
  return new ProcessmasterError('unknown_service', `no service is called ${JSON.stringify(name)}`);
}

/** What was asked for goes on; only nobody waits for it any more. */
async function aborting<Answer>(answer: Promise<Answer>, signal: AbortSignal | undefined): Promise<Answer> {
  if (signal === undefined) return answer;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    const end = (): void =>
      reject(new ProcessmasterError('aborted', 'the call was aborted', { cause: signal.reason }));
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
    stop = () => signal.removeEventListener('abort', end);
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    stop();
  }
}
