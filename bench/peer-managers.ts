/** How are other process managers given the same services, each as its manual says and with its logs on? */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { Ground, open } from './ground.ts';
import { familyOf, isAliveBelow } from './kernel.ts';
import { makeProgram, now, type Program, Stamps } from './program.ts';

/** One manager with its services, in a directory of its own. */
export interface Manager {
  readonly stamps: Stamps;
  /** Starts it and answers when that was begun. */
  start(): number;
  /** Resolves when commands are answered. */
  ready(): Promise<void>;
  /** Runs a command and answers how long it took; milliseconds. */
  run(command: 'status' | 'update'): Promise<number>;
  /** The manager and its helpers, without the services. */
  own(): readonly number[];
  /** Ends everything and removes every trace. */
  close(): void;
}

export interface Kind {
  readonly name: string;
  /** The version; undefined when it is not installed. */
  version(): string | undefined;
  /** What it has no command for. */
  readonly lacks: readonly ('status' | 'update')[];
  open(count: number): Manager;
}

export const KINDS: readonly Kind[] = [
  {
    name: 'processmaster',
    version: () => 'this build',
    lacks: [],
    open: (count) => new Own(count),
  },
  {
    name: 'supervisord',
    version: () => firstLine('supervisord', ['--version']),
    lacks: [],
    open: (count) => new Supervisor(count),
  },
  {
    name: 'runit',
    version: () => packageVersion('runit', 'runsvdir'),
    lacks: ['update'],
    open: (count) => new Runit(count),
  },
];

const RESTARTS = `restart_policy:
  restart_backoff: 0s
  tolerance:
    max_restarts: 1000000
`;

class Own implements Manager {
  readonly #ground = new Ground({ on: 'memory', settings: { watch: { enabled: false } } });

  constructor(count: number) {
    this.#ground.services(count, RESTARTS);
  }

  get stamps(): Stamps {
    return this.#ground.stamps;
  }

  start(): number {
    return this.#ground.start();
  }

  ready(): Promise<void> {
    return this.#ground.answers();
  }

  async run(command: 'status' | 'update'): Promise<number> {
    const { code, stderr, from, to } = await this.#ground.pmctl(command);
    if (code !== 0) throw new Error(`pmctl ${command}: ${code} ${stderr}`);
    return to - from;
  }

  own(): readonly number[] {
    return [this.#ground.pid];
  }

  close(): void {
    this.#ground.close();
  }
}

/** What both of the others have in common. */
abstract class Peer implements Manager {
  readonly directory: string;
  readonly stamps: Stamps;
  readonly names: readonly string[];
  readonly #program: Program;
  #child: ChildProcess | undefined;

  constructor(count: number) {
    const memory = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
    this.directory = fs.mkdtempSync(join(memory, 'pm-bench-'));
    open.add(this);
    this.#program = makeProgram(this.directory);
    this.stamps = new Stamps(join(this.directory, 'stamps'));
    this.names = Array.from({ length: count }, (_, at) => `service-${String(at).padStart(4, '0')}`);
  }

  abstract readonly argv: readonly string[];
  abstract commandOf(command: 'status' | 'update'): readonly string[];

  /** The command line of a service. */
  service(name: string): string {
    return `${this.#program.path} ${this.stamps.file} ${name} v1`;
  }

  start(): number {
    const [program = '', ...args] = this.argv;
    const from = now();
    this.#child = spawn(program, args, { stdio: 'ignore', cwd: this.directory });
    return from;
  }

  async ready(): Promise<void> {
    const [program = '', ...args] = this.commandOf('status');
    const deadline = now() + 30_000;
    while (spawnSync(program, args).status !== 0) {
      if (now() > deadline) throw new Error(`${this.argv[0]} does not answer`);
    }
  }

  async run(command: 'status' | 'update'): Promise<number> {
    const [program = '', ...args] = this.commandOf(command);
    const from = now();
    const { status, stderr } = spawnSync(program, args);
    if (status !== 0) throw new Error(`${program} ${command}: ${status} ${stderr}`);
    return now() - from;
  }

  own(): readonly number[] {
    const services = new Set(this.stamps.all().map(({ pid }) => pid));
    return familyOf(this.#child?.pid ?? 0).filter((pid) => !services.has(pid));
  }

  close(): void {
    // Parents first: nobody is left then who would start a service again.
    for (const pid of this.#child === undefined ? [] : familyOf(this.#child.pid ?? 0)) kill(pid);
    const left = () => this.stamps.all().filter(({ pid }) => isAliveBelow(pid, this.directory));
    const deadline = now() + 10_000;
    while (left().length > 0 && now() < deadline) for (const { pid } of left()) kill(pid);
    fs.rmSync(this.directory, { recursive: true, force: true });
    open.delete(this);
  }
}

class Supervisor extends Peer {
  readonly #file: string;

  constructor(count: number) {
    super(count);
    this.#file = join(this.directory, 'supervisord.conf');
    const logs = join(this.directory, 'logs');
    fs.mkdirSync(logs);
    const programs = this.names.map(
      (name) => `[program:${name}]
command=${this.service(name)}
directory=${logs}
autorestart=true
startsecs=0
startretries=1000000
stdout_logfile=${logs}/${name}.out
stdout_logfile_maxbytes=10MB
stderr_logfile=${logs}/${name}.err
stderr_logfile_maxbytes=10MB
`,
    );
    const head = `[unix_http_server]
file=${this.directory}/sock
[supervisord]
logfile=${this.directory}/log
pidfile=${this.directory}/pid
childlogdir=${logs}
minfds=4096
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${this.directory}/sock
`;
    fs.writeFileSync(this.#file, [head, ...programs].join('\n'));
  }

  get argv(): readonly string[] {
    return ['supervisord', '-n', '-c', this.#file];
  }

  commandOf(command: 'status' | 'update'): readonly string[] {
    return ['supervisorctl', '-c', this.#file, command];
  }
}

class Runit extends Peer {
  readonly #services: string;

  constructor(count: number) {
    super(count);
    this.#services = join(this.directory, 'services');
    for (const name of this.names) {
      const service = join(this.#services, name);
      fs.mkdirSync(join(service, 'log', 'main'), { recursive: true });
      const script = (text: string) => `#!/bin/sh\n${text}\n`;
      const mode = 0o755;
      fs.writeFileSync(join(service, 'run'), script(`exec ${this.service(name)} 2>&1`), { mode });
      fs.writeFileSync(join(service, 'log', 'run'), script('exec svlogd ./main'), { mode });
      fs.writeFileSync(join(service, 'log', 'main', 'config'), 's10000000\n');
    }
  }

  get argv(): readonly string[] {
    return ['runsvdir', this.#services];
  }

  commandOf(): readonly string[] {
    return ['sv', 'status', ...this.names.map((name) => join(this.#services, name))];
  }
}

function firstLine(program: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0]?.trim() : undefined;
}

/** For a program that does not tell its version. */
function packageVersion(name: string, program: string): string | undefined {
  if (spawnSync(program, [], { timeout: 1000 }).error !== undefined) return undefined;
  return firstLine('dpkg-query', ['-W', '-f', '${Version}', name]) ?? 'version unknown';
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
