/**
 * What must outlive the daemon, and where is it kept? `intent.json`, `memory.json`, and for each service
 * `applied/<service>.json`; each is replaced as a whole.
 */
import { type Intent, type Memory, NO_MEMORY } from '../model/memory.ts';
import { isServiceName, type ServiceName, type SpecHash } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { ServiceSpec } from '../model/spec.ts';
import { type Failure, type Files, isFailure } from '../world/world.ts';

const VERSION = 1;

/** A state file larger than this is not ours. Bytes. */
const STATE_LIMIT = 256 * 1024 * 1024;

export type AppliedSpecs = ReadonlyMap<SpecHash, ServiceSpec>;

const NOTHING_APPLIED: AppliedSpecs = new Map();

/** Intent is written before a command is answered; memory and applied definitions when there is time. */
export class Store {
  readonly problems: Problem[] = [];
  readonly #files: Files;
  readonly #directory: string;
  readonly #bootId: string;
  readonly #intents = new Map<ServiceName, Intent>();
  readonly #memories = new Map<ServiceName, Memory>();
  readonly #applied = new Map<ServiceName, Map<SpecHash, ServiceSpec>>();
  readonly #appliedDirty = new Set<ServiceName>();
  #memoryDirty = false;
  #urgent = false;

  /** @param bootId changes with each boot of the host: what was noticed before a reboot says nothing about now */
  constructor(files: Files, directory: string, bootId: string) {
    this.#files = files;
    this.#directory = directory;
    this.#bootId = bootId;
  }

  /** Reads what an earlier daemon left. A file that cannot be read back is set aside and named in `problems`. */
  load(): void {
    const intents = this.#read('intent.json');
    for (const [name, intent] of entries(intents?.['services'])) {
      this.#intents.set(name as ServiceName, intent as Intent);
    }
    const memory = this.#read('memory.json');
    const sameBoot = memory?.['boot_id'] === this.#bootId;
    for (const [name, value] of entries(memory?.['services'])) {
      const remembered = { ...NO_MEMORY, ...(value as Memory) };
      this.#memories.set(name as ServiceName, sameBoot ? remembered : afterReboot(remembered));
    }
    const kept = this.#files.list(`${this.#directory}/applied`);
    for (const file of isFailure(kept) ? [] : kept) {
      const name = file.replace(/\.json$/, '');
      if (name === file || !isServiceName(name)) continue;
      const applied = this.#read(`applied/${file}`);
      this.#applied.set(name, new Map(entries(applied?.['specs']) as [SpecHash, ServiceSpec][]));
    }
  }

  /** Services that something is kept about. */
  names(): readonly ServiceName[] {
    return [...new Set([...this.#intents.keys(), ...this.#memories.keys(), ...this.#applied.keys()])];
  }

  intent(name: ServiceName): Intent {
    return this.#intents.get(name) ?? {};
  }

  /** On disk when it answers undefined; otherwise nothing has changed. */
  setIntents(changes: ReadonlyMap<ServiceName, Intent>): Problem | undefined {
    const next = new Map(this.#intents);
    for (const [name, intent] of changes) {
      if (Object.values(intent).every((value) => value === undefined)) next.delete(name);
      else next.set(name, intent);
    }
    const problem = this.#write('intent.json', { services: Object.fromEntries(next) }, true);
    if (problem !== undefined) return problem;
    this.#intents.clear();
    for (const [name, intent] of next) this.#intents.set(name, intent);
    return undefined;
  }

  memory(name: ServiceName): Memory {
    return this.#memories.get(name) ?? NO_MEMORY;
  }

  setMemory(name: ServiceName, memory: Memory): void {
    const before = this.#memories.get(name) ?? NO_MEMORY;
    // Nothing to remember is not remembered: a late look at a forgotten service must not bring it back.
    if (isSame(before, memory)) return;
    if (completions(memory) !== completions(before)) this.#urgent = true;
    this.#memories.set(name, memory);
    this.#memoryDirty = true;
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
    const before = specs.get(hash);
    specs.set(hash, spec);
    // What an earlier daemon wrote is read back as another object that says the same.
    if (before === spec || (before !== undefined && JSON.stringify(before) === JSON.stringify(spec))) return;
    this.#appliedDirty.add(name);
  }

  /** Drops definitions that no run needs any more. */
  keepApplied(name: ServiceName, hashes: ReadonlySet<SpecHash>): void {
    const specs = this.#applied.get(name);
    for (const hash of specs?.keys() ?? []) {
      if (hashes.has(hash)) continue;
      specs?.delete(hash);
      this.#appliedDirty.add(name);
    }
  }

  forget(name: ServiceName): Problem | undefined {
    this.#memoryDirty = this.#memories.delete(name) || this.#memoryDirty;
    if (this.#applied.delete(name)) this.#appliedDirty.add(name);
    return this.#intents.has(name) ? this.setIntents(new Map([[name, {}]])) : undefined;
  }

  /** Something was noted that must not be lost: an instance completed. */
  get urgent(): boolean {
    return this.#urgent;
  }

  get dirty(): boolean {
    return this.#memoryDirty || this.#appliedDirty.size > 0;
  }

  /** Writes the definitions that runs are started with: before they are started, so that none is ever unknown. */
  flushApplied(): Problem | undefined {
    let problem: Problem | undefined;
    for (const name of [...this.#appliedDirty]) {
      const specs = this.#applied.get(name);
      const file = `applied/${name}.json`;
      const failed =
        specs === undefined
          ? this.#remove(file)
          : this.#write(file, { specs: Object.fromEntries(specs) }, false);
      if (failed === undefined) this.#appliedDirty.delete(name);
      problem ??= failed;
    }
    return problem;
  }

  flush(): Problem | undefined {
    const first = this.flushApplied();
    this.#urgent = false;
    if (!this.#memoryDirty) return first;
    const services = Object.fromEntries(this.#memories);
    const problem = this.#write('memory.json', { boot_id: this.#bootId, services }, false);
    this.#memoryDirty = problem !== undefined;
    return first ?? problem;
  }

  #read(file: string): Record<string, unknown> | undefined {
    const path = `${this.#directory}/${file}`;
    const text = this.#files.read(path, STATE_LIMIT);
    if (isFailure(text)) {
      if (text.failed !== 'ENOENT') this.problems.push(corrupt(path, text.failed));
      return undefined;
    }
    const value = parse(text);
    if (value === undefined) {
      this.problems.push(corrupt(path, 'it is not the JSON of this version'));
      this.#files.replace(`${path}.broken`, text, { mode: 0o600, durable: false });
      return undefined;
    }
    return value;
  }

  #write(file: string, content: Record<string, unknown>, durable: boolean): Problem | undefined {
    const path = `${this.#directory}/${file}`;
    const text = `${JSON.stringify({ version: VERSION, ...content })}\n`;
    const failure = this.#files.replace(path, text, { mode: 0o600, durable });
    return failure === undefined ? undefined : unwritable(path, failure);
  }

  #remove(file: string): Problem | undefined {
    const path = `${this.#directory}/${file}`;
    const failure = this.#files.remove(path);
    return failure === undefined || failure.failed === 'ENOENT' ? undefined : unwritable(path, failure);
  }
}

/** The decision makes new objects each time; most of them say the same. */
function isSame(a: Memory, b: Memory): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Differs whenever another instance completed, or the same one again. */
function completions(memory: Memory): string {
  const ends = Object.entries(memory.slots).filter(([, { end }]) => end?.kind === 'completed');
  return ends.map(([slot, { end }]) => `${slot}:${end?.at}`).join();
}

/** After a reboot nothing runs, a failure is tried again and a one-shot has its next turn. */
function afterReboot(memory: Memory): Memory {
  const slots = Object.fromEntries(
    Object.entries(memory.slots).map(([slot, remembered]) => [
      slot,
      { ...remembered, end: null, next: null, attempt: 0, crashes: [], generation: 0 },
    ]),
  );
  return { ...memory, slots, runs: {} };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== VERSION) {
      return undefined;
    }
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function unwritable(path: string, { failed }: Failure): Problem {
  return {
    code: 'state-unwritable',
    severity: 'error',
    message: `${path} cannot be written (${failed})`,
    hint: 'free space, or point state_directory to a place that the daemon may write to',
  };
}

function corrupt(path: string, why: string): Problem {
  return {
    code: 'state-corrupt',
    severity: 'warning',
    message: `${path} cannot be read back: ${why}`,
    hint: 'what runs is not affected; intent kept in it (stopped, held) is lost',
  };
}
