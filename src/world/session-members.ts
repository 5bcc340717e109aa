/** Which processes belong to a run that is a session? */
import { allProcesses, type ProcessStat, processStat, readProc } from './procfs.ts';

/** Every process of a run has it in its environment, children that made a session of their own included. */
export const MARKER = 'PROCESSMASTER_RUN_ID';

/** Every process of a command beside a run has this one too, and does not belong to the run then. */
export const BESIDE_MARKER = 'PROCESSMASTER_BESIDE';

export interface Session {
  /** What the marker says: the id of a run, or the name of a command beside one. */
  readonly run: string;
  /** The first process, which made the session; null when it is not known. */
  readonly leader: { readonly pid: number; readonly ticks: number | null } | null;
}

/** One look at all processes of the host. */
export class ProcessTable {
  readonly #stats: readonly ProcessStat[];
  readonly #markers = new Map<number, string>();

  /** Throws when /proc cannot be listed. */
  constructor() {
    this.#stats = allProcesses().flatMap((pid) => {
      const stat = pid === process.pid ? undefined : processStat(pid);
      return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? [] : [stat];
    });
  }

  /**
   * The living processes of the session, and those that carry the marker of the run; oldest first. A session number
   * is not given away while one process of it lives, so a leader of another age means that the number is somebody
   * else's now.
   */
  members(session: Session): readonly ProcessStat[] {
    const { leader, run } = session;
    const recycled =
      leader !== null &&
      leader.ticks !== null &&
      this.#stats.some(({ pid, startTicks }) => pid === leader.pid && startTicks !== leader.ticks);
    // Whatever belongs to a run came after its first process: nobody else's environment need be read.
    const since = leader?.ticks ?? 0;
    return this.#stats
      .filter((stat) => {
        if (stat.startTicks < since) return false;
        const inSession = leader !== null && !recycled && stat.session === leader.pid;
        return inSession || this.#marker(stat.pid) === run;
      })
      .sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
  }

  #marker(pid: number): string {
    const known = this.#markers.get(pid);
    if (known !== undefined) return known;
    const entries = (readProc(`${pid}/environ`) ?? '').split('\0');
    const marker = variable(BESIDE_MARKER, entries) ?? variable(MARKER, entries) ?? '';
    this.#markers.set(pid, marker);
    return marker;
  }
}

function variable(name: string, entries: readonly string[]): string | undefined {
  return entries.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}
