/**
 * What may be the case after a power cut? Of each service and each thing that can be asked for: what was asked for last
 * and answered, or also what was asked for and not answered yet. A look at the machine settles which.
 */
import { expect } from 'vitest';
import type { ServiceView } from '../../src/api/contract.ts';
import type { Chance } from '../twins/random.ts';
import type { Definition, Manager } from './manager.ts';

/** The values that it may have; the last one is what was asked for last. */
type Possible<Value> = Value[];

interface Service {
  stopped: Possible<boolean>;
  held: Possible<boolean>;
  instances: Possible<number>;
  version: Possible<number>;
}

export interface Command {
  readonly title: string;
  carryOut(manager: Manager): Promise<unknown>;
  /** It was answered, so it holds. */
  answered(): void;
}

const NAMES = ['writer', 'web', 'wide', 'idle'] as const;

export class Expected {
  readonly names = NAMES;
  readonly #services = new Map<string, Service>(
    NAMES.map((name) => [name, { stopped: [false], held: [false], instances: [1], version: [1] }]),
  );
  #versions = 1;

  /** A command that makes sense as things are. */
  draw(chance: Chance, definition: (name: string, version: number) => Definition): Command {
    const name = chance.pick(NAMES);
    const service = this.#of(name);
    if (last(service.held)) return this.#order('release', name, service.held, false);
    const kind = chance.weighed({ edit: 4, stop: 4, hold: 1, scale: name === 'wide' ? 4 : 0 });
    if (kind === 'hold') return this.#order('hold', name, service.held, true);
    if (kind === 'scale') {
      const instances = chance.between(1, 3);
      const scale = (manager: Manager) => manager.order('scale', name, { instances });
      return command(`scale ${name} to ${instances}`, service.instances, instances, scale);
    }
    if (kind === 'stop') {
      const stops = !last(service.stopped);
      return this.#order(stops ? 'stop' : 'start', name, service.stopped, stops);
    }
    this.#versions += 1;
    const version = this.#versions;
    return command(`edit ${name} to version ${version}`, service.version, version, async (manager) => {
      await manager.service(name, definition(name, version), 'replaced');
      await manager.ask('POST', '/api/update', { services: [], prune: false, wait: 30_000 });
    });
  }

  /** Looks at every service until it is as it must be, and from then on expects what was seen. */
  async check(manager: Manager): Promise<void> {
    for (const name of NAMES) await this.#checkService(manager, name);
    const { problems } = await manager.status();
    expect(problems).toEqual([]);
    await signalWriter(manager, 'STOP');
    const { troubles } = await manager.machine.lines('/disk/pm/logs', 'stdout.log');
    await signalWriter(manager, 'CONT');
    expect(troubles).toEqual([]);
    const history = await manager.ask('GET', '/api/history');
    expect(history.body.problems).toEqual([]);
    const events = String((await manager.ask('GET', '/api/events')).body)
      .trim()
      .split('\n');
    const numbers = events.map((line) => JSON.parse(line).id);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    // Nothing that the daemon itself has found damaged.
    expect(await manager.output()).not.toContain('state-corrupt');
  }

  async #checkService(manager: Manager, name: string): Promise<void> {
    const view = await manager.sees(name, 'settled', (seen) => isSettled(seen));
    const held = view.drift === 'held';
    this.#settle(name, 'held', held);
    // Whoever holds it keeps it from being started, and nobody sees yet what else is asked for.
    if (!held) this.#settle(name, 'stopped', view.state === 'stopped');
    const rests = held || view.state === 'stopped';
    if (!rests) this.#settle(name, 'instances', view.desired);
    const versions = await versionsOf(manager, name);
    // Every instance once, all with what the file says.
    const file = Number(
      (await manager.machine.read(`/disk/pm/config.d/${name}.yaml`)).match(/VERSION: "(\d+)"/)?.[1],
    );
    this.#settle(name, 'version', file);
    const wanted = rests ? [] : Array.from({ length: view.desired }, () => file);
    expect({ name, versions }).toEqual({ name, versions: wanted });
  }

  /** It has to be one of what is possible, and is the only one from now on. */
  #settle<Key extends keyof Service>(name: string, key: Key, value: Service[Key][number]): void {
    const possible = this.#of(name)[key] as unknown[];
    expect({ name, key, possible }).toEqual({
      name,
      key,
      possible: expect.arrayContaining([value as unknown]),
    });
    possible.splice(0, possible.length, value);
  }

  #order(
    verb: 'stop' | 'start' | 'hold' | 'release',
    name: string,
    values: boolean[],
    value: boolean,
  ): Command {
    return command(`${verb} ${name}`, values, value, (manager) =>
      manager.order(verb, name, verb === 'hold' ? { reason: 'looked at' } : {}),
    );
  }

  #of(name: string): Service {
    const service = this.#services.get(name);
    if (service === undefined) throw new Error(`nobody knows ${name}`);
    return service;
  }
}

function command<Value>(
  title: string,
  values: Possible<Value>,
  value: Value,
  carryOut: (manager: Manager) => Promise<unknown>,
): Command {
  values.push(value);
  return { title, carryOut, answered: () => void values.splice(0, values.length, value) };
}

function last<Value>(values: Possible<Value>): Value {
  const value = values.at(-1);
  if (value === undefined) throw new Error('something is always possible');
  return value;
}

function isSettled({ state, desired, ready }: ServiceView): boolean {
  return state === 'stopped' || state === 'held' || (state === 'running' && ready === desired);
}

async function signalWriter(manager: Manager, signal: 'STOP' | 'CONT'): Promise<void> {
  const base = '/sys/fs/cgroup/processmaster/services/writer';
  await manager.machine.sh(`for run in ${base}/*.*.*; do
    pid=$(head -n 1 $run/cgroup.procs 2> /dev/null || :); [ -z "$pid" ] || kill -${signal} $pid; done`);
}

/** The versions of all processes that belong to the service: its main ones, not what they start. */
async function versionsOf(manager: Manager, name: string): Promise<readonly number[]> {
  const base = `/sys/fs/cgroup/processmaster/services/${name}`;
  const script = `for run in ${base}/*.*.*; do [ -e $run/cgroup.procs ] || continue
    pid=$(head -n 1 $run/cgroup.procs); [ -z "$pid" ] || tr '\\0' '\\n' < /proc/$pid/environ | grep ^VERSION= || :; done`;
  return [...(await manager.machine.sh(script)).matchAll(/^VERSION=(\d+)$/gm)].map(([, version]) =>
    Number(version),
  );
}
