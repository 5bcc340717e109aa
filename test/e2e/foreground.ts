/** How do whole-program tests run `processmaster run`? Each with a directory of its own; nothing of it stays. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { onTestFailed, onTestFinished } from 'vitest';
import { mountPoint, removeTree } from '../linux/ground.ts';
import { DIST, GROUND } from './grounds.ts';
import { Program } from './host.ts';
import { type LifecycleLine, lifecycleLines } from './lifecycle-lines.ts';
import { endProcessesBelow, readOr } from './processes.ts';

/** Longest time that a condition is waited for. Milliseconds. */
const BOUND = 20_000;

export interface ManagerOptions {
  /** Programs that the manager is started through. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly containment?: 'cgroup' | 'process_group';
  /** Instead of `node dist/processmaster.js run`. */
  readonly program?: readonly string[];
}

export class Ground {
  /** Where workers run and where tests and they talk by files. */
  readonly directory: string = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  readonly #runtime = join(this.directory, 'runtime');
  readonly #managers: Manager[] = [];
  readonly #kept: string[] = [];

  constructor() {
    fs.mkdirSync(this.#runtime);
    onTestFailed(() => {
      for (const { program } of this.#managers) console.error(program.story());
    });
    onTestFinished(() => this.#close());
  }

  /** `processmaster run` with these arguments. */
  run(args: readonly string[], options: ManagerOptions = {}): Manager {
    const own = [process.execPath, join(DIST, 'processmaster.js'), 'run'];
    const [file = '', ...rest] = [...(options.prefix ?? []), ...(options.program ?? own), ...args];
    const child = spawn(file, rest, {
      cwd: this.directory,
      env: {
        PATH: process.env['PATH'] ?? '',
        LANG: 'C.UTF-8',
        XDG_RUNTIME_DIR: this.#runtime,
        PROCESSMASTER_CONTAINMENT: options.containment ?? GROUND.containment,
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const manager = new Manager(child);
    this.#managers.push(manager);
    return manager;
  }

  /** pmctl at a socket in this directory. */
  pmctl(socket: string, ...args: readonly string[]): Program {
    const argv = [join(DIST, 'pmctl.js'), '--sock', this.path(socket), ...args];
    const child = spawn(process.execPath, argv, { cwd: this.directory, stdio: ['ignore', 'pipe', 'pipe'] });
    return new Program(child);
  }

  /** What the managers of this ground keep on disk and in the cgroup tree now. */
  left(): readonly string[] {
    const names = fs.readdirSync(this.#runtime);
    return [...names, ...names.map(cgroupOf).filter((path) => fs.existsSync(path))];
  }

  /** The cgroups of the managers that run now. */
  cgroups(): readonly string[] {
    return fs
      .readdirSync(this.#runtime)
      .map(cgroupOf)
      .filter((path) => fs.existsSync(path));
  }

  /** This cgroup is removed with the ground, too. */
  keepsCgroup(path: string): void {
    this.#kept.push(path);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  said(name: string): string {
    return readOr(this.path(name));
  }

  async #close(): Promise<void> {
    const cgroups = [...this.cgroups(), ...this.#kept];
    for (const { program } of this.#managers) {
      if (program.isOver) continue;
      const end = once(program.child, 'exit');
      program.child.kill('SIGKILL');
      await end;
    }
    for (const cgroup of cgroups) removeTree(cgroup);
    await endProcessesBelow(this.directory);
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

export class Manager {
  readonly program: Program;

  constructor(child: ChildProcess) {
    this.program = new Program(child);
  }

  get stdout(): string {
    return this.program.stdout;
  }

  get stderr(): string {
    return this.program.stderr;
  }

  get pid(): number {
    return this.program.child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.program.child.kill(signal);
  }

  lifecycle(event?: string): readonly LifecycleLine[] {
    const lines = lifecycleLines(this.stdout);
    return event === undefined ? lines : lines.filter((line) => line.event === event);
  }

  /** The pids of the workers that were started so far, oldest first. */
  started(service = 'worker'): readonly number[] {
    const lines = this.lifecycle('worker_started').filter((line) => line.service === service);
    return lines.map(({ fields }) => Number(fields['pid']));
  }

  /** Waits until so many starts are told, later perhaps than the first words of the worker; answers all pids. */
  starts(count: number, services: readonly string[] = ['worker']): Promise<readonly number[]> {
    return this.until(`${count} starts`, () => {
      const pids = services.flatMap((service) => this.started(service));
      return pids.length >= count ? pids : undefined;
    });
  }

  /** The exit code, when it has ended and all that it said is read. */
  async ended(): Promise<number | null> {
    await this.until('the manager to end', () => (this.program.isOver ? true : undefined));
    return this.program.child.exitCode;
  }

  /** Waits until so many lines of standard output are this one. */
  async says(line: string, count = 1): Promise<void> {
    await this.until(`${count} × ${line}`, () => {
      return this.stdout.split('\n').filter((each) => each === line).length >= count ? true : undefined;
    });
  }

  /** Asks until the answer is not undefined; at the bound it fails with what was said. */
  async until<Value>(
    what: string,
    look: () => Value | undefined | Promise<Value | undefined>,
  ): Promise<Value> {
    const deadline = Date.now() + BOUND;
    for (;;) {
      const value = await look();
      if (value !== undefined) return value;
      if (Date.now() > deadline) throw new Error(`waited ${BOUND} ms for ${what}:\n${this.program.story()}`);
      await after(10);
    }
  }
}

/** A program in the work directory: `sh` runs it. */
export function script(ground: Ground, name: string, text: string): string {
  const path = ground.path(name);
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(path, text);
  return path;
}

/** Says `began`, and on SIGTERM `ended`. */
export const GENTLE = "trap 'echo ended; exit 0' TERM; echo began; while :; do sleep 0.02; done";

/** Says `began` and takes no notice of SIGTERM. */
export const DEAF = "trap '' TERM; echo began; while :; do sleep 0.02; done";

function cgroupOf(name: string): string {
  return `${mountPoint ?? '/nowhere'}/${name}`;
}

/** A port of the loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
