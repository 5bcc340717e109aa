/**
 * Where do whole-program tests stand? A host in small: a directory of service files, the daemon over it, and pmctl,
 * all with a temporary directory and a cgroup of their own. Whatever was started there is ended with the test, also
 * when it fails.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { onTestFailed, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import type { ServiceView, StatusView } from '../../src/api/contract.ts';
import { freshBaseName, isRoot, mountPoint, removeTree } from '../linux/ground.ts';
import { type Answer, ask } from './ask.ts';
import { copyForNobody, DIST, type Ground, NOBODY } from './grounds.ts';
import { type LifecycleLine, lifecycleLines } from './lifecycle-lines.ts';
import { endProcessesBelow, readOr } from './processes.ts';

export interface HostOptions {
  readonly ground: Ground;
  /** Keys of the master file, over those that every test host has. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** False: the test sets the configuration directory up itself. */
  readonly makesConfigDirectory?: boolean;
  /** Programs that the daemon is started through: they execute it in their own place. */
  readonly prefix?: readonly string[];
}

/** A program that was run to its end. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What stdout says as JSON; undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into the answers of the program as its users do
  readonly json: any;
}

/** Longest time that a condition is waited for, unless the test says otherwise. Milliseconds. */
const BOUND = 20_000;

export function openHost(options: HostOptions): Host {
  const host = new Host(options);
  onTestFailed(() => console.error(host.story()));
  onTestFinished(() => host.close());
  return host;
}

export class Host {
  readonly directory: string;
  readonly config: string;
  readonly state: string;
  readonly socket: string;
  /** For files that services and tests talk by. */
  readonly work: string;
  /** The directory of the daemon's base cgroup; made only in the containment `cgroup`. */
  readonly base: string;
  readonly settings: Record<string, unknown>;
  readonly #ground: Ground;
  readonly #dist: string;
  readonly #prefix: readonly string[];
  readonly #children = new Set<ChildProcess>();
  #daemon: Program | undefined;
  #past = '';

  constructor({ ground, settings = {}, makesConfigDirectory = true, prefix = [] }: HostOptions) {
    this.#ground = ground;
    this.#prefix = prefix;
    this.directory = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
    this.config = join(this.directory, 'config.d');
    this.state = join(this.directory, 'state');
    this.socket = join(this.directory, 'pm.sock');
    this.work = join(this.directory, 'work');
    for (const path of [this.state, this.work]) fs.mkdirSync(path);
    if (makesConfigDirectory) fs.mkdirSync(this.config);
    const cgroup_name = freshBaseName();
    this.base = `${mountPoint ?? '/nowhere'}/${cgroup_name}`;
    this.settings = {
      config_directory: this.config,
      state_directory: this.state,
      sock_path: this.socket,
      // What a user of this kind gets by default is `auto`.
      ...(ground.user === 'nobody' ? {} : { containment: ground.containment }),
      cgroup_name,
      watch: { settle: '50ms' },
      ...settings,
    };
    this.#dist = ground.user === 'nobody' ? copyForNobody(this.directory) : DIST;
    this.#own(this.directory);
  }

  get pid(): number {
    return this.#daemon?.child.pid ?? 0;
  }

  /** What the daemon that was started last wrote to standard output so far. */
  get stdout(): string {
    return this.#daemon?.stdout ?? '';
  }

  get stderr(): string {
    return this.#daemon?.stderr ?? '';
  }

  /** The lifecycle lines of the daemon that was started last. */
  lifecycle(event?: string): readonly LifecycleLine[] {
    const lines = lifecycleLines(this.stdout);
    return event === undefined ? lines : lines.filter((line) => line.event === event);
  }

  /** Writes a file below the configuration directory, as an editor does that writes in place. */
  write(file: string, text: string): string {
    const path = join(this.config, file);
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, text);
    this.#own(path);
    return path;
  }

  /** Writes `<name>.yaml`; a plain text is a shell command. */
  service(name: string, definition: string | Readonly<Record<string, unknown>>): string {
    const content = typeof definition === 'string' ? { process: { command: definition } } : definition;
    return this.write(`${name}.yaml`, stringify(content));
  }

  remove(file: string): void {
    fs.rmSync(join(this.config, file), { recursive: true });
  }

  /** Starts the daemon and waits until it answers; `args` go after the usual ones. */
  async start(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<void> {
    const program = this.startUnasked(args, env);
    await this.until('the daemon to answer', async () => {
      if (program.child.exitCode !== null || program.child.signalCode !== null) {
        throw new Error(`the daemon has ended with ${program.child.exitCode}:\n${program.stderr}`);
      }
      const answer = await this.ask('GET', '/api/version').catch(() => undefined);
      return answer?.body['pid'] === program.child.pid ? true : undefined;
    });
  }

  /** Starts the daemon and waits for nothing. */
  startUnasked(
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    edit: (masterFile: string) => string = (text) => text,
  ): Program {
    fs.writeFileSync(this.masterFile, edit(stringify(this.settings)));
    this.#own(this.masterFile);
    this.#past += this.#daemon === undefined ? '' : this.#daemon.story();
    this.#daemon = this.run([...this.daemonCommand, ...args], env);
    return this.#daemon;
  }

  get masterFile(): string {
    return join(this.directory, 'config.yaml');
  }

  get daemonCommand(): readonly string[] {
    return [...this.#prefix, process.execPath, join(this.#dist, 'processmaster.js'), '-c', this.masterFile];
  }

  /** Sends the signal and answers the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#daemon?.child.kill(signal);
    return this.ended();
  }

  /** `kill -9`. */
  async crash(): Promise<void> {
    await this.stop('SIGKILL');
  }

  /** Nobody reads what the daemon says any more. */
  closeOutput(): void {
    this.#daemon?.child.stdout?.destroy();
    this.#daemon?.child.stderr?.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#daemon?.child.kill(signal);
  }

  /** Waits for the end of the daemon. */
  async ended(): Promise<number | null> {
    const program = this.#daemon;
    if (program === undefined) throw new Error('no daemon was started');
    await this.until(
      'the daemon to end',
      () => (program.isOver ? true : undefined),
      () => program.stderr,
    );
    return program.child.exitCode;
  }

  async pmctl(...args: readonly string[]): Promise<Ended> {
    const program = this.background(...args);
    await program.over;
    const { stdout, stderr, child } = program;
    return { code: child.exitCode, stdout, stderr, json: parsed(stdout) };
  }

  /** pmctl that goes on while the test does. */
  background(...args: readonly string[]): Program {
    return this.run([...this.pmctlCommand, ...args]);
  }

  get pmctlCommand(): readonly string[] {
    return [process.execPath, join(this.#dist, 'pmctl.js'), '--sock', this.socket];
  }

  /** A foreign program of the test, with the user of this host. */
  run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
    return new Program(this.#spawn(argv, env));
  }

  ask(method: string, path: string, body?: unknown): Promise<Answer> {
    return ask({ socket: this.socket, method, path, ...(body === undefined ? {} : { body }) });
  }

  async status(): Promise<StatusView> {
    return (await this.ask('GET', '/api/status')).body as unknown as StatusView;
  }

  async view(name: string): Promise<ServiceView | undefined> {
    return (await this.status()).services.find((service) => service.name === name);
  }

  /** Waits until the service looks so, and answers how it looks then. */
  async sees(
    name: string,
    what: string,
    is: (service: ServiceView) => boolean,
    bound = BOUND,
  ): Promise<ServiceView> {
    let last: ServiceView | undefined;
    return this.until(
      `${name} to be ${what}`,
      async () => {
        last = await this.view(name);
        return last !== undefined && is(last) ? last : undefined;
      },
      () => last,
      bound,
    );
  }

  /** Waits until that many instances run, each in its place, and nothing is under way; answers their pids. */
  async runs(name: string, count = 1): Promise<readonly number[]> {
    const view = await this.sees(
      name,
      `running with ${count} instances`,
      ({ state, ready, drift, instances }) =>
        state === 'running' &&
        ready === count &&
        instances.length === count &&
        drift !== 'pending' &&
        instances.every(isInPlace),
    );
    return view.instances.map(({ pid }) => pid ?? 0);
  }

  /** Waits until one instance of each runs; answers the pid of each, in that order. */
  async allRun(names: readonly string[]): Promise<readonly number[]> {
    let open: readonly ServiceView[] = [];
    return this.until(
      `${names.length} services to be running`,
      async () => {
        const { services } = await this.status();
        const asked = names.map((name) => services.find((service) => service.name === name));
        open = asked.flatMap((view) =>
          view?.state === 'running' && view.drift !== 'pending' && view.instances.every(isInPlace)
            ? []
            : (view ?? []),
        );
        const pids = asked.flatMap((view) => view?.pid ?? []);
        return open.length === 0 && pids.length === names.length ? pids : undefined;
      },
      () => open,
    );
  }

  async pidOf(name: string): Promise<number> {
    return (await this.runs(name))[0] ?? 0;
  }

  async isForgotten(name: string): Promise<void> {
    await this.until(
      `${name} to be gone`,
      async () => ((await this.view(name)) === undefined ? true : undefined),
      () => this.view(name),
    );
  }

  /** Waits until the program itself is what runs there: a launcher comes first, and the shell of a command. */
  async executes(pid: number, program: string): Promise<void> {
    const look = () => readOr(`/proc/${pid}/cmdline`);
    await this.until(`${pid} to be ${program}`, () => look().startsWith(`${program}\0`) || undefined, look);
  }

  /** Waits for a file of the work directory to say something; answers its text. */
  async says(file: string, is: (text: string) => boolean = (text) => text !== ''): Promise<string> {
    const read = () => readOr(join(this.work, file));
    return this.until(`${file} to say what is expected`, () => (is(read()) ? read() : undefined), read);
  }

  said(file: string): string {
    return readOr(join(this.work, file));
  }

  /** Asks until the answer is not undefined; at the bound it fails with what was seen. */
  async until<Value>(
    what: string,
    look: () => Value | undefined | Promise<Value | undefined>,
    seen: () => unknown = () => '',
    bound = BOUND,
  ): Promise<Value> {
    const deadline = Date.now() + bound;
    for (;;) {
      const value = await look();
      if (value !== undefined) return value;
      if (Date.now() > deadline) {
        throw new Error(`waited ${bound} ms for ${what}; seen: ${JSON.stringify(await seen(), null, 1)}`);
      }
      await after(10);
    }
  }

  /** Everything that the daemons said: printed when a test fails. */
  story(): string {
    return `${this.#past}${this.#daemon?.story() ?? ''}`;
  }

  /** Ends what was started, by pid and by cgroup, and removes every trace. */
  async close(): Promise<void> {
    const open = [...this.#children];
    await Promise.all(
      open.map((child) => {
        const end = once(child, 'exit');
        child.kill('SIGKILL');
        return end;
      }),
    );
    if (isRoot) removeTree(this.base);
    await endProcessesBelow(this.directory);
    // A daemon that pmctl has started may have made its cgroup only after that.
    if (isRoot) removeTree(this.base);
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  #spawn(argv: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const whole = this.#ground.user === 'nobody' ? [...NOBODY.command, ...argv] : argv;
    const child = spawn(whole[0] ?? '', whole.slice(1), {
      cwd: this.directory,
      env: { PATH: process.env['PATH'] ?? '', HOME: this.directory, LANG: 'C.UTF-8', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** A file of the test belongs to the user that the daemon runs as. */
  #own(path: string): void {
    if (this.#ground.user !== 'nobody') return;
    fs.lchownSync(path, NOBODY.uid, NOBODY.gid);
    if (!fs.lstatSync(path).isDirectory()) return;
    for (const name of fs.readdirSync(path)) this.#own(join(path, name));
  }
}

/** Its launcher has joined it to the others of its run: from now on also the next daemon knows it. */
function isInPlace({ pids }: ServiceView['instances'][number]): boolean {
  return pids.length > 0;
}

/** A process that was started, and what it said so far. */
export class Program {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** Resolves when it has ended and everything it said is read. */
  readonly over: Promise<void>;
  isOver = false;

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.over = new Promise((resolve, reject) => {
      child.once('error', reject);
      const settle = (): void => {
        this.isOver = true;
        resolve();
      };
      if (child.exitCode !== null || child.signalCode !== null) settle();
      else child.once('close', settle);
    });
  }

  story(): string {
    return `--- pid ${this.child.pid} stdout\n${this.stdout}--- stderr\n${this.stderr}`;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
