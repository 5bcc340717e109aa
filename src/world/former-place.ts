/** Do services of this state directory still run where a daemon before had them, and this one would not look? */
import fs from 'node:fs';
import { join } from 'node:path';
import type { RunKey } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { isPopulated } from './cgroup-files.ts';
import { bootId } from './procfs.ts';
import { RunRecords } from './run-records.ts';
import { RunSessions } from './run-sessions.ts';
import { runsDirectory } from './state-lock.ts';

export interface Place {
  readonly stateDirectory: string;
  /** The cgroup directory of all services; null: they run in sessions. */
  readonly services: string | null;
}

/** Of a path: no cgroup has a longer one (PATH_MAX, linux/limits.h). Bytes. */
const LONGEST = 4096;

/**
 * Before anything is started: after a change of `cgroup_name`, `cgroup_root` or `containment` nobody would stop what runs
 * there, and a second process of each service would be started. The next daemon learns of this one.
 * @returns why this place may not be taken
 */
export function takePlace({ stateDirectory, services }: Place): Problem | undefined {
  const former = noted(stateDirectory);
  if (former !== undefined && former !== services && isInUse(former)) return elsewhere(former);
  if (services === null) return undefined;
  const names = inSessions(stateDirectory);
  if (names.length > 0) return elsewhere(`sessions (${names.slice(0, 3).join(', ')})`);
  if (former !== services) note(stateDirectory, services);
  return undefined;
}

function note(stateDirectory: string, services: string): void {
  try {
    fs.writeFileSync(fileIn(stateDirectory), services, { mode: 0o600 });
  } catch {
    // A disk that is full keeps nobody from running services; the next daemon does not ask then.
  }
}

function fileIn(stateDirectory: string): string {
  return join(stateDirectory, 'cgroup');
}

function noted(stateDirectory: string): string | undefined {
  try {
    const text = fs.readFileSync(fileIn(stateDirectory), 'utf8');
    return text.startsWith('/') && text.length <= LONGEST ? text : undefined;
  } catch {
    return undefined;
  }
}

function isInUse(services: string): boolean {
  try {
    return isPopulated(services);
  } catch {
    // Gone, with the boot or by hand.
    return false;
  }
}

/** Services whose first process lives; what cannot be looked at keeps nobody from running services. */
function inSessions(stateDirectory: string): readonly string[] {
  const records = new RunRecords(runsDirectory(stateDirectory));
  try {
    const sessions = new RunSessions(records, bootId());
    const lives = (key: RunKey): boolean => {
      const record = records.read(key);
      return record !== null && sessions.leads(record);
    };
    return records.services().filter((name) => records.runs(name).some(lives));
  } catch {
    return [];
  }
}

function elsewhere(where: string): Problem {
  return {
    code: 'runs-elsewhere',
    severity: 'error',
    message: `services of this state directory still run in ${where}, where this daemon would not find them`,
    hint: 'start it as it was (cgroup_name, cgroup_root, containment) and end it by pmctl shutdown --stop-services first',
  };
}
