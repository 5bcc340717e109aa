/** Where do tests against the real kernel stand? A tree of cgroups of their own, removed afterwards. */

import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { expect } from 'vitest';
import { type RunKey, runId, type ServiceName, type SpecHash, serviceName } from '../../src/model/names.ts';
import type { ObservedRun, Outcome } from '../../src/model/observed.ts';
import { removeCgroup } from '../../src/world/cgroup-files.ts';
import { parseMountinfo } from '../../src/world/cgroup-mount.ts';
import { openCgroups } from '../../src/world/cgroups.ts';
import { systemClock } from '../../src/world/clock.ts';
import { blockFor } from '../../src/world/pause.ts';
import { openProcessGroups } from '../../src/world/process-groups.ts';
import type { Containment, Launch } from '../../src/world/world.ts';

export const isRoot = process.getuid?.() === 0;

/** The mount, if cgroups can be made there. */
export const mountPoint: string | undefined = (() => {
  const mount = parseMountinfo(fs.readFileSync('/proc/self/mountinfo', 'utf8'));
  return isRoot && mount?.writable ? mount.point : undefined;
})();

/** A CI that gives us root must give us cgroups too; elsewhere their absence is a skip that says so. */
export const cgroupsMissing: boolean = (() => {
  if (mountPoint !== undefined) return false;
  const why = 'these tests need root and a writable cgroup2 file system';
  if (process.env['CI'] !== undefined && isRoot) throw new Error(why);
  console.warn(`skipped: ${why}`);
  return true;
})();

let names = 0;

/** A base cgroup that no other test uses. */
export function freshBaseName(): string {
  return `pmtest-${process.pid}-${names++}`;
}

export interface Ground {
  readonly containment: Containment;
  /** Another containment on the same place: what a daemon sees that comes after a crash. */
  reopen(): Containment;
  readonly kind: 'cgroup' | 'process_group';
  /** The directory of the tree, or of the records. */
  readonly place: string;
  /** Where is recorded how programs end. */
  readonly exits: string;
  /** Kills what is left and removes everything. */
  clear(): void;
}

export function cgroupGround(): Ground {
  const name = freshBaseName();
  const directory = temporaryDirectory();
  const exits = join(directory, 'exits');
  const opened: Containment[] = [];
  const open = () => {
    const answer = openCgroups({ root: mountPoint ?? '', name, lock: false, exits });
    if (!('containment' in answer)) throw new Error(JSON.stringify(answer));
    opened.push(answer.containment);
    return answer.containment;
  };
  const base = `${mountPoint}/${name}`;
  return {
    containment: open(),
    reopen: open,
    kind: 'cgroup',
    place: `${base}/services`,
    exits,
    clear: () => {
      for (const each of opened) each.close();
      removeTree(base);
      fs.rmSync(directory, { recursive: true });
    },
  };
}

/** Kills every process in a tree of cgroups and removes it. */
export function removeTree(base: string): void {
  if (!fs.existsSync(base)) return;
  const deadline = Date.now() + 5000;
  for (;;) {
    fs.writeFileSync(`${base}/cgroup.kill`, '1');
    if (removeCgroup(base) === undefined) return;
    if (Date.now() > deadline) throw new Error(`${base} cannot be removed`);
  }
}

export function processGroupGround(): Ground {
  const stateDirectory = temporaryDirectory();
  const exits = join(stateDirectory, 'exits');
  const opened: Containment[] = [];
  const open = () => {
    const clock = systemClock();
    const answer = openProcessGroups({ stateDirectory, clock, because: null, lock: false, exits });
    if (!('containment' in answer)) throw new Error(JSON.stringify(answer));
    opened.push(answer.containment);
    answer.containment.believe?.(() => undefined);
    return answer.containment;
  };
  const containment = open();
  return {
    containment,
    reopen: open,
    kind: 'process_group',
    place: join(stateDirectory, 'runs'),
    exits,
    clear: () => {
      const services = containment.services();
      for (const service of Array.isArray(services) ? services : []) {
        const observed = containment.look(service, () => null);
        for (const run of observed.kind === 'seen' ? observed.runs : []) containment.kill(run.key);
      }
      for (const each of opened) each.close();
      fs.rmSync(stateDirectory, { recursive: true });
    },
  };
}

/** Both kinds of containment, for describe.each; the last says whether this host lacks it. */
export const GROUNDS: readonly (readonly [string, () => Ground, boolean])[] = [
  ['cgroups', cgroupGround, cgroupsMissing],
  ['process groups', processGroupGround, false],
];

export function temporaryDirectory(): string {
  return fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
}

export function named(text: string): ServiceName {
  const name = serviceName(text);
  if (typeof name !== 'string') throw new Error(name.refused);
  return name;
}

let tails = 0;

export function keyOf(service: string): RunKey {
  const id = runId(Date.now(), (tails++).toString(36).padStart(6, '0'));
  return { service: named(service), slot: 0, generation: 1, hash: 'abcdef012345' as SpecHash, id };
}

/** A launch with nothing special about it; the marker is in the environment, as the executor puts it there. */
export function launchOf(key: RunKey, argv: readonly string[], changes: Partial<Launch> = {}): Launch {
  return {
    argv,
    workingDirectory: '/',
    credentials: null,
    umask: null,
    nice: null,
    rlimits: {},
    oomScoreAdjust: null,
    noNewPrivileges: false,
    stdout: null,
    stderr: null,
    ...changes,
    environment: { PATH: '/usr/bin:/bin', PROCESSMASTER_RUN_ID: key.id, ...changes.environment },
  };
}

/** Asks until the answer is not undefined; says at the bound what was seen last. */
export async function until<Answer>(
  what: string,
  ask: () => Answer | undefined,
  seen: () => unknown = () => '',
  bound = 10_000,
): Promise<Answer> {
  const deadline = Date.now() + bound;
  for (;;) {
    const answer = ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline)
      throw new Error(`waited ${bound} ms for ${what}; seen: ${JSON.stringify(seen())}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** So often is looked again at a run of which nothing could be said yet, with a pause of 10 ms. */
const LOOKS = 500;

/**
 * Of a run that may have ended nothing is said while any process of this host is in the midst of an exec, which may belong
 * to it: the daemon looks again then, and so do tests. Beside other tests that takes a moment.
 */
export function runsOf(containment: Containment, service: ServiceName): readonly ObservedRun[] {
  for (let look = 1; ; look++) {
    const observed = containment.look(service, () => null);
    if (observed.kind === 'seen') return observed.runs;
    const { message } = observed.problem;
    if (!/^\/proc\/\d+\/environ .*EAGAIN/.test(message) || look === LOOKS) throw new Error(message);
    blockFor(10);
  }
}

export function runOf(containment: Containment, key: RunKey): ObservedRun | undefined {
  return runsOf(containment, key.service).find((run) => run.key.id === key.id);
}

/** How the main process ended. */
export function outcomeOf(containment: Containment, key: RunKey): Promise<Outcome> {
  return until(
    'the end of the main process',
    () => {
      const main = runOf(containment, key)?.main;
      return main?.is === 'ended' ? main.outcome : undefined;
    },
    () => runOf(containment, key),
  );
}

export async function emptied(containment: Containment, key: RunKey): Promise<void> {
  await until(
    'the run to be empty',
    () => (runOf(containment, key)?.members.is === 'some' ? undefined : true),
    () => containment.members(key).map((pid) => containment.describe(pid)),
  );
}

export function started(answer: ReturnType<Containment['start']>): { readonly pid: number } {
  if ('code' in answer) throw new Error(answer.message);
  return answer;
}

/** Starts a program and answers everything it wrote to stdout, once it has ended well. */
export async function outputOf(
  containment: Containment,
  argv: readonly string[],
  changes: Partial<Launch> = {},
): Promise<string> {
  const directory = temporaryDirectory();
  const fd = fs.openSync(join(directory, 'out'), 'a+');
  try {
    const key = keyOf('output');
    started(containment.start(key, launchOf(key, argv, { stdout: fd, stderr: fd, ...changes })));
    const outcome = await outcomeOf(containment, key);
    const text = fs.readFileSync(join(directory, 'out'), 'utf8');
    expect({ outcome, text }).toEqual({ outcome: { kind: 'exited', code: 0 }, text });
    return text;
  } finally {
    fs.closeSync(fd);
    fs.rmSync(directory, { recursive: true });
  }
}

/** Nothing runs under this pid any more; it leaves its cgroup a moment before it is a zombie. */
export function isGone(pid: number): boolean {
  const stat = /^\d+ \(.*\) (\S)(?: -?\d+){5} (\d+) /s.exec(readOr(`/proc/${pid}/stat`));
  return stat === null || /[ZX]/.test(stat[1] ?? '') || (Number(stat[2]) & PF_EXITING) !== 0;
}

/** `flags` of proc_pid_stat(5), as in linux/sched.h: it is being taken down, and executes nothing of its program. */
const PF_EXITING = 0x4;

function readOr(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Bundles a program of test/linux/fixtures so that node can run it; answers its path. */
export function bundledFixture(name: string, directory: string): string {
  const outfile = join(directory, `${name}.mjs`);
  buildSync({
    entryPoints: [join(dirname(fileURLToPath(import.meta.url)), 'fixtures', `${name}.ts`)],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
  });
  return outfile;
}
