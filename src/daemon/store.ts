/** What must outlive the daemon, and where is it kept? `intent.json`, `memory.json` and `applied.json`, each a whole. */
import { type DueRun, type Intent, type Memory, NO_MEMORY } from '../model/memory.ts';
import type { RunKey, ServiceName, SpecHash } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { isSame } from '../model/same.ts';
import type { ServiceSpec } from '../model/spec.ts';
import { isShortage } from '../world/errno.ts';
import { type Failure, type Files, isFailure, type Replacement } from '../world/world.ts';
import { PromisedStarts } from './promised-starts.ts';
import { afterReboot, caughtUp, completed, completedSpec } from './recall.ts';
import { newerState, readState, STATE_FORMAT } from './state-format.ts';
import { corrupt, unreadable, unwritable } from './state-problems.ts';
import { areSpecs, isIntent, isMemory, isOfServices } from './state-shape.ts';
import { endings, lasting } from './worth-writing.ts';

/** A state file larger than this is not ours. Bytes. */
const STATE_LIMIT = 256 * 1024 * 1024;

export type AppliedSpecs = ReadonlyMap<SpecHash, ServiceSpec>;

/** Taken for a reboot, it would run one-shots again that have completed. */
const NO_BOOT: Problem = {
  code: 'state-unreadable',
  severity: 'error',
  message: 'which boot of the host this is cannot be read (/proc/sys/kernel/random/boot_id)',
  hint: 'the host is short of descriptors or memory: start the daemon again when it has some',
};

const NOTHING_APPLIED: AppliedSpecs = new Map();

/** Intent is written before a command is answered; memory and applied definitions when there is time. */
export class Store {
  readonly problems: Problem[] = [];
  /** Where the files were put that they tell of. */
  readonly #aside = new Map<Problem, string>();
  readonly #files: Files;
  readonly #directory: string;
  readonly #bootId: string | undefined;
  readonly #intents = new Map<ServiceName, Intent>();
  readonly #memories = new Map<ServiceName, Memory>();
  readonly #applied = new Map<ServiceName, Map<SpecHash, ServiceSpec>>();
  /** What the directory wants to be started: written together with the first of them. */
  #prepared: ReadonlyMap<ServiceName, { readonly hash: SpecHash; readonly spec: ServiceSpec }> = new Map();
  /** What the file says. */
  #written: ReadonlyMap<ServiceName, AppliedSpecs> = new Map();
  /** `stale`: the file says more than is needed, which harms nobody for a while. */
  #appliedFile: 'fresh' | 'stale' | 'behind' = 'fresh';
  #promised = new PromisedStarts([]);
  /** A write of them failed, perhaps only when it was to be made durable: then the file says what was refused. */
  #intentsDoubted = false;
  #memoryDirty = false;
  #urgent = false;
  #forgot = false;
  /** A file that a newer release wrote. */
  #newer: Problem | undefined;

  /**
   * @param bootId changes with each boot of the host: what was noticed before a reboot says nothing about now; undefined:
   *   it could not be read
   */
  constructor(files: Files, directory: string, bootId: string | undefined) {
    this.#files = files;
    this.#directory = directory;
    this.#bootId = bootId;
  }

  /**
   * Reads what an earlier daemon left. A file whose content is damaged is set aside and named in `problems`.
   * @returns a Problem: what people asked for, or what has completed, is there but cannot be read, or a newer release
   * wrote it, or nobody knows whether it was before a reboot. Nothing may be decided then, and nothing written: the next
   * write would take its place.
   */
  load(): Problem | undefined {
    if (this.#bootId === undefined) return NO_BOOT;
    const intents = this.#read('intent.json', isIntent, 'services stopped or held by hand are not any more');
    const memory = this.#read('memory.json', isMemory, 'a one-shot that has completed may run again');
    const applied = this.#read(
      'applied.json',
      areSpecs,
      'runs of older definitions are stopped by default settings',
      // It tells of what runs, and nothing of that is left; so it is not worth a wait for the disk at each start.
      !isFailure(memory) && memory !== undefined && memory['boot_id'] !== this.#bootId,
    );
    if (this.#newer !== undefined) return this.#newer;
    if (isFailure(intents)) return unreadable(this.#path('intent.json'), intents);
    if (isFailure(memory)) return unreadable(this.#path('memory.json'), memory);
    // Of a host that is short for a moment, definitions would be lost for as long as this daemon lives.
    if (isFailure(applied) && isShortage(applied.failed)) {
      return unreadable(this.#path('applied.json'), applied);
    }
    this.#files.keepRoom?.(this.#path('intent.json'));
    for (const [name, intent] of entries(intents?.['services'])) {
      this.#intents.set(name as ServiceName, intent as Intent);
    }
    const sameBoot = memory?.['boot_id'] === this.#bootId;
    for (const [name, value] of entries(memory?.['services'])) {
      const remembered = completed(value as Memory | null);
      const one = sameBoot ? remembered : afterReboot(remembered);
      this.#memories.set(name as ServiceName, one);
      const intent = caughtUp(this.intent(name as ServiceName), one);
      if (Object.keys(intent).length > 0) this.#intents.set(name as ServiceName, intent);
    }
    this.#promised = new PromisedStarts(this.#memories);
    if (isFailure(applied)) {
      this.problems.push({ ...unreadable(this.#path('applied.json'), applied), severity: 'warning' });
    } else {
      for (const [name, specs] of entries(applied?.['services'])) {
        const known = entries(specs) as [SpecHash, ServiceSpec][];
        this.#applied.set(
          name as ServiceName,
          new Map(known.map(([hash, spec]) => [hash, completedSpec(spec)])),
        );
      }
      this.#written = copied(this.#applied);
    }
    return undefined;
  }

  /** One of `problems`: until the file that was set aside is removed, for somebody has looked at it then. */
  lasts(problem: Problem): boolean {
    const aside = this.#aside.get(problem);
    return aside === undefined || !isFailure(this.#files.status(aside));
  }

  /** Services that something is kept about; none that is gone but for the memory that it was stopped. */
  names(): readonly ServiceName[] {
    const intended = [...this.#intents].flatMap(([name, { goneAt }]) => (goneAt === undefined ? [name] : []));
    return [...new Set([...intended, ...this.#memories.keys(), ...this.#applied.keys()])];
  }

  intent(name: ServiceName): Intent {
    return this.#intents.get(name) ?? {};
  }

  get intents(): ReadonlyMap<ServiceName, Intent> {
    return this.#intents;
  }

  /** On disk when it answers undefined; otherwise nothing has changed. */
  setIntents(changes: ReadonlyMap<ServiceName, Intent>): Problem | undefined {
    const next = new Map(this.#intents);
    for (const [name, intent] of changes) {
      if (Object.values(intent).every((value) => value === undefined)) next.delete(name);
      else next.set(name, intent);
    }
    const problem = this.#writeIntents(next);
    if (problem !== undefined) return problem;
    this.#intents.clear();
    for (const [name, intent] of next) this.#intents.set(name, intent);
    return undefined;
  }

  memory(name: ServiceName): Memory {
    return this.#memories.get(name) ?? NO_MEMORY;
  }

  /** @param how `volatile`: what changed is told by the next probe as well, and need not be written for it */
  setMemory(name: ServiceName, memory: Memory, how: 'kept' | 'volatile' = 'kept'): void {
    if (how === 'volatile') {
      this.#memories.set(name, memory);
      return;
    }
    const before = this.#memories.get(name) ?? NO_MEMORY;
    // Nothing to remember is not remembered: a late look at a forgotten service must not bring it back.
    if (isSame(before, memory)) return;
    if (endings(memory) !== endings(before)) this.#urgent = true;
    this.#memories.set(name, memory);
    this.#memoryDirty ||= !isSame(lasting(before), lasting(memory));
  }

  /** Scheduled services of which a run is due and was not started. */
  due(): readonly (readonly [ServiceName, Memory & { readonly due: DueRun }])[] {
    return [...this.#memories].flatMap(([name, memory]) =>
      memory.due === null ? [] : [[name, { ...memory, due: memory.due }] as const],
    );
  }

  /** Every port that a run was given. */
  ports(): ReadonlySet<number> {
    const ports = new Set<number>();
    for (const { runs } of this.#memories.values()) {
      for (const { port } of Object.values(runs)) if (port !== null) ports.add(port);
    }
    return ports;
  }

  applied(name: ServiceName): AppliedSpecs {
    return this.#applied.get(name) ?? NOTHING_APPLIED;
  }

  setApplied(name: ServiceName, hash: SpecHash, spec: ServiceSpec): void {
    let specs = this.#applied.get(name);
    if (specs === undefined) {
      specs = new Map();
      this.#applied.set(name, specs);
    }
    specs.set(hash, spec);
    // What an earlier daemon wrote is read back as another object that says the same.
    if (!isSame(this.#written.get(name)?.get(hash), spec)) this.#appliedFile = 'behind';
  }

  /** Notes what is going to be started, so that one write does for all of it. */
  prepare(services: ReadonlyMap<ServiceName, { readonly hash: SpecHash; readonly spec: ServiceSpec }>): void {
    this.#prepared = services;
    // What was written down ahead, was never started, and is not wanted any more: nobody else would forget it.
    const isLeft = (name: ServiceName): boolean => !this.#applied.has(name) && !services.has(name);
    if (this.#appliedFile === 'fresh' && [...this.#written.keys()].some(isLeft)) this.#appliedFile = 'stale';
  }

  /** Drops definitions that no run needs any more. */
  keepApplied(name: ServiceName, hashes: ReadonlySet<SpecHash>): void {
    const specs = this.#applied.get(name);
    for (const hash of specs?.keys() ?? []) {
      if (hashes.has(hash)) continue;
      specs?.delete(hash);
      if (this.#appliedFile === 'fresh') this.#appliedFile = 'stale';
    }
  }

  /** All but that somebody stopped it: its file may be back in a moment. */
  forget(name: ServiceName, now: number): Problem | undefined {
    if (this.#memories.delete(name)) {
      this.#memoryDirty = true;
      this.#forgot = true;
    }
    // Also what was written down ahead, and never started.
    const isWritten = this.#applied.delete(name) || this.#written.has(name);
    if (isWritten && this.#appliedFile === 'fresh') this.#appliedFile = 'stale';
    const { stopped, goneAt = now } = this.intent(name);
    const left = stopped === undefined ? {} : { stopped, goneAt };
    return this.#intents.has(name) ? this.setIntents(new Map([[name, left]])) : undefined;
  }

  /** Something was noted that must not be lost: an instance completed. */
  get urgent(): boolean {
    return this.#urgent;
  }

  /** The file still tells of a service that was forgotten: should its name come back, the next daemon took it for the same. */
  get forgot(): boolean {
    return this.#forgot;
  }

  /** The file promises the start of this run: its traces are all that says that it was made. */
  owes(run: RunKey): boolean {
    return this.#promised.has(run);
  }

  get dirty(): boolean {
    return this.#memoryDirty || this.#intentsDoubted || this.#appliedFile !== 'fresh';
  }

  /** Writes the definitions that runs are started with: before they are started, so that none is ever unknown. */
  flushApplied(): Problem | undefined {
    return this.#appliedFile === 'behind' ? this.#writeApplied() : undefined;
  }

  flush(): Problem | undefined {
    // A refused command must not be in force for the next daemon.
    const doubted = this.#intentsDoubted ? this.#writeIntents(this.#intents) : undefined;
    const first = this.#appliedFile === 'fresh' ? doubted : (this.#writeApplied() ?? doubted);
    this.#urgent = false;
    this.#forgot = false;
    if (!this.#memoryDirty) return first;
    const services = Object.fromEntries(this.#memories);
    const problem = this.#write('memory.json', { boot_id: this.#bootId, services }, { durable: 'content' });
    this.#memoryDirty = problem !== undefined;
    if (problem === undefined) this.#promised = new PromisedStarts(this.#memories);
    return first ?? problem;
  }

  #writeIntents(intents: ReadonlyMap<ServiceName, Intent>): Problem | undefined {
    const services = Object.fromEntries(intents);
    // Whoever wants to stop what fills the disk is not refused for that.
    const problem = this.#write('intent.json', { services }, { durable: true, spare: true });
    this.#intentsDoubted = problem !== undefined;
    return problem;
  }

  #writeApplied(): Problem | undefined {
    const next = copied(this.#applied);
    for (const [name, { hash, spec }] of this.#prepared) {
      const specs = next.get(name) ?? new Map<SpecHash, ServiceSpec>();
      if (!specs.has(hash)) specs.set(hash, spec);
      next.set(name, specs);
    }
    const services = Object.fromEntries([...next].map(([name, specs]) => [name, Object.fromEntries(specs)]));
    const problem = this.#write('applied.json', { services }, { durable: false });
    if (problem !== undefined) return problem;
    this.#written = next;
    this.#appliedFile = 'fresh';
    return undefined;
  }

  /**
   * undefined: there is none, or it was set aside. A Failure: it is there, and says who knows what.
   * @param isFit for what is kept of one service
   * @param loss what it means when its content is damaged
   * @param isPast what it says counts no more, and a power cut may have damaged it: then it is as if it were not there
   */
  #read(
    file: string,
    isFit: (entry: unknown) => boolean,
    loss: string,
    isPast = false,
  ): Record<string, unknown> | Failure | undefined {
    const path = this.#path(file);
    const text = this.#files.read(path, STATE_LIMIT);
    if (isFailure(text)) return text.failed === 'ENOENT' ? undefined : text;
    const state = readState(text);
    if (state.is === 'ours' && isOfServices(state.value['services'], isFit)) return state.value;
    if (state.is === 'newer') {
      this.#newer ??= newerState(path, state.format);
      return undefined;
    }
    if (isPast) return undefined;
    const aside = `${path}.broken`;
    const failure = this.#files.replace(aside, text, { mode: 0o600, durable: false });
    const problem = corrupt(path, failure ?? aside, loss);
    this.problems.push(problem);
    if (failure === undefined) this.#aside.set(problem, aside);
    return undefined;
  }

  #path(file: string): string {
    return `${this.#directory}/${file}`;
  }

  #write(
    file: string,
    content: Record<string, unknown>,
    how: Omit<Replacement, 'mode'>,
  ): Problem | undefined {
    const path = this.#path(file);
    const text = `${JSON.stringify({ version: STATE_FORMAT, ...content })}\n`;
    const failure = this.#files.replace(path, text, { mode: 0o600, ...how });
    return failure === undefined ? undefined : unwritable(path, failure);
  }
}

function copied(specs: ReadonlyMap<ServiceName, AppliedSpecs>): Map<ServiceName, Map<SpecHash, ServiceSpec>> {
  return new Map([...specs].map(([name, of]) => [name, new Map(of)]));
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
