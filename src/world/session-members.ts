/** Which processes belong to a run that is a session? */
import { blockFor } from './pause.ts';
import {
  allProcesses,
  hasEnded,
  hasMark,
  isSeenAlive,
  type ProcessStat,
  residentBytes,
  seenEnvironment,
  seenStat,
  TICKS_PER_SECOND,
  veiled,
} from './procfs.ts';
import type { Usage } from './world.ts';

/** Every process of a run has it in its environment, children that made a session of their own included. */
export const MARKER = 'PROCESSMASTER_RUN_ID';

/** Every process of a command beside a run has this one too, and does not belong to the run then. */
export const BESIDE_MARKER = 'PROCESSMASTER_BESIDE';

export interface Session {
  /** What the marker says: the id of a run, or the name of a command beside one. */
  readonly run: string;
  /** The first process, which made the session; null when it is not known. */
  readonly leader: {
    readonly pid: number;
    readonly ticks: number | null;
    /** See {@link sessionMark}; null where the host does not tell. */
    readonly mark: string | null;
  } | null;
  /**
   * Who lived at the last look, by pid and start time: whoever loses its parent or its environment stays a member.
   * Each look writes it anew.
   */
  readonly known?: Set<string>;
}

/** Lists all processes this often while new ones appear. */
const LISTINGS = 8;

/**
 * Who is in the midst of an exec may wait for the very CPU on which we ask without rest. So often one table waits for
 * such, a millisecond each time, and only where nobody else was found of whom it asks.
 */
const PAUSES = 8;

/** One look at all processes of the host. */
export class ProcessTable {
  /** Oldest first. */
  readonly #stats: ProcessStat[] = [];
  readonly #markers = new Map<number, string>();
  /** Those whose marker could not be read: they were in the midst of an exec all the time. */
  readonly #veiled = new Set<number>();
  #pauses = PAUSES;

  /**
   * What forks and ends without rest is never there any more when its turn comes in a long list. So the list is made
   * again, and whoever is new in it is looked at right away. Throws when /proc cannot be read.
   */
  constructor() {
    const looked = new Set([process.pid]);
    for (let listing = 0; listing < LISTINGS; listing++) {
      const fresh = allProcesses().filter((pid) => !looked.has(pid));
      if (fresh.length === 0) break;
      for (const pid of fresh) {
        looked.add(pid);
        const stat = seenStat(pid);
        if (stat === undefined || hasEnded(stat)) continue;
        this.#stats.push(stat);
        if (listing > 0) this.#marker(pid);
      }
    }
    this.#stats.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
  }

  /**
   * The living processes of the session, those that carry the marker of the run, and what these have started; oldest
   * first. Whoever carries the marker of another run belongs to that one. Throws when nobody was found and somebody who
   * may belong to it could not be looked at.
   */
  members(session: Session): readonly ProcessStat[] {
    const { leader, known } = session;
    // Whatever belongs to a run came after its first process: nobody else's environment need be read.
    const candidates = this.#stats.filter(({ startTicks }) => startTicks >= (leader?.ticks ?? 0));
    for (;;) {
      const members = this.#membersAmong(candidates, session);
      const unseen = candidates.filter(({ pid }) => this.#veiled.has(pid));
      const [first] = unseen;
      if (members.length > 0 || first === undefined) {
        known?.clear();
        for (const stat of members) known?.add(identityOf(stat));
        return members;
      }
      if (this.#pauses-- <= 0) throw veiled(first.pid);
      blockFor(1);
      for (const { pid } of unseen) this.#unveil(pid);
    }
  }

  #membersAmong(candidates: readonly ProcessStat[], session: Session): readonly ProcessStat[] {
    const { leader, run, known } = session;
    const isLed = this.#sessionTest(session);
    const found = new Map<number, ProcessStat>();
    for (const stat of candidates) {
      const marker = this.#marker(stat.pid);
      const own = marker === run || (marker === '' && (known?.has(identityOf(stat)) === true || isLed(stat)));
      if (own || (stat.pid === leader?.pid && isLed(stat))) found.set(stat.pid, stat);
    }
    // Children of members and sessions that members made: a look for each generation that is not in order of age.
    for (let before = -1; before !== found.size; ) {
      before = found.size;
      for (const stat of candidates) {
        if (found.has(stat.pid) || !(found.has(stat.parent) || found.has(stat.session))) continue;
        if (this.#marker(stat.pid) === '') found.set(stat.pid, stat);
      }
    }
    return candidates.filter(({ pid }) => found.has(pid));
  }

  /**
   * A session number is not given away while one process of it lives. Once all are gone it may become somebody else's,
   * who has another age or at least another mark.
   */
  #sessionTest({ leader }: Session): (stat: ProcessStat) => boolean {
    if (leader === null) return () => false;
    const holder = this.#stats.find(({ pid }) => pid === leader.pid);
    if (holder !== undefined && leader.ticks !== null && holder.startTicks !== leader.ticks)
      return () => false;
    return ({ pid, session }) => session === leader.pid && hasMark(pid, leader.mark);
  }

  #marker(pid: number): string {
    const known = this.#markers.get(pid);
    if (known !== undefined) return known;
    const environment = seenEnvironment(pid);
    if (environment === undefined) this.#veiled.add(pid);
    return this.#mark(pid, environment ?? '');
  }

  /** Asks once more for an environment that was not there yet. Who has ended meanwhile may have left others behind. */
  #unveil(pid: number): void {
    const environment = seenEnvironment(pid, 1);
    if (environment === undefined || (environment === '' && !isSeenAlive(pid, null))) return;
    this.#veiled.delete(pid);
    this.#mark(pid, environment);
  }

  #mark(pid: number, environment: string): string {
    const entries = environment.split('\0');
    const marker = variable(BESIDE_MARKER, entries) ?? variable(MARKER, entries) ?? '';
    this.#markers.set(pid, marker);
    return marker;
  }
}

function identityOf({ pid, startTicks }: ProcessStat): string {
  return `${pid}.${startTicks}`;
}

function variable(name: string, entries: readonly string[]): string | undefined {
  return entries.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** What these processes use together; null where there are none. */
export function usageOf(members: readonly ProcessStat[]): Usage {
  if (members.length === 0) return { cpuMicroseconds: null, memoryBytes: null };
  const ticks = sum(members.map(({ cpuTicks }) => cpuTicks));
  return {
    cpuMicroseconds: (ticks * 1_000_000) / TICKS_PER_SECOND,
    memoryBytes: sum(members.map(({ pid }) => residentBytes(pid) ?? 0)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
