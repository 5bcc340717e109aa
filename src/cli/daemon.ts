/** What can a command ask of the daemon? The other side of the contract, over the socket. */
import type {
  CommandRequest,
  CommandView,
  DiffView,
  DoctorView,
  LogsRequest,
  LogsView,
  ShutdownView,
  StatusView,
  Unsigned,
  UpdateRequest,
  UpdateView,
  VersionView,
  WaitRequest,
  WaitView,
  WhyView,
} from '../api/contract.ts';
import type { DefineRequest, DefineView, DeleteRequest } from '../api/definition.ts';
import type {
  HistoryView,
  ResumeRequest,
  RollbackRequest,
  SnapshotText,
  SnapshotView,
} from '../api/deploys.ts';
import { ROUTES } from '../api/routes.ts';
import type { StatsView } from '../api/stats.ts';
import type { SyncRequest, SyncView } from '../api/sync.ts';
import type { NumberedEvent } from '../model/action.ts';
import type { EventQuery } from '../model/event-query.ts';
import { type Address, exchange, stream, values } from './http-over-socket.ts';
import type { Refusal } from './refusal.ts';

export type { NumberedEvent };

export interface EventRequest extends Partial<EventQuery> {
  /** And what happens from now on. */
  readonly follow: boolean;
}

/** Each question is answered with the view of the contract, or a refusal with the sentence to print. */
export interface Daemon {
  /** As it is shown to people. */
  readonly socket: string;
  /** It may be on another host: no file that it names is here. */
  readonly isRemote: boolean;
  status(): Promise<StatusView | Refusal>;
  stats(): Promise<StatsView | Refusal>;
  diff(): Promise<DiffView | Refusal>;
  update(request: Unsigned<UpdateRequest>): Promise<UpdateView | Refusal>;
  sync(request: Unsigned<SyncRequest>): Promise<SyncView | Refusal>;
  command(request: Unsigned<CommandRequest>): Promise<CommandView | Refusal>;
  define(request: Unsigned<DefineRequest>): Promise<DefineView | Refusal>;
  delete(request: Unsigned<DeleteRequest>): Promise<CommandView | Refusal>;
  why(service: string): Promise<WhyView | Refusal>;
  logs(request: LogsRequest): Promise<LogsView | Refusal>;
  /**
   * What happened, oldest first. undefined when the daemon has told all, or has ended.
   */
  events(request: EventRequest, event: (event: NumberedEvent) => void): Promise<Refusal | undefined>;
  wait(request: WaitRequest): Promise<WaitView | Refusal>;
  version(): Promise<VersionView | Refusal>;
  doctor(): Promise<DoctorView | Refusal>;
  history(limit: number): Promise<HistoryView | Refusal>;
  snapshot(id: string): Promise<SnapshotView | Refusal>;
  snapshotText(id: string, service: string): Promise<SnapshotText | Refusal>;
  /** @param to undefined: what is in force now */
  compare(from: string, to: string | undefined): Promise<DiffView | Refusal>;
  rollback(request: Unsigned<RollbackRequest>): Promise<UpdateView | Refusal>;
  resume(request: Unsigned<ResumeRequest>): Promise<UpdateView | Refusal>;
  /** What becomes of the services; nothing of it where the daemon is of a release that did not tell. */
  shutdown(request: { readonly stopServices: boolean }): Promise<Partial<ShutdownView> | Refusal>;
}

/** A synchronisation talks to a remote, and moves files. Milliseconds. */
const FETCH_PATIENCE = 5 * 60_000;

/** Milliseconds: a daemon that has not said a word for so long is stuck. Waits add their own time. */
const PATIENCE = 15_000;

/** Who is in a hurry gives a daemon that is only busy so much all the same. Milliseconds. */
const LEAST_PATIENCE = 2000;

export function daemonAt(address: Address): Daemon {
  const spared = PATIENCE - Math.max(LEAST_PATIENCE, Math.min(PATIENCE, address.timeout ?? PATIENCE));
  const ask = async <View>(route: string, details: Details = {}): Promise<View | Refusal> => {
    const { body } = details;
    const patience = (details.patience ?? PATIENCE) - spared;
    const question = { ...place(route, details), patience, ...(body === undefined ? {} : { body }) };
    // Both sides are of one protocol number, which promises the shape.
    return (await exchange(address, question)) as View | Refusal;
  };
  return {
    socket: address.socket,
    isRemote: address.remote !== undefined,
    status: () => ask(ROUTES.status),
    stats: () => ask(ROUTES.stats),
    diff: () => ask(ROUTES.diff),
    update: (request) => ask(ROUTES.update, { body: request, patience: request.wait + PATIENCE }),
    sync: (request) => ask(ROUTES.sync, { body: request, patience: request.wait + FETCH_PATIENCE }),
    command: (request) => ask(ROUTES.command, { body: request, patience: request.wait + PATIENCE }),
    define: (request) => ask(ROUTES.define, { body: request, patience: request.wait + PATIENCE }),
    delete: (request) => ask(ROUTES.delete, { body: request, patience: request.wait + PATIENCE }),
    why: (service) => ask(ROUTES.why, { id: service }),
    logs: (request) => ask(ROUTES.logs, { query: logsQuery(request) }),
    events: (request, event) => {
      const patience = request.follow ? 0 : PATIENCE;
      const question = { ...place(ROUTES.events, { query: eventsQuery(request) }), patience };
      return stream(address, question, (value) => event(value as NumberedEvent));
    },
    wait: (request) => ask(ROUTES.wait, { body: request, patience: request.timeout + PATIENCE }),
    version: () => ask(ROUTES.version),
    doctor: () => ask(ROUTES.doctor),
    history: (limit) => ask(ROUTES.history, { query: { limit: String(limit) } }),
    snapshot: (id) => ask(ROUTES.snapshot, { id }),
    snapshotText: (id, service) => ask(ROUTES.snapshotText, { id, service }),
    compare: (from, to) => ask(ROUTES.compare, { query: { from, ...(to === undefined ? {} : { to }) } }),
    rollback: (request) => ask(ROUTES.rollback, { body: request, patience: request.wait + PATIENCE }),
    resume: (request) => ask(ROUTES.resume, { body: request, patience: request.wait + PATIENCE }),
    shutdown: (request) => ask(ROUTES.shutdown, { body: request }),
  };
}

/** Silence of an event stream after which its connection must be lost: the daemon says something every 15 s. Milliseconds. */
const SILENCE = 40_000;

/**
 * What happens from then on, for who comes back when the connection is lost: server-sent events, by which both sides
 * notice that. What is no event, but `{after, reason}`, tells that some events are not kept any more.
 */
export function eventStream(
  address: Address,
  request: Omit<EventRequest, 'follow'>,
): ReturnType<typeof values> {
  const query = eventsQuery({ ...request, follow: true });
  return values(address, {
    ...place(ROUTES.events, { query }),
    patience: SILENCE,
    accept: 'text/event-stream',
  });
}

function eventsQuery(request: EventRequest): Readonly<Record<string, string>> {
  const { after, since, services = [], last, follow } = request;
  return {
    ...(after === undefined ? {} : { after: String(after) }),
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(services.length === 0 ? {} : { services: services.join(',') }),
    ...(last === undefined ? {} : { last: String(last) }),
    ...(follow ? { follow: '1' } : {}),
  };
}

function logsQuery({ services, file, lines, ...more }: LogsRequest): Readonly<Record<string, string>> {
  const { since, until, grep, stream, instance } = more;
  return {
    ...(services.length === 0 ? {} : { services: services.join(',') }),
    ...(file === undefined ? {} : { file }),
    lines: String(lines),
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    ...(grep === undefined ? {} : { grep }),
    ...(stream === undefined ? {} : { stream }),
    ...(instance === undefined ? {} : { instance: String(instance) }),
  };
}

interface Details {
  readonly id?: string;
  readonly service?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly patience?: number;
}

/** `GET /api/why/:id` to its method and path with everything filled in. */
function place(route: string, details: Details): { readonly method: string; readonly path: string } {
  const [method = '', pattern = ''] = route.split(' ');
  const path = pattern
    .replace(':id', encodeURIComponent(details.id ?? ''))
    .replace(':service', encodeURIComponent(details.service ?? ''));
  const query = new URLSearchParams(details.query ?? {}).toString();
  return { method, path: query === '' ? path : `${path}?${query}` };
}
