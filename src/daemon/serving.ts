/** Through which doors do people and programs reach the daemon, and how are these opened and closed? */
import type { Control } from '../api/contract.ts';
import type { apiServer } from '../api/server.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Host } from '../world/host.ts';
import { isFailure, type World } from '../world/world.ts';
import type { Foreground } from './foreground.ts';
import type { Log } from './reports.ts';
import type { TcpApi } from './tcp-api.ts';

export interface ServingTools {
  readonly world: Pick<World, 'clock' | 'files' | 'users'>;
  readonly host: Pick<Host, 'pid'>;
  readonly settings: Pick<
    Settings,
    'api' | 'sock_path' | 'sock_mode' | 'sock_owner' | 'sock_group' | 'state_directory'
  >;
  readonly log: Log;
  readonly control: Control;
  readonly foreground?: Pick<Foreground, 'serves'>;
  readonly complain: (problem: Problem) => void;
  /** The control socket cannot be opened: nobody could command this daemon. */
  readonly unavailable: () => void;
}

/** At the end, answers that are on their way get so much time. Milliseconds. */
const LAST_ANSWERS = 250;

/** One that listens on the control socket. */
interface Listener {
  readonly server: ReturnType<typeof apiServer>['server'];
  /** Of the socket that it made. */
  readonly identity: string | undefined;
  readonly close: () => Promise<unknown>;
}

export class Serving {
  readonly #tools: ServingTools;
  /** The last one has the socket; those before it still answer who found them, and go then. */
  #listeners: readonly Listener[] = [];
  #tcp: TcpApi | undefined;
  #closing = false;
  #looking: Promise<void> | undefined;
  /** Why the control socket cannot be made again, as last told. */
  #told: string | undefined;

  constructor(tools: ServingTools) {
    this.#tools = tools;
  }

  get #serves(): boolean {
    return this.#tools.foreground?.serves !== false;
  }

  /** Asked before anything is started: why nobody could command this daemon. */
  async refusal(): Promise<Problem | undefined> {
    if (!this.#serves) return undefined;
    const { whyNotFree } = await import('../world/control-socket.ts');
    const message = await whyNotFree(this.#tools.settings.sock_path);
    if (message === undefined) return undefined;
    const hint = 'make room there first, or give this daemon a sock_path of its own';
    return { code: 'socket-unavailable', severity: 'error', message, hint };
  }

  /** What serves is loaded here, when the services have been started. */
  async open(): Promise<void> {
    if (!this.#serves) return;
    const { settings, world, log, control, complain, unavailable } = this.#tools;
    const { sock_path: path } = settings;
    const refused = await this.#listen();
    if (refused !== undefined) {
      log.error({ path }, refused);
      unavailable();
      return;
    }
    log.info({ path }, `listening on ${path}`);
    const { listen, ...api } = settings.api;
    if (listen === null) return;
    const { TcpApi } = await import('./tcp-api.ts');
    this.#tcp = new TcpApi({ listen, ...api }, { world, control, log, complain });
    await this.#tcp.open();
  }

  /** Certificates that were renewed are used from now on, and the control socket is made again where it is gone. */
  renew(): void {
    this.#tcp?.renew();
    void this.look();
  }

  /** Somebody may have removed the control socket: then nobody could reach this daemon any more. */
  look(): Promise<void> {
    this.#looking ??= this.#listenAgain().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #listenAgain(): Promise<void> {
    const { settings, log } = this.#tools;
    const { sock_path: path } = settings;
    const current = this.#listeners.at(-1);
    if (current === undefined || this.#closing) return;
    const { identityOf, whyNotFree } = await import('../world/control-socket.ts');
    if (identityOf(path) === current.identity) return;
    let refused: string | undefined;
    try {
      refused = (await whyNotFree(path)) ?? (await this.#listen());
    } catch (error) {
      // Nobody waits for this look who could be told otherwise, and the next one tries again.
      refused = (error as Error).message;
    }
    if (refused === undefined) log.warn({ path }, `${path} was gone; listening there again`);
    else if (refused !== this.#told) log.error({ path }, `nobody can reach this daemon: ${refused}`);
    this.#told = refused;
  }

  /** @returns why it does not listen */
  async #listen(): Promise<string | undefined> {
    const { settings, world, host, control } = this.#tools;
    const { apiServer } = await import('../api/server.ts');
    const { identityOf, listenOn } = await import('../world/control-socket.ts');
    const { sock_path: path, sock_mode: mode, sock_owner, sock_group, state_directory: own } = settings;
    // Both were known a moment ago, when the settings were read.
    const owner = sock_owner === null ? undefined : world.users.user(sock_owner);
    const group = sock_group === null ? undefined : world.users.group(sock_group);
    const uid = owner === undefined || isFailure(owner) ? null : owner.uid;
    const gid = group === undefined || isFailure(group) ? null : group.gid;
    const api = apiServer(control, () => world.clock.wall());
    await api.ready();
    const refused = await listenOn(api.server, { path, mode, uid, gid, own }, host.pid);
    if (refused !== undefined) {
      await api.close();
      return refused;
    }
    const { server } = api;
    const before = this.#listeners.at(-1);
    this.#listeners = [...this.#listeners, { server, identity: identityOf(path), close: () => api.close() }];
    if (before !== undefined) this.#retire(before);
    return undefined;
  }

  /** Nobody finds it any more; when those who had found it are served, nothing of it is kept. */
  #retire(listener: Listener): void {
    listener.server.close(() => {
      this.#listeners = this.#listeners.filter((each) => each !== listener);
      void listener.close();
    });
  }

  /** The answer to the command that ends the daemon is still on its way; whoever waits for more is left alone. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#looking;
    const last = this.#listeners.at(-1);
    if (last !== undefined) {
      const { removeSocket } = await import('../world/control-socket.ts');
      removeSocket(this.#tools.settings.sock_path, last.identity);
    }
    const cut = this.#tools.world.clock.after(LAST_ANSWERS, () => {
      for (const { server } of this.#listeners) server.closeAllConnections();
      this.#tcp?.closeAllConnections();
    });
    await Promise.all([...this.#listeners.map(({ close }) => close()), this.#tcp?.close()]);
    cut();
  }
}
