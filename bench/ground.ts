/**
 * Where does a bench stand? A directory, a cgroup, a daemon, pmctl and services of its own. Whatever was started there
 * is ended with it, and by its pid or its cgroup only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeCgroup } from '../src/world/cgroup-files.ts';
import { parseMountinfo } from '../src/world/cgroup-mount.ts';
import { isAliveBelow, readOr } from './kernel.ts';
import { makeProgram, now, type Program, type Stamp, Stamps } from './program.ts';

export interface GroundOptions {
  /** `disk`: where temporary files usually are; `memory`: on tmpfs. */
  readonly on?: 'disk' | 'memory';
  /** Keys of the master file, over those that every bench has. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** When it was typed and when it was over; CLOCK_MONOTONIC, milliseconds. */
  readonly from: number;
  readonly to: number;
}

const HERE = fileURLToPath(new URL('.', import.meta.url));
const MEMORY = '/dev/shm';

/** Longest time that anything is waited for. Milliseconds. */
const BOUND = 60_000;

/** What {@link closeAll} closes. */
export const open = new Set<{ close(): void }>();
let names = 0;

export class Ground {
  readonly directory: string;
  readonly config: string;
  readonly stamps: Stamps;
  readonly program: Program;
  /** The directory of the base cgroup; undefined where none is made. */
  readonly base: string | undefined;
  readonly #install: string;
  readonly #quick: string;
  readonly #settings: Readonly<Record<string, unknown>>;
  #daemon: ChildProcess | undefined;

  constructor({ on = 'disk', settings = {} }: GroundOptions = {}) {
    // Stamps and socket are never on the disk: they are not what is measured.
    const memory = fs.existsSync(MEMORY) ? MEMORY : os.tmpdir();
    this.#quick = fs.mkdtempSync(join(memory, 'pm-bench-'));
    this.directory = fs.mkdtempSync(join(on === 'memory' ? memory : os.tmpdir(), 'pm-bench-'));
    open.add(this);
    this.config = join(this.directory, 'config.d');
    this.#install = join(this.#quick, 'install');
    fs.mkdirSync(this.config);
    fs.mkdirSync(join(this.directory, 'work'));
    // The programs are called as a user calls them: by the scripts in bin/.
    fs.cpSync(join(HERE, '..', 'bin'), join(this.#install, 'bin'), { recursive: true });
    const dist = process.env['PROCESSMASTER_DIST'] ?? join(HERE, '..', 'dist');
    fs.symlinkSync(dist, join(this.#install, 'dist'));
    this.program = makeProgram(this.#quick);
    this.stamps = new Stamps(join(this.#quick, 'stamps'));
    const cgroup_name = `pm-bench-${process.pid}-${names++}`;
    const mount = parseMountinfo(readOr('/proc/self/mountinfo'));
    const usable =
      mount?.writable && process.geteuid?.() === 0 && settings['containment'] !== 'process_group';
    this.base = usable ? join(mount.point, cgroup_name) : undefined;
    this.#settings = {
      config_directory: this.config,
      state_directory: join(this.directory, 'state'),
      sock_path: this.socket,
      cgroup_name,
      ...(mount?.writable ? { cgroup_root: mount.point } : {}),
      ...settings,
    };
    fs.writeFileSync(join(this.directory, 'config.yaml'), JSON.stringify(this.#settings));
  }

  get socket(): string {
    return join(this.#quick, 'pm.sock');
  }

  /** The pid of the daemon that was started last. */
  get pid(): number {
    const pid = this.#daemon?.pid;
    if (pid === undefined) throw new Error('no daemon was started');
    return pid;
  }

  /** Writes the file of a service, as editors do that replace the old file by the new one. */
  service(name: string, extra = '', version = '1'): void {
    const work = join(this.directory, 'work', name);
    fs.mkdirSync(work, { recursive: true });
    const text = `description: A service of the bench
process:
  command: [${this.program.path}, ${this.stamps.file}, ${name}, v${version}]
  working_directory: ${work}
${extra}`;
    const temporary = join(this.config, `.${name}.tmp`);
    fs.writeFileSync(temporary, text);
    fs.renameSync(temporary, join(this.config, `${name}.yaml`));
  }

  /** Writes the files of `count` services and answers their names. */
  services(count: number, extra = ''): readonly string[] {
    const all = Array.from({ length: count }, (_, at) => `service-${String(at).padStart(4, '0')}`);
    for (const name of all) this.service(name, extra);
    return all;
  }

  /** Starts the daemon and answers when that was begun. */
  start(): number {
    const out = fs.openSync(join(this.directory, 'daemon.out'), 'a');
    const config = join(this.directory, 'config.yaml');
    const from = now();
    this.#daemon = spawn(join(this.#install, 'bin', 'processmaster'), ['-c', config], {
      stdio: ['ignore', out, out],
      env: this.#environment(),
    });
    this.#daemon.on('error', (error) => {
      throw error;
    });
    fs.closeSync(out);
    return from;
  }

  /** Starts the daemon and waits until it answers and `count` services run. */
  async up(count: number): Promise<void> {
    this.start();
    await this.answers();
    await this.until(`${count} services`, () => this.stamps.all().length >= count);
  }

  async answers(): Promise<void> {
    await this.until('the daemon to answer', async () => {
      if (this.#daemon?.exitCode !== null) throw new Error(`the daemon has ended:\n${this.story()}`);
      const version = await this.ask('GET', '/api/version').catch(() => undefined);
      return version?.['pid'] === this.pid;
    });
  }

  /** `kill -9`, and until the process is gone. */
  async crash(): Promise<void> {
    const daemon = this.#daemon;
    daemon?.kill('SIGKILL');
    await this.until('the daemon to end', () => daemon?.exitCode !== null || daemon.signalCode !== null, 1);
  }

  get isRunning(): boolean {
    return this.#daemon?.exitCode === null && this.#daemon.signalCode === null;
  }

  async pmctl(...args: readonly string[]): Promise<Ended> {
    const from = now();
    const child = spawn(join(this.#install, 'bin', 'pmctl'), ['--sock', this.socket, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#environment(),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { code, stdout, stderr, from, to: now() };
  }

  /** The parsed answer of the daemon; throws when there is none. */
  ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers = { host: 'localhost', ...(text && { 'content-type': 'application/json' }) };
      const request = http.request({ socketPath: this.socket, method, path, headers, agent: false });
      request.on('error', reject);
      request.on('response', (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          answer += chunk;
        });
        response.on('error', reject);
        response.on('aborted', () => reject(new Error('the answer was cut off')));
        response.on('end', () => resolve(JSON.parse(answer)));
      });
      request.end(text);
    });
  }

  /** Waits until a process of the service was started after this many stamps; answers its stamp. */
  async next(service: string, after: number): Promise<Stamp> {
    let found: Stamp | undefined;
    await this.until(`a start of ${service}`, () => {
      found = this.stamps.all().find((stamp, at) => at >= after && stamp.service === service);
      return found !== undefined;
    });
    if (found === undefined) throw new Error('the condition was met without a stamp');
    return found;
  }

  /** Asks every `every` milliseconds; throws at the bound with what the daemon said. */
  async until(what: string, is: () => boolean | Promise<boolean>, every = 5, bound = BOUND): Promise<void> {
    const deadline = now() + bound;
    while (!(await is())) {
      if (now() > deadline) throw new Error(`waited ${bound} ms for ${what}\n${this.story()}`);
      await pause(every);
    }
  }

  isAlive(pid: number): boolean {
    return isAliveBelow(pid, this.directory);
  }

  /** The last things that the daemons said. */
  story(): string {
    return readOr(join(this.directory, 'daemon.out')).split('\n').slice(-40).join('\n');
  }

  /** Kills everything that was started here; the files stay. */
  end(): void {
    this.#daemon?.kill('SIGKILL');
    for (let round = 0; ; round++) {
      if (this.base !== undefined && fs.existsSync(this.base)) {
        fs.writeFileSync(`${this.base}/cgroup.kill`, '1');
        removeCgroup(this.base);
      }
      const left = this.stamps.all().filter(({ pid }) => this.isAlive(pid));
      for (const { pid } of left) kill(pid);
      if (left.length === 0 && (this.base === undefined || !fs.existsSync(this.base))) return;
      if (round > 1000) throw new Error(`${left.length} processes of the bench, or its cgroup, do not end`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }

  /** Kills everything and removes every trace. */
  close(): void {
    this.end();
    for (const path of [this.directory, this.#quick]) fs.rmSync(path, { recursive: true, force: true });
    open.delete(this);
  }

  #environment(): Record<string, string> {
    const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
    return { PATH: path, HOME: this.directory, LANG: 'C.UTF-8' };
  }
}

/** For a bench that is interrupted. */
export function closeAll(): void {
  for (const each of [...open]) each.close();
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
