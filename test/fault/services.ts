/** Which services live through the faults, and what is true of them in the kernel? */
import fs from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { systemLogCare } from '../../src/world/log-care.ts';
import { unharmed } from './faulty-calls.ts';
import type { SmallHost } from './small-host.ts';

/** By this variable the processes of one history are told from all others. */
const MARK = 'PM_FAULT_HISTORY';

const QUICK = { restart_backoff: '50ms', tolerance: { max_restarts: 1000 } };

export interface Services {
  readonly names: readonly Name[];
  version(name: Name): number;
  isWanted(name: Name): boolean;
  /** Writes another version of the file, also of one that was removed. */
  edit(name: Name): void;
  remove(name: Name): void;
}

export type Name = 'plain' | 'pair' | 'once' | 'talker' | 'guest';

export const INSTANCES: Readonly<Record<Name, number>> = { plain: 1, pair: 2, once: 0, talker: 1, guest: 1 };

export function writeServices(host: SmallHost, history: string): Services {
  const versions = new Map<Name, number>();
  const wanted = new Set<Name>();
  const names = Object.keys(INSTANCES) as Name[];
  const definitionOf = (name: Name): object => {
    const env = { [MARK]: history, VERSION: String(versions.get(name)) };
    const logs = { stdout: join(host.logs, `${name}.log`), stderr: join(host.logs, `${name}.err`) };
    const sleeps = { command: ['sleep', '1000'], env, stop_grace: '2s' };
    switch (name) {
      // The restart policy is the one that everybody gets.
      case 'plain':
        return { process: sleeps, logs };
      case 'guest':
        return { process: sleeps, restart_policy: QUICK, depends_on: ['plain'], logs };
      case 'pair':
        return {
          process: sleeps,
          instances: 2,
          rollout: { surge: 1 },
          probes: { readiness: { exec: 'true', interval: '200ms' } },
          hooks: { pre_start: 'true' },
          restart_policy: QUICK,
          logs,
        };
      case 'once': {
        const command = `echo $VERSION >> ${join(host.directory, 'once.ran')}`;
        return { process: { command, env, type: 'oneshot' }, restart_policy: QUICK, logs };
      }
      case 'talker': {
        const command = 'i=0; while :; do i=$((i+1)); echo "$$ $i"; sleep 0.02; done';
        const rotation = { rotation_mode: 'size', rotation_size: '1K', rotation_backups: 100 };
        return {
          process: { command, env, stop_grace: '2s' },
          restart_policy: QUICK,
          logs: { ...logs, ...rotation },
        };
      }
    }
  };
  const path = (name: Name) => join(host.config, `${name}.yaml`);
  const edit = (name: Name): void => {
    versions.set(name, (versions.get(name) ?? 0) + 1);
    wanted.add(name);
    const text = stringify(definitionOf(name));
    unharmed(() => {
      fs.writeFileSync(`${path(name)}.new`, text);
      fs.renameSync(`${path(name)}.new`, path(name));
    });
  };
  for (const name of names) edit(name);
  return {
    names,
    version: (name) => versions.get(name) ?? 0,
    isWanted: (name) => wanted.has(name),
    edit,
    remove: (name) => {
      wanted.delete(name);
      unharmed(() => fs.rmSync(path(name), { force: true }));
    },
  };
}

export interface Living {
  readonly pid: number;
  readonly run: string;
  readonly version: number;
  /** A command beside a run. */
  readonly beside: boolean;
}

/** Every process that the services of this history have, as the kernel tells; zombies have ended. */
export function livingOf(history: string): readonly (Living & { readonly service: string })[] {
  return unharmed(() =>
    fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        const variables = textOf(`/proc/${pid}/environ`).split('\0');
        const value = (name: string): string =>
          variables.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
        if (value(MARK) !== history || !isAlive(pid)) return [];
        return {
          pid: Number(pid),
          service: value('PROCESSMASTER_SERVICE'),
          run: value('PROCESSMASTER_RUN_ID'),
          version: Number(value('VERSION')),
          beside: value('PROCESSMASTER_BESIDE') !== '',
        };
      }),
  );
}

/** Children of this very process that have ended and were never waited for. */
export function zombies(): readonly string[] {
  return unharmed(() =>
    fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => textOf(`/proc/${pid}/stat`))
      .filter((stat) => new RegExp(`\\) Z ${process.pid} `).test(stat)),
  );
}

/** What is wrong with the log of the talker: each of its processes counts its lines from 1. */
export function troubleOfLines(host: SmallHost): string | undefined {
  return unharmed(() => {
    // The next daemon ends a rotation that was interrupted.
    const rest = (_target: string, base: string) => ({ shifts: [], name: `${base}.rest` });
    systemLogCare(join(host.state, 'rotations')).resume(rest);
    const files = fs.readdirSync(host.logs).filter((name) => /^talker\.log/.test(name));
    const lines = files.flatMap((name) => textOf(join(host.logs, name)).split('\n').slice(0, -1));
    const odd = lines.filter((line) => !/^\d+ \d+$/.test(line));
    const counts = new Map<string, number[]>();
    for (const line of lines) {
      const [pid = '', number] = line.split(' ');
      counts.set(pid, [...(counts.get(pid) ?? []), Number(number)]);
    }
    const troubles = [...counts].flatMap(([pid, numbers]) => {
      const different = new Set(numbers);
      const last = Math.max(...numbers);
      if (different.size === numbers.length && different.size === last) return [];
      return `process ${pid} said ${last} lines, of which ${different.size} are there, in ${numbers.length} lines`;
    });
    if (troubles.length + odd.length === 0) return undefined;
    return `${[...troubles, ...odd.map((line) => `an odd line: ${line}`)].join('; ')}; in ${files.join(', ')}`;
  });
}

/** How many lines the talker has written so far that were not rotated. */
export function talked(host: SmallHost): string {
  return unharmed(() => textOf(join(host.logs, 'talker.log')));
}

export function ranOnce(host: SmallHost): readonly number[] {
  return unharmed(() => textOf(join(host.directory, 'once.ran')).split('\n').filter(Boolean).map(Number));
}

function isAlive(pid: string): boolean {
  return !/^$|\) [ZX] /.test(textOf(`/proc/${pid}/stat`));
}

function textOf(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
