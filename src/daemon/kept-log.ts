/** What is known of a log that is kept in order, also when its service is gone? */
import type { Problem } from '../model/problem.ts';
import type { LogToKeep } from '../policy/logs-to-keep.ts';
import { rotatedName } from '../policy/rotation-names.ts';
import type { Growth } from '../world/log-care.ts';
import type { Surroundings } from '../world/rotated-files.ts';
import type { RememberedLog } from './log-memory.ts';
import type { Turn } from './turns.ts';

export interface Kept extends LogToKeep, Turn {
  path: string;
  clash: string | null;
  /** No service writes there any more: it is not rotated, and what rotation made goes by the last rules. */
  isGone: boolean;
  /** When the newest file that rotation made was written last; milliseconds since 1970, 0: there is none. */
  newest: number;
  growth: Growth | undefined;
  /** When it was last rotated, or seen empty; milliseconds since 1970. */
  emptied: number;
  /** Rotated files as they were seen last. */
  rotated: Surroundings['files'];
  trouble: Problem | undefined;
}

/** Logs of services that are gone are remembered up to this number; the files of more than that stay. */
const MOST_GONE = 4096;

/** Its last service is gone. `due`: when it is looked at next. */
export function letGo(kept: Kept, due: number): void {
  kept.growth?.close();
  // Where the path leads may change when nobody writes there any more.
  Object.assign(kept, {
    ...{ isGone: true, path: kept.place, clash: null, growth: undefined, due },
    isWanted: kept.isBusy,
  });
}

/** As an earlier daemon has known it. */
export function goneOf(log: RememberedLog, due: number): Kept {
  return {
    ...log,
    ...{ path: log.place, clash: null, isGone: true, growth: undefined, emptied: 0, rotated: [] },
    ...{ due, isBusy: false, isWanted: false, trouble: undefined },
  };
}

/** Those that have rotated files; of the services that are gone, the newest ones. */
export function remembered(all: readonly Kept[]): readonly RememberedLog[] {
  const made = all.filter(({ newest }) => newest > 0);
  const gone = made.filter(({ isGone }) => isGone).sort((a, b) => b.newest - a.newest);
  return [...made.filter(({ isGone }) => !isGone), ...gone.slice(0, MOST_GONE)].map(
    ({ place, credentials, services, spec, newest }) => ({ place, credentials, services, spec, newest }),
  );
}

export function isRotated(base: string, name: string): boolean {
  return rotatedName(base, name) !== null;
}

export function brokenOf(path: string, error: unknown): Problem {
  return {
    code: 'log-not-rotated',
    severity: 'error',
    message: `${path} cannot be rotated: ${String(error)}`,
  };
}

export function clashOf(path: string, other: string): Problem {
  return {
    code: 'log-not-rotated',
    severity: 'warning',
    message: `${path} is not rotated: ${other} has a name that one of its rotated files would get`,
    hint: 'give one of the two another name',
  };
}
