/** What is asked of every process manager that is compared, and what do the foreign ones have in common? */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { open } from '../ground.ts';
import { processesBelow } from '../kernel.ts';
import { makeProgram, now, type Program, Stamps } from '../program.ts';

/** A service, as far as the comparison is interested. */
export interface Definition {
  readonly argv: readonly string[];
  /** Two of them differ in nothing that the process could notice. */
  readonly note: number;
  /** With a key that no manager knows: one letter is missing in the name of a usual one. */
  readonly typo: boolean;
}

export type Command = 'status' | 'update' | 'stop all';

/** One manager with its services, in a directory of its own. */
export interface Manager {
  readonly stamps: Stamps;
  /** Its services work below this directory. */
  readonly directory: string;
  /** What the services run. */
  readonly program: Program;
  /** Starts it and answers when that was begun. */
  start(): number;
  /** Resolves when commands are answered. */
  ready(): Promise<void>;
  /** Runs a command and answers how long it took; milliseconds. */
  run(command: Command): Promise<number>;
  /** Writes or rewrites a definition, and does what its manual says to bring it into force. @returns what was said */
  define(name: string, definition: Definition): Promise<string>;
  stop(name: string): Promise<void>;
  /** The manager itself; undefined when it is gone. */
  main(): number | undefined;
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
  readonly lacks: readonly Command[];
  open(count: number): Manager;
}

/** Some say a lot of each service. Bytes. */
const MOST = 64e6;

/** The command line of a service that stamps. */
export function stamping(program: Program, stamps: Stamps, name: string, version = 1): readonly string[] {
  return [program.path, stamps.file, name, `v${version}`];
}

export function namesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `service-${String(at).padStart(4, '0')}`);
}

export abstract class Peer implements Manager {
  readonly directory: string;
  readonly stamps: Stamps;
  readonly names: string[] = [];
  readonly program: Program;
  protected child: ChildProcess | undefined;

  /** A constructor of its own defines the services: fields of a subclass exist only after this one. */
  constructor() {
    const memory = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
    this.directory = fs.mkdtempSync(join(memory, 'pm-bench-'));
    open.add(this);
    this.program = makeProgram(this.directory);
    this.stamps = new Stamps(join(this.directory, 'stamps'));
  }

  /** How it is started. */
  abstract readonly argv: readonly string[];
  /** Several command lines are run one after the other, as a user would have to. */
  abstract commandsOf(command: Command): readonly (readonly string[])[];
  abstract stopCommand(name: string): readonly string[];
  /** Writes the definition. */
  abstract write(name: string, definition: Definition): void;
  /** What brings one that was written into force; undefined: it is noticed by itself. */
  abstract applyCommand(name: string): readonly string[] | undefined;
  protected readonly environment: NodeJS.ProcessEnv = process.env;

  start(): number {
    const [program = '', ...args] = this.argv;
    const from = now();
    this.child = spawn(program, args, { stdio: 'ignore', cwd: this.directory, env: this.environment });
    return from;
  }

  async ready(): Promise<void> {
    const deadline = now() + 30_000;
    while (!this.commandsOf('status').every((argv) => this.call(argv).status === 0)) {
      if (now() > deadline) throw new Error(`${this.argv[0]} does not answer`);
    }
  }

  async run(command: Command): Promise<number> {
    const commands = this.commandsOf(command);
    const from = now();
    for (const argv of commands) this.must(argv);
    return now() - from;
  }

  async define(name: string, definition: Definition): Promise<string> {
    this.write(name, definition);
    const command = this.applyCommand(name);
    if (command === undefined) return '';
    const { stdout, stderr } = this.call(command);
    return `${stdout}${stderr}`;
  }

  async stop(name: string): Promise<void> {
    this.must(this.stopCommand(name));
  }

  main(): number | undefined {
    return this.child?.pid;
  }

  own(): readonly number[] {
    const services = new Set(this.stamps.all().map(({ pid }) => pid));
    return processesBelow(this.directory).filter((pid) => !services.has(pid) && pid !== process.pid);
  }

  close(): void {
    // The manager first: nobody is left then who would start a service again.
    const main = this.main();
    if (main !== undefined && processesBelow(this.directory).includes(main)) kill(main);
    const deadline = now() + 10_000;
    for (;;) {
      const left = processesBelow(this.directory);
      if (left.length === 0 || now() > deadline) break;
      for (const pid of left) kill(pid);
    }
    fs.rmSync(this.directory, { recursive: true, force: true });
    open.delete(this);
  }

  protected call(argv: readonly string[]) {
    const [program = '', ...args] = argv;
    const options = {
      encoding: 'utf8',
      cwd: this.directory,
      env: this.environment,
      maxBuffer: MOST,
    } as const;
    return spawnSync(program, args, options);
  }

  protected must(argv: readonly string[]): void {
    const { status, stdout, stderr } = this.call(argv);
    if (status !== 0) throw new Error(`${argv.slice(0, 4).join(' ')}: ${status} ${stdout}${stderr}`);
  }

  /** Makes the services; called by the constructors of the subclasses. */
  protected fill(count: number): void {
    for (const name of namesOf(count)) {
      this.names.push(name);
      this.write(name, { argv: stamping(this.program, this.stamps, name), note: 1, typo: false });
    }
  }

  /** The directory of one service, made on demand. */
  protected place(...parts: readonly string[]): string {
    const path = join(this.directory, ...parts);
    fs.mkdirSync(path, { recursive: true });
    return path;
  }
}

export function firstLine(program: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim().split('\n').at(-1)?.trim() : undefined;
}

/** For a program that does not tell its version. */
export function packageVersion(name: string, program: string): string | undefined {
  const found = (process.env['PATH'] ?? '').split(':').some((each) => fs.existsSync(join(each, program)));
  if (!found) return undefined;
  return firstLine('dpkg-query', ['-W', '-f', '${Version}', name]) ?? 'version unknown';
}

/** Written whole, as an editor does. */
export function writeFile(path: string, text: string, mode = 0o644): void {
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(`${path}.new`, text, { mode });
  fs.renameSync(`${path}.new`, path);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
