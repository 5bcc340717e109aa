/** Through which doors do people and programs reach the daemon, and how are these opened and closed? */
import type { Control } from '../api/contract.ts';
import type { apiServer } from '../api/server.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Host } from '../world/host.ts';
import { isFailure, type World } from '../world/world.ts';
import type { Log } from './reports.ts';
import type { TcpApi } from './tcp-api.ts';

export interface ServingTools {
  readonly world: Pick<World, 'clock' | 'files' | 'users'>;
  readonly host: Pick<Host, 'pid'>;
  readonly settings: Pick<Settings, 'api' | 'sock_path' | 'sock_mode' | 'sock_owner' | 'sock_group'>;
  readonly log: Log;
  readonly control: Control;
  readonly complain: (problem: Problem) => void;
  /** The control socket cannot be opened: nobody could command this daemon. */
  readonly unavailable: () => void;
}

/** At the end, answers that are on their way get so much time. Milliseconds. */
const LAST_ANSWERS = 250;

export class Serving {
  readonly #tools: ServingTools;
  #server: ReturnType<typeof apiServer> | undefined;
  #tcp: TcpApi | undefined;
  #closeSocket = () => {};

  constructor(tools: ServingTools) {
    this.#tools = tools;
  }

  /** What serves is loaded here, when the services have been started. */
  async open(): Promise<void> {
    const { settings, world, host, log, control, complain, unavailable } = this.#tools;
    const { apiServer } = await import('../api/server.ts');
    const { inodeOf, listenOn, removeSocket } = await import('../world/control-socket.ts');
    const server = apiServer(control, () => world.clock.now());
    await server.ready();
    const { sock_path: path, sock_mode: mode, sock_owner, sock_group } = settings;
    // Both were known a moment ago, when the settings were read.
    const owner = sock_owner === null ? undefined : world.users.user(sock_owner);
    const group = sock_group === null ? undefined : world.users.group(sock_group);
    const uid = owner === undefined || isFailure(owner) ? null : owner.uid;
    const gid = group === undefined || isFailure(group) ? null : group.gid;
    const refused = await listenOn(server.server, { path, mode, uid, gid }, host.pid);
    if (refused !== undefined) {
      log.error({ path }, refused);
      unavailable();
      return;
    }
    const inode = inodeOf(path);
    this.#closeSocket = () => removeSocket(path, inode);
    this.#server = server;
    log.info({ path }, `listening on ${path}`);
    const { listen, ...api } = settings.api;
    if (listen === null) return;
    const { TcpApi } = await import('./tcp-api.ts');
    this.#tcp = new TcpApi({ listen, ...api }, { world, control, log, complain });
    await this.#tcp.open();
  }

  /** Certificates that were renewed are used from now on. */
  renew(): void {
    this.#tcp?.renew();
  }

  /** The answer to the command that ends the daemon is still on its way; whoever waits for more is left alone. */
  async close(): Promise<void> {
    this.#closeSocket();
    const cut = this.#tools.world.clock.after(LAST_ANSWERS, () => {
      this.#server?.server.closeAllConnections();
      this.#tcp?.closeAllConnections();
    });
    await Promise.all([this.#server?.close(), this.#tcp?.close()]);
    cut();
  }
}
