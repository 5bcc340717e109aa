/** What happens to the services while daemons are killed, and what must be true of them afterwards? */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { childCgroups } from '../src/world/cgroup-files.ts';
import type { Ground } from './ground.ts';
import type { Stamp } from './program.ts';

export interface Deed {
  readonly service: string;
  readonly kind: 'edit' | 'add' | 'remove' | 'stop' | 'start' | 'restart' | 'crash';
}

/** What is wanted of one service, as far as its operator can know. */
interface Wanted {
  /** The version in its file; undefined: it has none. */
  version: number | undefined;
  /** `unknown`: a command was cut off, it may have been noted or not. */
  stopped: boolean | 'unknown';
  /** Starts that the deeds of this round explain. */
  starts: number;
}

export interface ScriptOptions {
  readonly ground: Ground;
  readonly random: () => number;
  readonly steady: number;
  readonly busy: number;
}

const RESTARTS = `restart_policy:
  restart_backoff: 0s
  tolerance:
    max_restarts: 1000000
`;
const STOP_FIRST = `${RESTARTS}rollout: { surge: 0 }
`;

export class Script {
  readonly #ground: Ground;
  readonly #random: () => number;
  readonly #wanted = new Map<string, Wanted>();
  readonly #busy: readonly string[];
  /** Stamps that were there when the round began. */
  #before = 0;

  constructor({ ground, random, steady, busy }: ScriptOptions) {
    this.#ground = ground;
    this.#random = random;
    const named = (kind: string, count: number) => Array.from({ length: count }, (_, at) => `${kind}-${at}`);
    this.#busy = named('busy', busy);
    for (const name of [...named('steady', steady), ...this.#busy]) {
      ground.service(name, textOf(name));
      this.#wanted.set(name, { version: 1, stopped: false, starts: 1 });
    }
  }

  /** Draws the deeds of a round: one each for one to four services. */
  begin(): readonly Deed[] {
    this.#before = this.#ground.stamps.all().length;
    for (const wanted of this.#wanted.values()) wanted.starts = 0;
    const shuffled = [...this.#busy].sort(() => this.#random() - 0.5);
    return shuffled.slice(0, 1 + Math.floor(this.#random() * 4)).map((service) => this.#deed(service));
  }

  async carryOut({ service, kind }: Deed): Promise<void> {
    const ground = this.#ground;
    const wanted = this.#of(service);
    if (kind !== 'stop' && kind !== 'remove') wanted.starts = 1;
    switch (kind) {
      case 'add':
      case 'edit':
        wanted.version = (wanted.version ?? 0) + 1;
        ground.service(service, textOf(service), String(wanted.version));
        return;
      case 'remove':
        fs.rmSync(join(ground.config, `${service}.yaml`));
        wanted.version = undefined;
        // What an operator asked for is forgotten with the service.
        wanted.stopped = false;
        return;
      case 'crash':
        for (const { pid } of this.#alive(service)) process.kill(pid, 'SIGKILL');
        return;
      case 'stop':
      case 'start':
      case 'restart':
        wanted.stopped = await this.#command(service, kind, wanted.stopped);
    }
  }

  /** Waits until everything is as wanted; answers what is not at the bound, and what must never have happened. */
  async settle(bound: number): Promise<readonly string[]> {
    let open: readonly string[] = [];
    try {
      await this.#ground.until(
        'everything to be as wanted',
        async () => {
          open = await this.#open();
          return open.length === 0;
        },
        20,
        bound,
      );
    } catch {
      return open;
    }
    return this.#broken();
  }

  #deed(service: string): Deed {
    const { version, stopped } = this.#of(service);
    const kinds: readonly Deed['kind'][] =
      version === undefined
        ? ['add']
        : stopped === true
          ? ['start', 'start', 'restart', 'edit', 'remove']
          : ['edit', 'edit', 'remove', 'stop', 'restart', 'crash'];
    return { service, kind: kinds[Math.floor(this.#random() * kinds.length)] ?? 'edit' };
  }

  /** Whether it is stopped afterwards. */
  async #command(service: string, verb: string, before: Wanted['stopped']): Promise<Wanted['stopped']> {
    const body = { verb, services: [service], wait: 0 };
    const answer = await this.#ground.ask('POST', '/api/command', body).catch(() => undefined);
    const after = verb === 'stop';
    if (answer === undefined) return before === after ? after : 'unknown';
    const [result] = answer['results'] as readonly { readonly result: string }[];
    return result?.result === 'done' || result?.result === 'pending' ? after : before;
  }

  /** What is not as wanted yet. */
  async #open(): Promise<readonly string[]> {
    const { services } = (await this.#ground.ask('GET', '/api/status')) as unknown as {
      services: readonly { name: string; state: string; drift: string; pid: number | null }[];
    };
    const views = new Map(services.map((view) => [view.name, view]));
    const open: string[] = [];
    for (const [name, wanted] of this.#wanted) {
      const view = views.get(name);
      // A command that was cut off: the daemon says what it knows, and that must then be true.
      if (wanted.stopped === 'unknown' && view?.drift === 'stopped') wanted.stopped = true;
      if (wanted.stopped === 'unknown' && view?.drift === 'none') wanted.stopped = false;
      const alive = this.#alive(name);
      const up = wanted.version !== undefined && wanted.stopped === false;
      const told = `${view?.state ?? 'unknown to the daemon'}, drift ${view?.drift}, pid ${view?.pid}`;
      const seen = `${name}: alive ${alive.map(({ pid, version }) => `${pid} ${version}`)}; told ${told}`;
      if (wanted.stopped === 'unknown') open.push(`${seen}; neither stopped nor running`);
      else if (up ? !runs(alive, view, `v${wanted.version}`) : alive.length > 0)
        open.push(`${seen}; wanted ${up ? `v${wanted.version}` : 'down'}`);
      else if (wanted.version === undefined && view !== undefined) open.push(`${seen}; wanted forgotten`);
      else if (wanted.stopped && view?.state !== 'stopped') open.push(`${seen}; wanted stopped`);
      const places = this.#placesOf(name);
      if (places !== undefined && places !== alive.length) open.push(`${seen}; ${places} cgroups of runs`);
    }
    return open;
  }

  /** What this round has done that nothing explains. */
  #broken(): readonly string[] {
    const fresh = this.#ground.stamps.all().slice(this.#before);
    const doubled = fresh
      .filter(({ alone, service }) => !alone && !rolls(service))
      .map(({ service }) => `${service} ran twice at once`);
    const needless = [...this.#wanted].flatMap(([name, { starts }]) => {
      const count = fresh.filter(({ service }) => service === name).length;
      return count > starts ? [`${name} was started ${count} times, explained are ${starts}`] : [];
    });
    return [...doubled, ...needless];
  }

  #alive(name: string): readonly Stamp[] {
    return this.#ground.stamps
      .all()
      .filter(({ service, pid }) => service === name && this.#ground.isAlive(pid));
  }

  /** How many runs of the service have a cgroup. */
  #placesOf(name: string): number | undefined {
    const { base } = this.#ground;
    return base === undefined ? undefined : childCgroups(join(base, 'services', name)).length;
  }

  #of(service: string): Wanted {
    const wanted = this.#wanted.get(service);
    if (wanted === undefined) throw new Error(`${service} is no service of this script`);
    return wanted;
  }
}

/** Every second of the busy services is replaced new first: for a while it has two processes, as it should. */
function rolls(service: string): boolean {
  return /^busy-\d*[13579]$/.test(service);
}

function textOf(service: string): string {
  return rolls(service) ? RESTARTS : STOP_FIRST;
}

function runs(
  alive: readonly Stamp[],
  view: { readonly state: string; readonly drift: string; readonly pid: number | null } | undefined,
  version: string,
): boolean {
  const [only] = alive;
  if (alive.length !== 1 || only?.version !== version) return false;
  return view?.state === 'running' && view.drift === 'none' && view.pid === only.pid;
}

/** Numbers from 0 to 1 that depend on the seed alone. */
export function draw(seed: number): () => number {
  let drawn = 0;
  return () => {
    const digest = createHash('sha256').update(`${seed}:${drawn++}`).digest();
    return digest.readUInt32BE() / 2 ** 32;
  };
}
