/** By what are the processes of a run known where it is a session: which marker, which leader, which acquaintances? */
import type { RunId, RunKey } from '../model/names.ts';
import { hasEnded, hasMark, seenStat } from './procfs.ts';
import type { RunRecord, RunRecords } from './run-records.ts';
import type { Session } from './session-members.ts';

export class RunSessions {
  readonly #records: RunRecords;
  readonly #boot: string;
  /** What this daemon has seen of each run; a later one begins anew. */
  readonly #known = new Map<RunId, Set<string>>();
  /** Those whose first process was seen to be the one that is meant. */
  readonly #led = new WeakSet<RunRecord>();

  /** @param boot of the host, now */
  constructor(records: RunRecords, boot: string) {
    this.#records = records;
    this.#boot = boot;
  }

  of(key: RunKey): Session {
    const record = this.#records.read(key);
    const known = this.#known.get(key.id) ?? new Set();
    this.#known.set(key.id, known);
    return { run: key.id, leader: record?.boot === this.#boot ? record : null, known };
  }

  /**
   * Does the first process of the run live? Pids and start times of another boot mean nothing. Throws when it could not
   * be looked at.
   */
  leads(record: RunRecord): boolean {
    // Its launch made it the leader of a session, and that it stays. Whoever got its number within the same tick of the
    // clock may be one as well, but of another session.
    if (record.boot !== this.#boot) return false;
    const stat = seenStat(record.pid);
    if (stat === undefined || hasEnded(stat) || stat.session !== record.pid) return false;
    if (record.ticks !== null && stat.startTicks !== record.ticks) return false;
    if (this.#led.has(record)) return true;
    if (!hasMark(record.pid, record.mark)) return false;
    // From now on its start time says everything: whoever gets its number later starts later.
    if (record.ticks !== null) this.#led.add(record);
    return true;
  }

  forget(run: RunId): void {
    this.#known.delete(run);
  }
}
