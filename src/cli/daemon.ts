/** What can a command ask of the daemon? The other side of the contract, over the socket. */
import type {
  CommandRequest,
  CommandView,
  DiffView,
  DoctorView,
  LogsRequest,
  LogsView,
  StatusView,
  UpdateRequest,
  UpdateView,
  VersionView,
  WaitRequest,
  WaitView,
  WhyView,
} from '../api/contract.ts';
import type { DefineRequest, DefineView, DeleteRequest } from '../api/definition.ts';
import { ROUTES } from '../api/routes.ts';
import type { Event } from '../model/action.ts';
import { type Address, exchange, stream } from './http-over-socket.ts';
import type { Refusal } from './refusal.ts';

export type NumberedEvent = Event & { readonly id: number };

/** Each question is answered with the view of the contract, or a refusal with the sentence to print. */
export interface Daemon {
  readonly socket: string;
  status(): Promise<StatusView | Refusal>;
  diff(): Promise<DiffView | Refusal>;
  update(request: UpdateRequest): Promise<UpdateView | Refusal>;
  command(request: CommandRequest): Promise<CommandView | Refusal>;
  define(request: DefineRequest): Promise<DefineView | Refusal>;
  delete(request: DeleteRequest): Promise<CommandView | Refusal>;
  why(service: string): Promise<WhyView | Refusal>;
  logs(request: LogsRequest): Promise<LogsView | Refusal>;
  /**
   * What happened after the event of that number, oldest first; `follow`: and what happens from now on. undefined
   * when the daemon has told all, or has ended.
   */
  events(
    request: { readonly after: number; readonly follow: boolean },
    event: (event: NumberedEvent) => void,
  ): Promise<Refusal | undefined>;
  wait(request: WaitRequest): Promise<WaitView | Refusal>;
  version(): Promise<VersionView | Refusal>;
  doctor(): Promise<DoctorView | Refusal>;
  shutdown(request: { readonly stopServices: boolean; readonly by: string }): Promise<unknown | Refusal>;
}

/** Milliseconds: a daemon that has not said a word for so long is stuck. Waits add their own time. */
const PATIENCE = 15_000;

export function daemonAt(address: Address): Daemon {
  const ask = async <View>(route: string, details: Details = {}): Promise<View | Refusal> => {
    const { patience = PATIENCE, body } = details;
    const question = { ...place(route, details), patience, ...(body === undefined ? {} : { body }) };
    // Both sides are of one protocol number, which promises the shape.
    return (await exchange(address, question)) as View | Refusal;
  };
  return {
    socket: address.socket,
    status: () => ask(ROUTES.status),
    diff: () => ask(ROUTES.diff),
    update: (request) => ask(ROUTES.update, { body: request, patience: request.wait + PATIENCE }),
    command: (request) => ask(ROUTES.command, { body: request, patience: request.wait + PATIENCE }),
    define: (request) => ask(ROUTES.define, { body: request, patience: request.wait + PATIENCE }),
    delete: (request) => ask(ROUTES.delete, { body: request, patience: request.wait + PATIENCE }),
    why: (service) => ask(ROUTES.why, { id: service }),
    logs: ({ services, file, lines }) =>
      ask(ROUTES.logs, {
        query: {
          ...(services.length === 0 ? {} : { services: services.join(',') }),
          ...(file === undefined ? {} : { file }),
          lines: String(lines),
        },
      }),
    events: ({ after, follow }, event) => {
      const query = { after: String(after), ...(follow ? { follow: '1' } : {}) };
      const patience = follow ? 0 : PATIENCE;
      return stream(address, { ...place(ROUTES.events, { query }), patience }, (value) =>
        event(value as NumberedEvent),
      );
    },
    wait: (request) => ask(ROUTES.wait, { body: request, patience: request.timeout + PATIENCE }),
    version: () => ask(ROUTES.version),
    doctor: () => ask(ROUTES.doctor),
    shutdown: (request) => ask(ROUTES.shutdown, { body: request }),
  };
}

interface Details {
  readonly id?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly patience?: number;
}

/** `GET /api/why/:id` to its method and path with everything filled in. */
function place(route: string, details: Details): { readonly method: string; readonly path: string } {
  const [method = '', pattern = ''] = route.split(' ');
  const path = pattern.replace(':id', encodeURIComponent(details.id ?? ''));
  const query = new URLSearchParams(details.query ?? {}).toString();
  return { method, path: query === '' ? path : `${path}?${query}` };
}
