/** Where do web services stand that are replaced while clients ask them? */
import fs from 'node:fs';
import { join } from 'node:path';
import type { StatusView } from '../src/api/contract.ts';
import { FollowingClient } from '../test/e2e/following-client.ts';
import { freePorts } from '../test/e2e/free-ports.ts';
import { webServer, webService } from '../test/e2e/web-server.ts';
import { Ground } from './ground.ts';

export const INSTANCES = 2;
export const IN_FLIGHT = 8;

/** Ports that the daemon may hand out. */
const POOL = 20;

export class WebGround {
  readonly ground: Ground;
  readonly #command: readonly string[];

  static async open(): Promise<WebGround> {
    const [start_port] = await freePorts(POOL);
    const pools = { start_port, end_port: start_port + POOL - 1 };
    return new WebGround(new Ground({ settings: { pools, watch: { enabled: false } } }));
  }

  private constructor(ground: Ground) {
    this.ground = ground;
    this.#command = webServer(ground.directory);
  }

  /** Starts the daemon and waits until version `0` of the service is ready. */
  async up(): Promise<void> {
    this.version('0');
    this.ground.start();
    await this.ground.answers();
    await this.ground.until('the web service', async () => {
      const { services } = await this.status();
      return services[0]?.ready === INSTANCES;
    });
  }

  /** Writes the file of the service: JSON is YAML. */
  version(
    VERSION: string,
    env: Readonly<Record<string, string>> = {},
    rollout: Readonly<Record<string, unknown>> = {},
  ): void {
    const definition = webService(this.#command, { VERSION, ...env }, { surge: INSTANCES, ...rollout });
    fs.writeFileSync(join(this.ground.config, 'web.yaml'), JSON.stringify(definition));
  }

  client(): FollowingClient {
    return new FollowingClient({ service: 'web', status: () => this.status(), inFlight: IN_FLIGHT });
  }

  async status(): Promise<StatusView> {
    return (await this.ground.ask('GET', '/api/status')) as unknown as StatusView;
  }

  async close(): Promise<void> {
    await stopServices(this.ground);
    this.ground.close();
  }
}

/** Servers make no stamps by which the ground would find them where there is no cgroup. */
export async function stopServices(ground: Ground): Promise<void> {
  if (ground.isRunning) await ground.pmctl('shutdown', '--stop-services');
}
