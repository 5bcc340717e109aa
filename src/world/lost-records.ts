/** Which runs live as sessions whose records were lost, with the state directory? Their environment tells. */
import type { RunKey } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { pathOf, unreadable, unrecorded } from './containment-trouble.ts';
import { allProcesses, parseEnvironment, seenEnvironment, seenProc, soleUser } from './procfs.ts';
import type { RunRecords } from './run-records.ts';
import { BESIDE_MARKER, MARKER } from './session-members.ts';
import type { UserOf } from './world.ts';

/** In the environment of each process of a run: the absolute path of its record, which names daemon and run. */
export const RECORD_MARKER = 'PROCESSMASTER_RECORD';

/**
 * Makes the records again that are not there although processes of their runs live. They are empty: who the first process
 * was is not known any more, and the others are found by their marker.
 * @param userOf whom to believe besides the user of the daemon
 * @returns a Problem when somebody could not be looked at, or a record not be written: who starts services then may start
 * a second process of each
 */
export function findLostRecords(records: RunRecords, userOf: UserOf): Problem | undefined {
  try {
    for (const pid of allProcesses()) {
      const key = claimOf(pid, records, userOf);
      if (key === undefined || records.has(key)) continue;
      const failed = records.write(key, null);
      if (failed !== undefined) return unrecorded(key, failed);
    }
    return undefined;
  } catch (error) {
    return unreadable(pathOf(error), error);
  }
}

/**
 * The run of these records that a process says it belongs to, and not only one that it has inherited from. What others
 * than the user of the daemon, or of the service, have written into their environment proves nothing.
 */
function claimOf(pid: number, records: RunRecords, userOf: UserOf): RunKey | undefined {
  const user = soleUser(seenProc(`${pid}/status`));
  if (user === undefined) return undefined;
  // Who is in the midst of an exec for that long cannot be waited for: it may be anybody.
  const environment = parseEnvironment(seenEnvironment(pid) ?? '');
  if (environment[BESIDE_MARKER] !== undefined) return undefined;
  const key = records.keyAt(environment[RECORD_MARKER] ?? '');
  if (key === undefined || key.id !== environment[MARKER]) return undefined;
  return user === process.geteuid?.() || user === userOf(key.service) ? key : undefined;
}
