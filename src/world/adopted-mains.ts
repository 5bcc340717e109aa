/** Does the main process of a run in a cgroup still live that an earlier daemon started? */
import type { RunId, RunKey } from '../model/names.ts';
import type { MainProcess, Members } from '../model/observed.ts';
import { processesIn } from './cgroup-files.ts';
import { oomKills, withOom } from './cgroup-history.ts';
import { parseOwnCgroup } from './cgroup-mount.ts';
import type { CgroupTree } from './cgroup-tree.ts';
import type { ExitRecords } from './exit-records.ts';
import { isAlive, isSeenAlive, parseEnvironment, readProc, seenEnvironment, veiled } from './procfs.ts';
import { MARKER } from './session-members.ts';
import type { Watchlist } from './watchlist.ts';
import type { Clock, KnownMain, Started } from './world.ts';

export interface AdoptedMainsOptions {
  readonly tree: CgroupTree;
  readonly clock: Clock;
  readonly exits: ExitRecords;
  readonly watches: Watchlist;
}

export class AdoptedMains {
  readonly #options: AdoptedMainsOptions;
  /** When the main process was first found gone; milliseconds. */
  readonly #foundGone = new Map<RunId, number>();
  /** Those that lived at the last look. */
  readonly #mains = new Map<RunId, { readonly main: Started; readonly isOutside: boolean }>();

  constructor(options: AdoptedMainsOptions) {
    this.#options = options;
  }

  /** The pid alone proves nothing: it may be somebody else's by now. Throws when it could not be looked at. */
  look(key: RunKey, known: KnownMain, members: Members): MainProcess {
    this.#mains.delete(key.id);
    if (members.is === 'unseen') return { is: 'unknown' };
    const { tree, clock, exits } = this.#options;
    const directory = tree.ofRun(key);
    const main = known(key.id);
    const running = main === null ? undefined : this.#running(key, main, directory);
    if (running !== undefined) return running;
    const recorded = exits.read(key.id, clock.now());
    if (recorded !== undefined) {
      return { is: 'ended', outcome: withOom(recorded.outcome, directory), at: recorded.at };
    }
    const oom = oomKills(directory);
    // Nobody wrote down which process it was; that memory ended all of them is told by the kernel alone.
    if (main === null && !(members.is === 'none' && oom)) return { is: 'unknown' };
    const at = this.#foundGone.get(key.id) ?? clock.now();
    this.#foundGone.set(key.id, at);
    return { is: 'ended', outcome: { kind: 'unknown', oom }, at };
  }

  /** The main process, while it lives, of a run whose cgroup it had left at the last look. */
  strayed(run: RunId): number | undefined {
    return this.#mains.get(run)?.isOutside === true ? this.livePid(run) : undefined;
  }

  /** The main process while it lives, wherever it is by now; undefined also for who is known by a number alone. */
  livePid(run: RunId): number | undefined {
    const { pid, ticks } = this.#mains.get(run)?.main ?? { pid: 0, ticks: null };
    return ticks !== null && isAlive(pid, ticks) ? pid : undefined;
  }

  forget(run: RunId): void {
    this.#foundGone.delete(run);
    this.#mains.delete(run);
  }

  #running(key: RunKey, main: Started, directory: string): MainProcess | undefined {
    const { pid, ticks } = main;
    if (!isSeenAlive(pid, ticks)) return undefined;
    const all = processesIn(directory);
    const isInside = all.includes(pid);
    // It may have moved itself, or somebody else has. But a number may be anybody's by now, also of who came within the
    // same tick: only its mark tells that it is ours. And who ended while the others were listed is not outside.
    if (!isInside && (ticks === null || !isMarked(pid, key.id) || !isSeenAlive(pid, ticks))) return undefined;
    // The kernel reports when a cgroup becomes empty, not when one of its processes ends; where there is but one,
    // both are the same.
    if (!isInside || all.length > 1) {
      this.#options.watches.poll(key, 'true', () => String(isAlive(pid, ticks)));
    }
    this.#mains.set(key.id, { main, isOutside: !isInside });
    if (isInside) return { is: 'running', pid };
    return { is: 'running', pid, outside: cgroupOf(pid) };
  }
}

/** Whether a process was started with the mark of the run. Throws when that could not be looked at. */
function isMarked(pid: number, run: RunId): boolean {
  const environment = seenEnvironment(pid);
  if (environment === undefined) throw veiled(pid);
  return parseEnvironment(environment)[MARKER] === run;
}

/** In which cgroup a process is that is not in that of its run; as the kernel writes it. */
export function cgroupOf(pid: number): string {
  return parseOwnCgroup(readProc(`${pid}/cgroup`) ?? '') ?? 'another one';
}
