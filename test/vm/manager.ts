/** A processmaster in the machine: its files, its daemon, and what it answers. */
import { stringify } from 'yaml';
import type { CommandView, ServiceView, StatusView, Verb } from '../../src/api/contract.ts';
import type { Answer } from '../e2e/ask.ts';
import { type LifecycleLine, lifecycleLines } from '../e2e/lifecycle-lines.ts';
import type { Ran } from './channel.ts';
import type { Machine } from './machine.ts';
import { PRODUCT } from './system.ts';

export interface ManagerOptions {
  /** Where all its files are in the machine. */
  readonly directory: string;
  /** Keys of the master file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Directory of the cgroup that it is started in. */
  readonly cgroup?: string;
  /** Programs that it is started through: they execute it in their own place. */
  readonly prefix?: readonly string[];
}

export type Definition = Readonly<Record<string, unknown>>;

/** Where the agent of the test lives, beside whatever the daemon makes. */
export const TEST_CGROUP = '/sys/fs/cgroup/test';

export class Manager {
  readonly machine: Machine;
  readonly directory: string;
  readonly settings: Record<string, unknown>;
  readonly #options: ManagerOptions;
  pid = 0;

  constructor(machine: Machine, options: ManagerOptions) {
    const { directory, settings = {} } = options;
    this.machine = machine;
    this.directory = directory;
    this.#options = options;
    this.settings = {
      config_directory: `${directory}/config.d`,
      state_directory: `${directory}/state`,
      sock_path: `${directory}/sock`,
      watch: { settle: '50ms' },
      ...settings,
    };
  }

  get masterFile(): string {
    return `${this.directory}/config.yaml`;
  }

  /** The argv of the daemon. */
  get command(): readonly string[] {
    const { prefix = [] } = this.#options;
    return [...prefix, `${PRODUCT}/bin/processmaster`, '-c', this.masterFile];
  }

  async writeSettings(): Promise<void> {
    await this.machine.sh(`mkdir -p ${this.directory}/config.d`);
    await this.machine.write(this.masterFile, stringify(this.settings));
  }

  /** Starts the daemon and waits until it answers. */
  async start(): Promise<void> {
    await this.writeSettings();
    const cgroup = this.#options.cgroup ?? TEST_CGROUP;
    const pid = await this.machine.start(this.command, `${this.directory}/output`, cgroup);
    this.pid = pid;
    await this.answers(async () => {
      const end = this.machine.endOf(pid);
      if (end !== undefined)
        throw new Error(`the daemon has ended: ${JSON.stringify(end)}\n${await this.output()}`);
    });
  }

  /** Waits until a daemon answers. */
  async answers(look: () => Promise<void> = async () => undefined): Promise<void> {
    await this.machine.until('the daemon to answer', async () => {
      await look();
      const answer = await this.ask('GET', '/api/version').catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    });
  }

  /** Ends the daemon by a signal and waits for its end. */
  async end(signal: 'TERM' | 'KILL'): Promise<void> {
    await this.machine.sh(`kill -${signal} ${this.pid}`);
    await this.machine.until('the daemon to end', () => this.machine.endOf(this.pid));
  }

  /** What all its daemons wrote so far. */
  output(): Promise<string> {
    return this.machine.readOr(`${this.directory}/output`);
  }

  /** For a test that has failed. */
  async story(): Promise<string> {
    if (!this.machine.isOn) return this.machine.console;
    const { stdout, stderr } = await this.pmctl('status');
    return [this.machine.console, await this.output(), stdout, stderr].join('\n');
  }

  async lifecycle(event: string, service?: string): Promise<readonly LifecycleLine[]> {
    return lifecycleLines(await this.output()).filter(
      (line) => line.event === event && (service === undefined || line.service === service),
    );
  }

  async service(
    name: string,
    definition: Definition,
    how: 'in place' | 'replaced' = 'in place',
  ): Promise<void> {
    await this.machine.write(`${this.directory}/config.d/${name}.yaml`, stringify(definition), how);
  }

  pmctl(...args: readonly string[]): Promise<Ran> {
    return this.machine.run(`${PRODUCT}/bin/pmctl`, '--sock', String(this.settings['sock_path']), ...args);
  }

  ask(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.machine.ask(String(this.settings['sock_path']), method, path, body);
  }

  /** A command of an operator, which has to be taken; waits until it is carried out. */
  async order(verb: Verb, names: string | readonly string[], more: Definition = {}): Promise<CommandView> {
    const request = { verb, services: [names].flat(), wait: 30_000, ...more };
    const { status, body } = await this.ask('POST', '/api/command', request);
    const view = body as CommandView;
    const taken =
      status === 200 && view.results.every(({ result }) => result === 'done' || result === 'pending');
    if (!taken) throw new Error(`${verb} ${names}: ${status} ${JSON.stringify(body)}`);
    return view;
  }

  async status(): Promise<StatusView> {
    return (await this.ask('GET', '/api/status')).body as StatusView;
  }

  async view(name: string): Promise<ServiceView | undefined> {
    return (await this.status()).services.find((service) => service.name === name);
  }

  /** Waits until the service looks so, and answers how it looks then. */
  async sees(name: string, what: string, is: (service: ServiceView) => boolean): Promise<ServiceView> {
    let last: ServiceView | undefined;
    const look = async () => {
      last = await this.view(name);
      return last !== undefined && is(last) ? last : undefined;
    };
    return this.machine.until(`${name} to be ${what}`, look, () => last);
  }

  /** Waits until one instance of it runs, and answers its pid. */
  async runs(name: string): Promise<number> {
    const view = await this.sees(
      name,
      'running',
      (service) => service.state === 'running' && service.pid !== null,
    );
    return view.pid ?? 0;
  }
}
