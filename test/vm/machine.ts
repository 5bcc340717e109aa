/**
 * A machine of the test: boots a real kernel in qemu, does in it what the test says, and can lose its power at any
 * moment. What was written to its disks stays with them; what the kernel had in memory is lost.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { Answer } from '../e2e/ask.ts';
import type { Order, Ran, Request, Response } from './channel.ts';
import type { LogLines } from './guest/log-lines.ts';
import { system } from './system.ts';
import { neededProgram } from './tools.ts';

export interface MachineOptions {
  /** Megabytes. */
  readonly memory?: number;
  readonly cores?: number;
  /** Files that are its disks, in order: /dev/vda, /dev/vdb, …; or those that are made in its directory. */
  readonly disks?: readonly string[] | ((directory: string) => readonly string[]);
  /** What its first process becomes; null: the test says it later, also after each further boot. */
  readonly becomes?: readonly string[] | null;
  /** True: it boots again when it is told to. False: it is off then. */
  readonly reboots?: boolean;
}

/** Between two looks: each of them costs an emulated machine some milliseconds. */
const PAUSE = 50;

/** Longest time that one thing is waited for. Milliseconds. */
const BOUND = 120_000;

/** Emulated, so that it is the same everywhere; where /dev/kvm works, `kvm` is faster by far. */
const ACCELERATION = process.env['PROCESSMASTER_VM_ACCEL'] ?? 'tcg';

/** QEMU 7 tells a kernel under KVM of one capability that it cannot set. */
const CPU = 'max,-arch-capabilities';

export class Machine {
  readonly directory: string;
  readonly #qemu: ChildProcess;
  readonly #waiting = new Map<
    number,
    { resolve: (answer: unknown) => void; reject: (error: Error) => void }
  >();
  readonly #ended = new Map<number, unknown>();
  readonly #off: Promise<unknown>;
  #rest = '';
  #questions = 0;
  /** How often its agent has come up. */
  boots = 0;

  /** Boots one and waits until it can be talked to. */
  static async boot(options: MachineOptions = {}): Promise<Machine> {
    const machine = new Machine(options);
    await machine.until('the machine to come up', () => (machine.boots === 1 ? true : undefined));
    const { becomes = ['/usr/bin/busybox', 'init'] } = options;
    if (becomes !== null) await machine.become(becomes);
    return machine;
  }

  private constructor(options: MachineOptions) {
    this.directory = fs.mkdtempSync(join(os.tmpdir(), 'pmvm-'));
    const { kernel, initramfs } = system();
    const { memory = 768, cores = 2, disks = [], reboots = false } = options;
    const files = typeof disks === 'function' ? disks(this.directory) : disks;
    const drives = files.flatMap((file, index) => [
      ...['-drive', `file=${file},format=raw,if=none,cache=unsafe,discard=unmap,id=disk${index}`],
      ...['-device', `virtio-blk-pci,drive=disk${index}`],
    ]);
    const argv = [
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'q35'],
      ...['-accel', ACCELERATION, '-cpu', CPU, '-smp', String(cores), '-m', String(memory)],
      ...['-kernel', kernel, '-initrd', initramfs],
      ...['-append', 'console=ttyS0 panic=-1 quiet random.trust_cpu=on mitigations=off'],
      ...['-serial', `file:${this.#console}`],
      ...['-device', 'virtio-serial-pci', '-chardev', 'stdio,id=channel,signal=off'],
      ...['-device', 'virtserialport,chardev=channel,name=channel'],
      ...drives,
      ...(reboots ? [] : ['-no-reboot']),
    ];
    // Nobody else would end it, should the test be killed.
    const argvOfAll = ['--pdeathsig', 'KILL', neededProgram('qemu-system-x86_64'), ...argv];
    this.#qemu = spawn(neededProgram('setpriv'), argvOfAll, { stdio: 'pipe' });
    this.#off = once(this.#qemu, 'close');
    this.#qemu.stdin?.on('error', () => undefined);
    this.#qemu.stdout?.setEncoding('utf8').on('data', (part: string) => this.#hear(part));
    this.#qemu.stderr?.on('data', (part: Buffer) => fs.appendFileSync(this.#console, part));
  }

  /** What its kernel and its first process have said. */
  get console(): string {
    return fs.existsSync(this.#console) ? fs.readFileSync(this.#console, 'utf8') : '';
  }

  get #console(): string {
    return join(this.directory, 'console');
  }

  get isOn(): boolean {
    return this.#qemu.exitCode === null && this.#qemu.signalCode === null;
  }

  /** Its first process executes this from now on. */
  become(argv: readonly string[]): Promise<unknown> {
    return this.#tell({ op: 'become', argv });
  }

  /** Runs a program to its end. */
  run(...argv: readonly string[]): Promise<Ran> {
    return this.#tell({ op: 'run', argv }) as Promise<Ran>;
  }

  /** Runs a script of the shell, which has to end well, and answers what it wrote. */
  async sh(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.run('sh', '-euc', script);
    if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Starts a program that goes on, and answers its pid. */
  start(argv: readonly string[], output: string, cgroup?: string): Promise<number> {
    return this.#tell({
      op: 'start',
      argv,
      output,
      ...(cgroup === undefined ? {} : { cgroup }),
    }) as Promise<number>;
  }

  /** How a program has ended that was started; undefined while it runs. */
  endOf(pid: number): { readonly code: number | null; readonly signal: string | null } | undefined {
    return this.#ended.get(pid) as { code: number | null; signal: string | null } | undefined;
  }

  async read(path: string): Promise<string> {
    return (await this.#tell({ op: 'read', path })) as string;
  }

  async readOr(path: string, otherwise = ''): Promise<string> {
    return this.read(path).catch(() => otherwise);
  }

  /** As an editor does that writes in place; `replaced`: on disk as a whole when it is answered. */
  async write(
    path: string,
    text: string,
    how: 'in place' | 'replaced' = 'in place',
    mode = 0o644,
  ): Promise<void> {
    await this.#tell({ op: 'write', path, text, how, mode });
  }

  async ask(socket: string, method: string, path: string, body?: unknown): Promise<Answer> {
    const order: Order = { op: 'ask', socket, method, path, ...(body === undefined ? {} : { body }) };
    return (await this.#tell(order)) as Answer;
  }

  /** Of a log that nobody writes to just now. */
  lines(directory: string, base: string): Promise<LogLines> {
    const look = async () =>
      ((await this.#tell({ op: 'lines', directory, base })) as LogLines | null) ?? undefined;
    return this.until('the rotations to rest', look);
  }

  torn(directory: string): Promise<readonly string[]> {
    return this.#tell({ op: 'torn', directory }) as Promise<readonly string[]>;
  }

  /** Asks until the answer is not undefined; says at the bound what was seen last, and what the machine said. */
  async until<Answer>(
    what: string,
    look: () => Promise<Answer | undefined> | Answer | undefined,
    seen: () => unknown = () => '',
    bound = BOUND,
  ): Promise<Answer> {
    const deadline = Date.now() + bound;
    for (;;) {
      const answer = await look();
      if (answer !== undefined) return answer;
      const why = this.isOn ? `waited ${bound} ms` : 'the machine went off while the test waited';
      if (!this.isOn || Date.now() > deadline) {
        throw new Error(`${why} for ${what}; seen: ${JSON.stringify(seen())}\n${this.console}`);
      }
      await after(PAUSE);
    }
  }

  /** Cuts the power. */
  async cut(): Promise<void> {
    this.#qemu.kill('SIGKILL');
    await this.off();
  }

  /** Waits until it is off. */
  async off(): Promise<void> {
    const late = after(BOUND, 'late', { ref: false });
    if ((await Promise.race([this.#off, late])) === 'late') throw new Error(`still on:\n${this.console}`);
    for (const { reject } of this.#waiting.values()) reject(new Error('the machine is off'));
    this.#waiting.clear();
  }

  /** Ends it whatever it does, and removes what it has said. */
  async close(): Promise<void> {
    if (this.isOn) await this.cut();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }

  #tell(order: Order): Promise<unknown> {
    this.#questions += 1;
    const request: Request = { id: this.#questions, ...order };
    return new Promise((resolve, reject) => {
      if (!this.isOn) throw new Error(`the machine is off\n${this.console}`);
      this.#waiting.set(request.id, { resolve, reject });
      this.#qemu.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }

  #hear(part: string): void {
    const lines = (this.#rest + part).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(JSON.parse(line) as Response);
  }

  #take(response: Response): void {
    const { id } = response;
    const answer = 'answer' in response ? response.answer : undefined;
    if (id === 0) this.boots += 1;
    else if (id < 0) this.#ended.set(-id, answer);
    const asked = this.#waiting.get(id);
    this.#waiting.delete(id);
    if ('error' in response) asked?.reject(new Error(response.error));
    else asked?.resolve(answer);
  }
}

/** An empty disk; it takes as much room as is written to it. */
export function freshFile(path: string, megabytes: number): string {
  fs.writeFileSync(path, '');
  fs.truncateSync(path, megabytes * 1024 * 1024);
  return path;
}

/** The same with a file system. */
export function freshDisk(path: string, megabytes: number): string {
  freshFile(path, megabytes);
  execFileSync(neededProgram('mkfs.ext4'), ['-q', '-F', path], { stdio: ['ignore', 'ignore', 'pipe'] });
  return path;
}
