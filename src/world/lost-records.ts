/** Which runs live as sessions whose records were lost, with the state directory? Their environment tells. */
import type { RunKey } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { pathOf, unreadable, unrecorded } from './containment-trouble.ts';
import { allProcesses, parseEnvironment, seenProc } from './procfs.ts';
import type { RunRecords } from './run-records.ts';
import { BESIDE_MARKER, MARKER } from './session-members.ts';

/** In the environment of each process of a run: the absolute path of its record, which names daemon and run. */
export const RECORD_MARKER = 'PROCESSMASTER_RECORD';

/**
 * Makes the records again that are not there although processes of their runs live. They are empty: who the first process
 * was is not known any more, and the others are found by their marker.
 * @returns a Problem when somebody could not be looked at, or a record not be written: who starts services then may start
 * a second process of each
 */
export function findLostRecords(records: RunRecords): Problem | undefined {
  try {
    const recorded = new Set((records.all() ?? []).map(({ id }) => id));
    for (const pid of allProcesses()) {
      const key = claimOf(pid, records);
      if (key === undefined || recorded.has(key.id)) continue;
      const failed = records.write(key, null);
      if (failed !== undefined) return unrecorded(key, failed);
      recorded.add(key.id);
    }
    return undefined;
  } catch (error) {
    return unreadable(pathOf(error), error);
  }
}

/** The run of these records that a process says it belongs to, and not only one that it has inherited from. */
function claimOf(pid: number, records: RunRecords): RunKey | undefined {
  if (!isBelievable(pid)) return undefined;
  const environment = parseEnvironment(seenProc(`${pid}/environ`) ?? '');
  if (environment[BESIDE_MARKER] !== undefined) return undefined;
  const key = records.keyAt(environment[RECORD_MARKER] ?? '');
  return key?.id === environment[MARKER] ? key : undefined;
}

/** Whoever starts a program with the set-user-ID bit chooses its environment (proc_pid_status(5), Uid). */
function isBelievable(pid: number): boolean {
  const uids = /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(seenProc(`${pid}/status`) ?? '')?.slice(1) ?? [];
  const [first] = uids;
  const daemon = process.geteuid?.();
  return (
    first !== undefined && uids.every((uid) => uid === first) && (daemon === 0 || first === String(daemon))
  );
}
