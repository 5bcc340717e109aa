/** Which runs, and commands beside them, live as sessions whose records were lost, with the state directory? Their environment tells. */
import type { Problem } from '../model/problem.ts';
import { pathOf, unreadable, unrecorded, unrestored } from './containment-trouble.ts';
import { allProcesses, parseEnvironment, seenEnvironment, seenProc, soleUser } from './procfs.ts';
import type { Recorded, RunRecords } from './run-records.ts';
import { BESIDE_MARKER, MARKER } from './session-members.ts';
import type { UserOf } from './world.ts';

/**
 * In the environment of each process of a run, or of a command beside one: the absolute path of its record, which names
 * daemon and run.
 */
export const RECORD_MARKER = 'PROCESSMASTER_RECORD';

export interface Found {
  /** Somebody says that he belongs to a run, and is not believed: by other definitions of services he may be. */
  readonly isDoubted: boolean;
}

/**
 * Makes the records again that are not there although processes of their runs live. They are empty: who the first process
 * was is not known any more, and the others are found by their marker. A command beside a run is ended by who looks at the
 * service next, as if its daemon had left it behind: it is not to run beside a second one of its kind.
 * @param userOf whom to believe besides the user of the daemon
 * @returns a Problem when somebody could not be looked at, or a record not be written: who starts services then may start
 * a second process of each
 */
export function findLostRecords(records: RunRecords, userOf: UserOf): Problem | Found {
  let isDoubted = false;
  try {
    for (const pid of allProcesses()) {
      const claim = claimOf(pid, records);
      if (claim === undefined || records.has(claim.key)) continue;
      const { key, user } = claim;
      if (user !== process.geteuid?.() && user !== userOf(key.service)) {
        isDoubted = true;
        continue;
      }
      const failed = records.write(key, null);
      if (failed === undefined) continue;
      return 'name' in key ? unrestored(records.path(key), failed) : unrecorded(key, failed);
    }
    return { isDoubted };
  } catch (error) {
    return unreadable(pathOf(error), error);
  }
}

interface Claim {
  readonly key: Recorded;
  /** What others than the user of the daemon, or of the service, have written into their environment proves nothing. */
  readonly user: number;
}

/** What of these records a process says it belongs to, and not only what it has inherited from. */
function claimOf(pid: number, records: RunRecords): Claim | undefined {
  const user = soleUser(seenProc(`${pid}/status`));
  if (user === undefined) return undefined;
  // Who is in the midst of an exec for that long cannot be waited for: it may be anybody.
  const environment = parseEnvironment(seenEnvironment(pid) ?? '');
  const key = records.keyAt(environment[RECORD_MARKER] ?? '');
  if (key === undefined) return undefined;
  const beside = environment[BESIDE_MARKER];
  const isOfIt = 'name' in key ? key.name === beside : key.id === environment[MARKER] && beside === undefined;
  return isOfIt ? { key, user } : undefined;
}
