/** How is the API served over TCP, without the control socket or any service depending on it? */
import type { Control } from '../api/contract.ts';
import { FrontDoor, OLDEST_TLS } from '../api/front-door.ts';
import type { OwnPlace } from '../api/known-hosts.ts';
import { apiServer } from '../api/server.ts';
import type { Problem } from '../model/problem.ts';
import type { ApiSettings } from '../model/settings.ts';
import { listenAt } from '../world/tcp-listen.ts';
import { isFailure, type World } from '../world/world.ts';
import type { Log } from './reports.ts';
import { TokenBook } from './token-book.ts';

export interface TcpApiTools {
  readonly world: Pick<World, 'clock' | 'files' | 'users'>;
  readonly control: Control;
  readonly log: Log;
  readonly complain: (problem: Problem) => void;
}

/** When it cannot be opened, it is tried again after this long. Milliseconds. */
const AGAIN = 10_000;

/** How often it is looked whether those who are connected still may be. Milliseconds. */
const RECHECK = 10_000;

/** Certificates are some KiB. */
const LARGEST_PEM = 1024 * 1024;

export type ListeningApi = ApiSettings & { readonly listen: NonNullable<ApiSettings['listen']> };

type Pair = { readonly cert: string; readonly key: string };
type Server = ReturnType<typeof apiServer>;

export class TcpApi {
  readonly #settings: ListeningApi;
  readonly #tools: TcpApiTools;
  readonly #book: TokenBook;
  #server: Server | undefined;
  #cancel = () => {};
  #closed = false;

  constructor(settings: ListeningApi, tools: TcpApiTools) {
    this.#settings = settings;
    this.#tools = tools;
    const { files, users } = tools.world;
    this.#book = new TokenBook(settings.tokens ?? '', { files, users, complain: tools.complain });
  }

  /** What cannot be opened now is tried again later: services do not wait for it. */
  async open(): Promise<void> {
    const problem = await this.#open();
    if (problem === undefined || this.#closed) return;
    this.#tools.complain(problem);
    this.#cancel = this.#tools.world.clock.after(AGAIN, () => void this.open());
  }

  /** Takes the certificate as it is now; one that cannot be used leaves the old one in force. */
  renew(): void {
    const pair = this.#pair();
    if (pair === null) return;
    const problem = 'code' in pair ? pair : this.#use(pair);
    if (problem !== undefined) this.#tools.complain(problem);
  }

  closeAllConnections(): void {
    this.#server?.server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#server?.close();
  }

  async #open(): Promise<Problem | undefined> {
    const { world, control, log } = this.#tools;
    const { listen, allowed_hosts } = this.#settings;
    const pair = this.#pair();
    if (pair !== null && 'code' in pair) return pair;
    const scheme = pair === null ? 'http' : 'https';
    let place: OwnPlace = { ...listen, scheme, allowed: allowed_hosts };
    const door = new FrontDoor({
      now: () => world.clock.now(),
      tls: pair,
      place: () => place,
      tokens: () => this.#book.tokens,
      tell: (fields, message) => log.warn(fields, message),
    });
    let server: Server;
    try {
      server = apiServer(control, () => world.clock.wall(), door);
    } catch (error) {
      return unavailable(`the certificate or its key cannot be used: ${(error as Error).message}`);
    }
    await server.ready();
    const bound = await listenAt(server.server, listen);
    if (isFailure(bound)) return unavailable(`${shown(listen)} cannot be listened at (${bound.failed})`);
    if (this.#closed) {
      await server.close();
      return undefined;
    }
    place = { ...place, port: bound.port };
    this.#server = server;
    const url = `${scheme}://${shown(place)}`;
    log.info({ url }, `listening on ${url}`);
    // Whatever is wrong with the file is told now and not to the first who asks.
    if (this.#book.tokens.length === 0)
      log.warn({}, 'there is no API token yet: pmctl token new NAME makes one');
    this.#recheckLater(door);
    return undefined;
  }

  #recheckLater(door: FrontDoor): void {
    this.#cancel = this.#tools.world.clock.after(RECHECK, () => {
      if (door.visitors.count > 0) {
        const valid = new Set(this.#book.tokens.map(({ hash }) => hash));
        door.visitors.keepOnly((hash) => valid.has(hash));
      }
      this.#recheckLater(door);
    });
  }

  /** null: without TLS. */
  #pair(): Pair | Problem | null {
    const { tls } = this.#settings;
    if (tls.cert === null || tls.key === null) return null;
    const { files } = this.#tools.world;
    const status = files.status(tls.key);
    if (!isFailure(status) && (status.mode & 0o004) !== 0) {
      const message = `${tls.key} can be read by every user of the host; chmod o-r it`;
      return { code: 'secret-exposed', severity: 'error', message };
    }
    const cert = files.read(tls.cert, LARGEST_PEM);
    if (isFailure(cert)) return unavailable(`${tls.cert} cannot be read (${cert.failed})`);
    const key = files.read(tls.key, LARGEST_PEM);
    if (isFailure(key)) return unavailable(`${tls.key} cannot be read (${key.failed})`);
    return { cert, key };
  }

  #use(pair: Pair): Problem | undefined {
    const server = this.#server?.server;
    if (server === undefined || !('setSecureContext' in server)) return undefined;
    try {
      // Only a server with TLS has it, whatever the type of its framework says.
      const context = { ...pair, minVersion: OLDEST_TLS };
      (server as { setSecureContext(context: Pair & object): void }).setSecureContext(context);
      this.#tools.log.info({}, 'the certificate of the API was read again');
      return undefined;
    } catch (error) {
      return unavailable(`the new certificate or its key cannot be used: ${(error as Error).message}`);
    }
  }
}

function unavailable(message: string): Problem {
  return { code: 'api-unavailable', severity: 'error', message };
}

function shown({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
