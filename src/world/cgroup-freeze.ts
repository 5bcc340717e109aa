/** How do all writers of a log stand still for a moment, and never for longer? */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import { isGone, keyedNumber, readControl, writeControl } from './cgroup-files.ts';
import { inWords } from './errno.ts';
import { blockFor } from './pause.ts';
import { toolPath } from './tools.ts';

/** What the guard is given to tell the next daemon how it found the log. */
export interface Witness {
  /** Descriptor of the log, open for reading. */
  readonly log: number;
  /** Descriptor of the journal, open for appending, and its path. */
  readonly journal: number;
  readonly journalPath: string;
}

export interface Frozen {
  /** Is everything still frozen that was? */
  holds(): boolean;
  /** Answers how long it stood still; milliseconds. */
  thaw(): number;
}

/** Who can make the writers of a log stand still. */
export interface Freezer {
  /** Absolute directories: those that share the file. */
  readonly cgroups: readonly string[];
  /**
   * Everything is thawed again when the answer is a Problem. Synchronous, as the whole time until `thaw` must be.
   * @param before called when all is prepared: what is done then makes nobody stand still
   */
  freeze(witness: Witness, before: () => void): Frozen | Problem;
}

/** A system call that does not return holds up the freezing of its process; milliseconds. */
const PATIENCE = 300;

/** Between two looks at whether they stand still; milliseconds. */
const PAUSE = 0.1;

/** Seconds after which the guard thaws: more than PATIENCE and all that is done while they stand still. */
const GUARD_AFTER = 1;

/**
 * The guard outlives this process. Whether the journal is still the one that it was given tells whether a later
 * daemon has already settled everything: then what is frozen now is not the guard's. The size is noted before the
 * writers go on, because afterwards nobody could tell any more whether the log had been cut.
 */
const GUARD = `
journal=$1; shift
sleep ${GUARD_AFTER}
[ "$journal" -ef /proc/self/fd/4 ] || exit 0
size=$(wc -c </proc/self/fd/3) || size=null
echo "{\\"step\\":\\"guard\\",\\"size\\":$size}" >&4
for each; do echo 0 >"$each/cgroup.freeze"; done
`;

/**
 * cgroup.freeze (Documentation/admin-guide/cgroup-v2.rst): each process stops when it returns from a system call, so
 * that no write is cut in two. A cgroup that is not there has no writers; one that somebody else has frozen stays so.
 */
export function cgroupFreezer(cgroups: readonly string[]): Freezer {
  return {
    // Whom somebody else has frozen, no later daemon may thaw by what was noted here.
    get cgroups() {
      return cgroups.filter((cgroup) => readControl(cgroup, 'cgroup.freeze') !== '1');
    },
    freeze: (witness, before) => freeze(cgroups, witness, before),
  };
}

/** False: the kernel has no freezer for one of them that is there (cgroup.freeze came with Linux 5.2). */
export function canFreeze({ cgroups }: Freezer): boolean {
  return cgroups.every((cgroup) => !fs.existsSync(cgroup) || fs.existsSync(`${cgroup}/cgroup.freeze`));
}

/** Lets the writers go on whose daemon has died. */
export function thawCgroups(cgroups: readonly string[]): void {
  for (const cgroup of cgroups) writeControl(cgroup, 'cgroup.freeze', '0');
}

/** True if each of them that is there stands still. */
export function areFrozen(cgroups: readonly string[]): boolean {
  return cgroups.every((cgroup) => !fs.existsSync(cgroup) || isFrozen(cgroup));
}

function freeze(cgroups: readonly string[], witness: Witness, before: () => void): Frozen | Problem {
  const mine = cgroups.filter((cgroup) => readControl(cgroup, 'cgroup.freeze') === '0');
  if (mine.length === 0) return { holds: () => true, thaw: () => 0 };
  // To thaw must not need anything that may be lacking then, as a descriptor.
  const controls = opened(mine);
  if ('why' in controls) return trouble(controls.why);
  const guard = spawnGuard(mine, witness);
  if (guard.pid === undefined) {
    for (const control of controls) fs.closeSync(control);
    return trouble('no process can be started that thaws if the daemon dies');
  }
  try {
    before();
  } catch (error) {
    for (const control of controls) fs.closeSync(control);
    dismiss(guard);
    throw error;
  }
  const began = performance.now();
  const thaw = () => {
    for (const control of controls) release(control);
    const pause = performance.now() - began;
    dismiss(guard);
    return pause;
  };
  const why = freezeAll(mine, began + PATIENCE);
  if (why === undefined) return { holds: () => areFrozen(mine), thaw };
  thaw();
  return trouble(why);
}

function trouble(why: string): Problem {
  return { code: 'log-not-rotated', severity: 'error', message: `the writers cannot be frozen: ${why}` };
}

function opened(cgroups: readonly string[]): readonly number[] | { readonly why: string } {
  const controls: number[] = [];
  try {
    for (const cgroup of cgroups)
      controls.push(fs.openSync(`${cgroup}/cgroup.freeze`, fs.constants.O_WRONLY));
    return controls;
  } catch (error) {
    for (const control of controls) fs.closeSync(control);
    return { why: inWords(error) };
  }
}

function release(control: number): void {
  try {
    fs.writeSync(control, '0', 0);
  } catch {
    // ENODEV: the cgroup is gone.
  }
  fs.closeSync(control);
}

function freezeAll(cgroups: readonly string[], until: number): string | undefined {
  for (const cgroup of cgroups) {
    const failed = writeControl(cgroup, 'cgroup.freeze', '1');
    if (failed !== undefined && !isGone(failed)) return `${cgroup}: ${inWords(failed)}`;
  }
  for (const cgroup of cgroups) {
    while (fs.existsSync(cgroup) && !isFrozen(cgroup)) {
      if (performance.now() > until) return `${cgroup} does not stand still within ${PATIENCE} ms`;
      blockFor(PAUSE);
    }
  }
  return undefined;
}

function isFrozen(cgroup: string): boolean {
  return keyedNumber(cgroup, 'cgroup.events', 'frozen') === 1;
}

/** In a session of its own, so that it can be ended together with its `sleep`, and no signal to the daemon ends it. */
function spawnGuard(cgroups: readonly string[], { log, journal, journalPath }: Witness): ChildProcess {
  const guard = spawn(toolPath('sh') ?? '/bin/sh', ['-c', GUARD, 'guard', journalPath, ...cgroups], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', log, journal],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
  });
  // No memory, no pids left: then it has no pid.
  guard.on('error', () => undefined);
  guard.unref();
  return guard;
}

/** Node reaps it later than this is called: its number cannot belong to somebody else yet. */
function dismiss({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: it has come to its own end.
  }
}
